/** OMA Client Provisioning: what its XML means, what is refused, how the code pages are used. */
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../../src/kernel/errors.js';
import { CONNECTIVITY, type ProvisioningDocument } from '../../../src/protocols/connectivity/index.js';
import { contentValidator as validator } from '../../support/content.js';

const decodeXml = (xml: string) => CONNECTIVITY.decodeXml(Buffer.from(xml), { validator });
const hexOf = (octets: Uint8Array) => Buffer.from(octets).toString('hex');
const withParameters = (
  type: string,
  ...parameters: readonly (readonly [string, string?])[]
): ProvisioningDocument => ({
  characteristics: [
    {
      type,
      parameters: parameters.map(([name, value]) => (value === undefined ? { name } : { name, value })),
      characteristics: [],
    },
  ],
});

describe('XML', () => {
  it('is a tree of characteristics with parameters', () => {
    expect(
      decodeXml(
        `<!DOCTYPE wap-provisioningdoc PUBLIC "-//WAPFORUM//DTD PROV 1.0//EN" "http://www.wapforum.org/DTD/prov.dtd">
<wap-provisioningdoc version="1.1">
  <characteristic type="APPLICATION">
    <characteristic type="RESOURCE"><parm name="STARTPAGE"/></characteristic>
    <parm name="APPID" value="w2"/>
  </characteristic>
</wap-provisioningdoc>`,
      ),
    ).toEqual({
      version: '1.1',
      characteristics: [
        {
          type: 'APPLICATION',
          parameters: [{ name: 'APPID', value: 'w2' }],
          characteristics: [{ type: 'RESOURCE', parameters: [{ name: 'STARTPAGE' }], characteristics: [] }],
        },
      ],
    });
  });

  it.each([
    ['no characteristic', '<wap-provisioningdoc/>'],
    ['a characteristic without a type', '<wap-provisioningdoc><characteristic/></wap-provisioningdoc>'],
    [
      'a parameter without a name',
      '<wap-provisioningdoc><characteristic type="A"><parm value=""/></characteristic></wap-provisioningdoc>',
    ],
    ['a parameter outside', '<wap-provisioningdoc><parm name="A"/></wap-provisioningdoc>'],
  ])('refuses %s', (_, xml) => {
    expect(() => decodeXml(xml)).toThrow(DecodeError);
  });
});

describe('WBXML', () => {
  const HEADER = '030b6a0045';
  const string = (value: string) => `03${Buffer.from(value).toString('hex')}00`;

  it.each<[string, ProvisioningDocument, string]>([
    ['settings of page 0', withParameters('NAPDEF', ['BEARER', 'GSM-GPRS']), 'c6550187 1006ab01 0101'],
    [
      'settings of an application on page 1',
      withParameters('APPLICATION', ['APPID', 'w2'], ['TO-NAPID', 'n']),
      `c60001550187 3606${string('w2')}01 872206${string('n')}01 0101`,
    ],
    [
      'a value of page 0 among them by a switch',
      withParameters('APPAUTH', ['AAUTHTYPE', 'HTTP-BASIC']),
      'c60001570187 3300 00069c01 0101',
    ],
    [
      'a name of their own as text',
      withParameters('X-OWN', ['y']),
      `c650${string('X-OWN')}01 8705${string('y')}01 0101`,
    ],
    [
      'a longer name than a token has, as text',
      withParameters('NAPDEF', ['NAMES']),
      `c6550187 05${string('NAMES')}01 0101`,
    ],
    [
      'a value that contains a token, as text',
      withParameters('NAPDEF', ['NAME', 'PAPER']),
      `c6550187 0706${string('PAPER')}01 0101`,
    ],
    ['an empty value', withParameters('NAPDEF', ['NAME', '']), 'c6550187 070601 0101'],
  ])('writes %s', (_, document, body) => {
    expect(hexOf(CONNECTIVITY.encode(document))).toBe(HEADER + body.replaceAll(' ', ''));
  });

  it.each([
    ['1.0', '46'],
    ['1.1', `45${string('1.1')}`],
  ])('writes version %s', (version, octets) => {
    const document = { version, ...withParameters('NAPDEF') };
    expect(hexOf(CONNECTIVITY.encode(document))).toBe(`030b6a00c5${octets}01865501 01`.replace(' ', ''));
  });

  it('reads values that are put together of tokens', () => {
    const parts = 'c60001570187 3306 91929091 93 01 0101'.replaceAll(' ', '');
    expect(CONNECTIVITY.decode(Buffer.from(HEADER + parts, 'hex'))).toEqual(
      withParameters('APPAUTH', ['AAUTHTYPE', 'HTTP-BASIC,HTTP-DIGEST']),
    );
  });

  it.each([
    ['no characteristic', '030b6a0005'],
    ['a characteristic without a type', '030b6a00450601'],
    ['a parameter without a name', '030b6a0045c65501870601 0101'.replace(' ', '')],
  ])('refuses %s', (_, octets) => {
    expect(() => CONNECTIVITY.decode(Buffer.from(octets, 'hex'))).toThrow(DecodeError);
  });
});
