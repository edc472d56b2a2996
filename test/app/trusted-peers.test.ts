/** Who is believed to be the SIP core. */
import { expect, it } from 'vitest';
import { trustedPeers } from '../../src/app/sip.js';
import type { SipFlow } from '../../src/transports/sip-stack/sip-stack.js';

const isTrusted = trustedPeers({ sip: { trustedPeers: ['192.0.2.0/28', '2001:db8::5'] } });

it.each<[SipFlow['transport'], string, boolean]>([
  ['udp', '192.0.2.5', true],
  ['tcp', '192.0.2.5', true],
  ['tls', '192.0.2.5', true],
  ['udp', '2001:db8::5', true],
  ['udp', '192.0.2.16', false],
  // A reverse proxy on the core's machine speaks for anybody.
  ['ws', '192.0.2.5', false],
  ['wss', '192.0.2.5', false],
])('a peer by %s from %s: %s', (transport, address, expected) => {
  expect(isTrusted({ transport, address, port: 5060 })).toBe(expected);
});

it('an entry that is no network is named', () => {
  expect(() => trustedPeers({ sip: { trustedPeers: ['192.0.2.5', 'core.example.test'] } })).toThrow(
    'sip.trustedPeers[1]',
  );
});
