/** Users and terminals from untrusted JSON: what is taken, what is refused and by which path. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../src/kernel/errors.js';
import { publicUserIdentity } from '../../src/registry/public-user-identity.js';
import { terminalId } from '../../src/registry/terminal-id.js';
import { terminalFromJson, userFromJson } from '../../src/registry/validation.js';

const alice = publicUserIdentity('sip:alice@example.test');
const realm = 'example.test';
const user = (body: unknown) => userFromJson(alice, body, { realm });
const terminal = (body: unknown) => terminalFromJson(alice, 'phone', body);
const hex = (algorithm: string, text: string) => createHash(algorithm).update(text).digest('hex');

describe('a user', () => {
  it('needs nothing', () => {
    expect(user({})).toEqual({ id: alice, aliases: [], policy: {} });
  });

  it('has canonical aliases, each once and none its own identity', () => {
    const body = {
      aliases: ['tel:+43-664-1', 'tel:+436641', 'SIP:alice@EXAMPLE.test', 'mailto:a@Example.test'],
    };
    expect(user(body).aliases).toEqual(['tel:+436641', 'mailto:a@example.test']);
  });

  it('keeps H(A1) of both algorithms instead of the password', () => {
    const { sip } = user({ sip: { username: 'alice', password: 'wonder:land' } });
    expect(sip).toEqual({
      username: 'alice',
      realm,
      ha1: {
        md5: hex('md5', 'alice:example.test:wonder:land'),
        sha256: hex('sha256', 'alice:example.test:wonder:land'),
      },
    });
  });

  it('keeps its credentials when the body is silent about them', () => {
    const existing = user({ sip: { username: 'alice', password: 'x' } });
    expect(userFromJson(alice, {}, { realm, existing }).sip).toEqual(existing.sip);
  });

  it('loses its credentials by null', () => {
    const existing = user({ sip: { username: 'alice', password: 'x' } });
    expect(userFromJson(alice, { sip: null }, { realm, existing })).not.toHaveProperty('sip');
  });

  it('takes its policy', () => {
    expect(user({ policy: { target: 'newest-registered' } }).policy).toEqual({ target: 'newest-registered' });
  });
});

describe('a terminal', () => {
  it('needs nothing, and is then woken by SIP', () => {
    expect(terminal({})).toEqual({
      id: terminalId(alice, 'phone'),
      user: alice,
      name: 'phone',
      identities: [],
      activation: [{ bearer: 'sip' }],
      preferences: {},
      capabilities: {},
      origin: 'provisioned',
    });
  });

  it('takes everything that the contract names', () => {
    const body = {
      identities: [
        { kind: 'uuid', value: 'urn:uuid:F81D4FAE-7dec-11d0-a765-00a0c91e6bf6' },
        { kind: 'imei', value: 'urn:gsma:imei:90420156-025763-0' },
      ],
      activation: [
        { bearer: 'sip' },
        { bearer: 'sms', address: '+43 664 1234567' },
        { bearer: 'wsp', address: '127.0.0.1' },
      ],
      subscriptions: ['x-wap-application:mms.ua', 'x-wap-application:mms.ua'],
      preferences: { quiet: { from: 22 } },
      capabilities: { accept: ['text/plain'] },
    };
    expect(terminal(body)).toMatchObject({
      identities: [
        {
          kind: 'uuid',
          value: 'urn:uuid:F81D4FAE-7dec-11d0-a765-00a0c91e6bf6',
          canonical: 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
        },
        { kind: 'imei', canonical: 'urn:gsma:imei:90420156-025763-0' },
      ],
      activation: [
        { bearer: 'sip' },
        { bearer: 'sms', address: '+436641234567' },
        { bearer: 'wsp', address: '127.0.0.1:2948' },
      ],
      subscriptions: ['x-wap-application:mms.ua'],
      preferences: { quiet: { from: 22 } },
      capabilities: { accept: ['text/plain'] },
    });
  });

  it('keeps two spellings of one identity once', () => {
    const body = {
      identities: [
        { kind: 'imei', value: '904201560257630' },
        { kind: 'imei', value: '90420156-025763-7' },
      ],
    };
    expect(terminal(body).identities).toEqual([
      { kind: 'imei', value: '904201560257630', canonical: 'urn:gsma:imei:90420156-025763-0' },
    ]);
  });
});

const REFUSED: readonly (readonly [string, () => unknown, RegExp])[] = [
  ['a body that is no object', () => terminal([]), /^body: /],
  ['no body', () => user(undefined), /^body: /],
  ['an unknown key', () => terminal({ identitys: [] }), /identitys/],
  [
    'a wrong identity',
    () => terminal({ identities: [{ kind: 'imei', value: '1' }] }),
    /^identities\[0\]\.value: an IMEI/,
  ],
  [
    'an unknown kind',
    () => terminal({ identities: [{ kind: 'imsi', value: '1' }] }),
    /^identities\[0\]\.kind: /,
  ],
  [
    'an identity without a value',
    () => terminal({ identities: [{ kind: 'imei' }] }),
    /^identities\[0\]\.value: /,
  ],
  [
    '33 identities',
    () =>
      terminal({ identities: Array.from({ length: 33 }, (_, n) => ({ kind: 'other', value: `x-n:${n}` })) }),
    /^identities: /,
  ],
  [
    '9 activation methods',
    () => terminal({ activation: Array.from({ length: 9 }, () => ({ bearer: 'sip' })) }),
    /^activation: /,
  ],
  ['an unknown bearer', () => terminal({ activation: [{ bearer: 'fax' }] }), /^activation\[0\]\.bearer: /],
  [
    'SMS without a number',
    () => terminal({ activation: [{ bearer: 'sip' }, { bearer: 'sms' }] }),
    /^activation\[1\]\.address: bearer sms needs/,
  ],
  [
    'SMS to a national number',
    () => terminal({ activation: [{ bearer: 'sms', address: '0664123' }] }),
    /^activation\[0\]\.address: not an international/,
  ],
  [
    'WSP to a bad port',
    () => terminal({ activation: [{ bearer: 'wsp', address: '127.0.0.1:0' }] }),
    /host:port/,
  ],
  [
    'OTA-HTTP to a file',
    () => terminal({ activation: [{ bearer: 'ota-http', address: 'file:///etc/passwd' }] }),
    /must start with/,
  ],
  [
    'a call-back with a password in it',
    () => terminal({ activation: [{ bearer: 'http-callback', address: 'http://a:b@h/' }] }),
    /credentials/,
  ],
  [
    'web push in the clear',
    () => terminal({ activation: [{ bearer: 'web-push', address: 'http://h/' }] }),
    /must start with/,
  ],
  [
    'a SIP address that is none',
    () => terminal({ activation: [{ bearer: 'sip', address: 'tel:+43664' }] }),
    /^activation\[0\]\.address: a tel URI where sip is needed/,
  ],
  [
    'deep preferences',
    () => terminal({ preferences: JSON.parse(`${'{"a":'.repeat(10)}1${'}'.repeat(10)}`) }),
    /^preferences: nested/,
  ],
  ['preferences that are a list', () => terminal({ preferences: [1] }), /^preferences: /],
  ['a body of more than 64 KiB', () => terminal({ preferences: { a: 'x'.repeat(65_536) } }), /^body: larger/],
  ['an empty terminal name', () => terminalFromJson(alice, '', {}), /^terminal name: /],
  ['a terminal name with a line break', () => terminalFromJson(alice, 'a\nb', {}), /^terminal name: /],
  ['a bad alias', () => user({ aliases: ['tel:+43664', 'bob'] }), /^aliases\[1\]: a public user identity is/],
  [
    'a username with a colon',
    () => user({ sip: { username: 'a:b', password: 'x' } }),
    /^sip\.username: must not/,
  ],
  ['credentials without a password', () => user({ sip: { username: 'a' } }), /^sip\.password: /],
  ['an unknown policy', () => user({ policy: { target: 'random' } }), /^policy\.target: /],
];

describe('refused, with the path', () => {
  for (const [what, attempt, message] of REFUSED) {
    it(what, () => {
      let thrown: unknown;
      try {
        attempt();
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(DecodeError);
      expect((thrown as DecodeError).detail).toMatch(message);
    });
  }

  it('never shows the password in the message', () => {
    expect(() => user({ sip: { username: 'a', password: 's3cret\n' } })).toThrow(/^(?!.*s3cret)/s);
  });
});

describe('capabilities of a terminal', () => {
  const capabilities = (value: unknown) =>
    terminalFromJson(alice, 'phone', { capabilities: value }).capabilities;

  it('keep keys that the gateway does not know', () => {
    expect(capabilities({ hologram: [{ depth: 3 }], maxMessageSize: 5 })).toEqual({
      hologram: [{ depth: 3 }],
      maxMessageSize: 5,
    });
  });

  it('have a profile that was given as RDF as its attributes', () => {
    const rdf =
      '<?xml version="1.0" encoding="iso-8859-1"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:prf="http://www.wapforum.org/profiles/UAPROF/ccppschema-20010430#"><prf:HardwarePlatform><prf:Vendor>Großmann</prf:Vendor></prf:HardwarePlatform></rdf:RDF>';
    expect(capabilities({ uaProf: rdf })).toEqual({ uaProf: { Vendor: 'Großmann' } });
  });

  it.each([
    ['capabilities.accept[0]', { accept: [5] }],
    ['capabilities.maxMessageSize', { maxMessageSize: -1 }],
    ['capabilities.uaProfUrl', { uaProfUrl: 'file:///etc/passwd' }],
    ['capabilities.uaProf', { uaProf: '<rdf:RDF/>' }],
    ['capabilities.uaProf', { uaProf: { 'Model/': 'x' } }],
  ])('are refused with the path %s', (path, value) => {
    expect(() => capabilities(value)).toThrow(path);
  });
});
