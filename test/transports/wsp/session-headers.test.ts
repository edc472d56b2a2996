/** How a terminal shows who it is in a Connect: the key as the documentation has it made, the proof, the nonce, the headers. */
import { describe, expect, it } from 'vitest';
import { isSessionProof, terminalKey } from '../../../src/protocols/ota-http/index.js';
import { decodeHeaders, encodeHeaders } from '../../../src/protocols/wsp/index.js';
import {
  credentialHeaders,
  nonceTime,
  proofOf,
  readCredentials,
  wspTerminalKey,
} from '../../../src/transports/wsp/session-headers.js';
import { SirAddresses } from '../../../src/transports/wsp/sir-addresses.js';
import { FakeClock, T0 } from '../../support/fake-clock.js';
import { PC, PHONE } from '../../support/ota-names.js';

describe('the key', () => {
  const [secret, id] = ['a secret for terminals', 'abcdefghijklmnopqrstuv'];

  it('is what openssl makes of the recipe in docs/wsp.md', () => {
    // printf 'wsp %s' abcdefghijklmnopqrstuv | openssl dgst -sha256 -hmac 'a secret for terminals'
    const hex = Buffer.from(wspTerminalKey(secret, id)).toString('hex');
    expect(hex).toBe('4a93bb3893d4fcd5d62ce0e189117764060598016b1659a774718bd7e5493bd4');
  });

  it('proves nothing by OTA-HTTP', () => {
    const { nonce, proof } = proofOf(wspTerminalKey(secret, id), { now: T0, random: Buffer.alloc(12) });
    expect(isSessionProof(proof, wspTerminalKey(secret, id), nonce)).toBe(true);
    expect(isSessionProof(proof, terminalKey(secret, id), nonce)).toBe(false);
  });
});

it('headers come back from the wire', () => {
  const credentials = {
    sirId: 'sir.1',
    terminalId: PHONE,
    ...proofOf(Buffer.alloc(32), { now: T0, random: Buffer.alloc(12) }),
  };
  expect(readCredentials(decodeHeaders(encodeHeaders(credentialHeaders(credentials))))).toEqual(credentials);
  expect(readCredentials([{ name: 'X-Push-Sir-Id', value: '' }])).toEqual({});
});

it.each(['', 'abc', '1700000000', '1700000000-short', '-AAAAAAAAAAAA', '1700000000-AAAA AAAAAAA'])(
  '%j is no nonce',
  (nonce) => {
    expect(nonceTime(nonce)).toBeUndefined();
  },
);

describe('addresses at which SIRs were sent', () => {
  it('tell the one terminal there, as long as its SIR asks for a session', () => {
    const clock = new FakeClock();
    const addresses = new SirAddresses(clock);
    addresses.sent('192.0.2.7', PHONE, T0 + 1000);
    expect(addresses.only('192.0.2.7')).toBe(PHONE);
    expect(addresses.only('192.0.2.8')).toBeUndefined();
    clock.step(1000);
    expect(addresses.only('192.0.2.7')).toBeUndefined();
  });

  it('that several terminals share tell nothing', () => {
    const addresses = new SirAddresses(new FakeClock());
    addresses.sent('192.0.2.7', PHONE, T0 + 1000);
    addresses.sent('192.0.2.7', PC, T0 + 1000);
    expect(addresses.only('192.0.2.7')).toBeUndefined();
  });
});
