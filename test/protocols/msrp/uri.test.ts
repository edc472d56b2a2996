import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../../src/kernel/errors.js';
import { formatMsrpUri, parseMsrpUri, sameMsrpSession } from '../../../src/protocols/msrp/index.js';

const plain = {
  scheme: 'msrp',
  userinfo: undefined,
  host: 'a.example.com',
  port: 49154,
  sessionId: '2s93i9ek2a',
  transport: 'tcp',
  parameters: '',
} as const;

const VALID = [
  ['a usual one', 'msrp://a.example.com:49154/2s93i9ek2a;tcp', plain],
  [
    'one over TLS without a port',
    'msrps://h/x;tcp',
    { ...plain, scheme: 'msrps', host: 'h', port: undefined, sessionId: 'x' },
  ],
  [
    'an IPv6 literal',
    'msrp://[2001:db8::9]:8493/asfd34;tcp',
    { ...plain, host: '2001:db8::9', port: 8493, sessionId: 'asfd34' },
  ],
  [
    'an IPv6 literal without a port',
    'msrp://[::1]/s;tcp',
    { ...plain, host: '::1', port: undefined, sessionId: 's' },
  ],
  ['userinfo', 'msrp://bob@h:1/s;tcp', { ...plain, userinfo: 'bob', host: 'h', port: 1, sessionId: 's' }],
  [
    'userinfo with a semicolon',
    'msrp://b;x=1@h:1/s;tcp',
    { ...plain, userinfo: 'b;x=1', host: 'h', port: 1, sessionId: 's' },
  ],
  [
    'a slash, plus and equals in the session-id',
    'msrp://h:1/a/b+c=;tcp',
    { ...plain, host: 'h', port: 1, sessionId: 'a/b+c=' },
  ],
  [
    'parameters',
    'msrp://h:1/s;tcp;a=b;c',
    { ...plain, host: 'h', port: 1, sessionId: 's', parameters: ';a=b;c' },
  ],
  [
    'a relay without a session-id',
    'msrps://relay.example.com:9000;tcp',
    { ...plain, scheme: 'msrps', host: 'relay.example.com', port: 9000, sessionId: undefined },
  ],
  [
    'another transport',
    'msrp://h:1/s;sctp',
    { ...plain, host: 'h', port: 1, sessionId: 's', transport: 'sctp' },
  ],
] as const;

describe('parseMsrpUri', () => {
  it.each(VALID)('reads %s', (_, text, uri) => {
    expect(parseMsrpUri(text)).toEqual(uri);
  });

  it.each(VALID)('formats %s as it was', (_, text, uri) => {
    expect(formatMsrpUri(uri)).toBe(text);
  });

  it('takes scheme, host and transport without regard to case', () => {
    expect(parseMsrpUri('MSRP://Host.Example:1/Ab;TCP')).toEqual({
      ...plain,
      host: 'host.example',
      port: 1,
      sessionId: 'Ab',
    });
  });

  it.each([
    '',
    'sip:bob@example.com',
    'msrp:h/s;tcp',
    'msrp:///s;tcp',
    'msrp://h:1/s',
    'msrp://h:1/s;',
    'msrp://h:1/;tcp',
    'msrp://h:x/s;tcp',
    'msrp://h:65536/s;tcp',
    'msrp://h:/s;tcp',
    'msrp://[::1/s;tcp',
    'msrp://[::1]x/s;tcp',
    'msrp://[zz]/s;tcp',
    'msrp://h h/s;tcp',
    'msrp://h/s s;tcp',
    'msrp://h/s;tcp;=x',
    'msrp://h/s;t-p',
    'msrp://a b@h/s;tcp',
    `msrp://h/${'s'.repeat(1100)};tcp`,
  ])('refuses %j', (text) => {
    expect(() => parseMsrpUri(text)).toThrow(DecodeError);
  });
});

describe('the session of two MSRP URIs', () => {
  const base = 'msrp://host:1/Sess;tcp';
  it.each([
    ['the same', base, true],
    ['userinfo', 'msrp://u@host:1/Sess;tcp', true],
    ['parameters', 'msrp://host:1/Sess;tcp;x=1', true],
    ['another port', 'msrp://host:2/Sess;tcp', true],
    ['no port', 'msrp://host/Sess;tcp', true],
    ['another host and port', 'msrp://10.0.0.1:7/Sess;tcp', true],
    ['another case of the session-id', 'msrp://host:1/sess;tcp', false],
    ['another scheme', 'msrps://host:1/Sess;tcp', false],
    ['another transport', 'msrp://host:1/Sess;sctp', false],
  ])('compares with %s', (_, other, expected) => {
    expect(sameMsrpSession(parseMsrpUri(base), parseMsrpUri(other))).toBe(expected);
  });

  it('never takes two URIs without a session for the same session', () => {
    const relay = parseMsrpUri('msrp://relay:1;tcp');
    expect(sameMsrpSession(relay, relay)).toBe(false);
  });
});
