/** Registration by OPTIONS, tags of capabilities, and the proof of a terminal that called. */
import { describe, expect, it } from 'vitest';
import {
  equalCpiTags,
  formatCpiTag,
  isSessionProof,
  parseCpiTag,
  readRegistration,
  registrationHeaders,
  sessionProof,
  terminalKey,
} from '../../../src/protocols/ota-http/index.js';

describe('a CPITag', () => {
  it.each([
    ['AQIDBA==', '01020304'],
    ['AAAAAA==', '00000000'],
    ['01020304', '01020304'],
    ['1020304', '01020304'],
    ['f', '0000000f'],
    ['DEADBEEF', 'deadbeef'],
    ['"1a2b"', '00001a2b'],
    [' AQIDBA== ', '01020304'],
  ])('%j is read', (text, hex) => {
    expect(Buffer.from(parseCpiTag(text) ?? []).toString('hex')).toBe(hex);
  });

  it.each(['', 'AQIDBA', 'AQIDBA=', 'AQIDBAU=', '123456789', 'xyz', '====', 'AQ IDBA=='])(
    '%j is none',
    (text) => {
      expect(parseCpiTag(text)).toBeUndefined();
    },
  );

  it('is written in either form and read again', () => {
    const octets = Buffer.from([0, 1, 2, 255]);
    for (const form of ['base64', 'hex'] as const)
      expect(parseCpiTag(formatCpiTag(octets, form))).toEqual(octets);
    expect(() => formatCpiTag(Buffer.alloc(3))).toThrow(expect.objectContaining({ code: 'internal' }));
  });

  it('equals itself in the other form', () => {
    expect(equalCpiTags('AQIDBA==', '1020304')).toBe(true);
    expect(equalCpiTags('AQIDBA==', '1020305')).toBe(false);
    expect(equalCpiTags('no tag', 'no tag')).toBe(true);
    expect(equalCpiTags('no tag', 'AQIDBA==')).toBe(false);
  });
});

describe('a registration', () => {
  const read = (headers: Readonly<Record<string, string>>, status = 204) =>
    readRegistration({ status, headers: Object.entries(headers).map(([name, value]) => ({ name, value })) });

  it('is read in either spelling of its fields', () => {
    expect(
      read({
        'X-Wap-Terminal-ID': 'urn:uuid:1',
        'x-wap-cpitag': '1a2b',
        'X-Wap-Push-Accept-MaxPushReq': '4',
        'X-Push-Sir-Id': 'a.b',
        'X-Push-Authorization': 'HMAC-SHA256 abc',
        'X-Wap-Push-Status': '501',
      }),
    ).toEqual({
      isConfirmed: false,
      terminalId: 'urn:uuid:1',
      cpiTag: '1a2b',
      maxPushRequests: 4,
      sirId: 'a.b',
      proof: 'HMAC-SHA256 abc',
    });
  });

  it('that says nothing takes one push at a time', () => {
    expect(read({})).toEqual({ isConfirmed: false, maxPushRequests: 1 });
    expect(read({ 'X-Wap-Push-Status': '500 ok' })).toEqual({ isConfirmed: true, maxPushRequests: 1 });
  });

  it.each([
    ['0', 1],
    ['1', 1],
    ['999999', 1000],
    ['many', 1],
    ['-3', 1],
  ])('takes %j pushes at once as %i', (text, expected) => {
    expect(read({ 'X-Wap-Push-Accept-MaxPushReq': text })?.maxPushRequests).toBe(expected);
  });

  it('is none when HTTP says no, and leaves out what is too long', () => {
    expect(read({}, 404)).toBeUndefined();
    expect(read({ 'X-Wap-Terminal-Id': 'x'.repeat(513) })).toEqual({
      isConfirmed: false,
      maxPushRequests: 1,
    });
  });

  it('is asked for with what we take the terminal for', () => {
    expect(registrationHeaders({})).toEqual([{ name: 'X-Wap-Push-OTA-Version', value: '1.0' }]);
    expect(registrationHeaders({ cpiTag: '1a', nonce: 'n' })).toEqual([
      { name: 'X-Wap-Push-OTA-Version', value: '1.0' },
      { name: 'X-Wap-CPITag', value: '1a' },
      { name: 'X-Push-Nonce', value: 'n' },
    ]);
  });
});

describe('the proof of a terminal', () => {
  const key = terminalKey('secret', 'phone');

  it('is what openssl makes of the same secret', () => {
    // printf phone | openssl dgst -sha256 -hmac secret
    expect(Buffer.from(key).toString('hex')).toBe(
      '7ae7c8bf7fd87c51b7038a35984d95cc66eb8567a9d50b8f9c671b62be1c87ff',
    );
  });

  it('stands for this terminal and this nonce only', () => {
    const proof = sessionProof(key, 'nonce');
    expect(isSessionProof(proof, key, 'nonce')).toBe(true);
    expect(isSessionProof(` ${proof} `, key, 'nonce')).toBe(true);
    expect(isSessionProof(proof, key, 'another')).toBe(false);
    expect(isSessionProof(proof, terminalKey('secret', 'pc'), 'nonce')).toBe(false);
    expect(isSessionProof(proof, terminalKey('other', 'phone'), 'nonce')).toBe(false);
    expect(isSessionProof('', key, 'nonce')).toBe(false);
    expect(isSessionProof(proof.replace('HMAC-SHA256', 'none'), key, 'nonce')).toBe(false);
  });
});
