/** The body of a SIR is read by a terminal as it was meant, whatever it says; and its signature covers all of it (SIR-71, SIR-142, SIR-146, SIR-150). */
import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type SirSender, siaFor, signedSia } from '../../src/bearers/sir-body.js';
import { decodeSia, encodeSia, ipOfContactPoint } from '../../src/protocols/sia/index.js';
import type { Sir } from '../../src/push/sir.js';
import { sirOfBody } from '../../src/terminal/sir.js';
import { seeded } from '../protocols/sia/random-sia.js';
import { randomSir } from '../support/random-sir.js';

const SENDER: SirSender = {
  ppgUri: 'sip:ppg@example.test',
  contactPoint: { address: '192.0.2.1', port: 5060 },
  otaHttp: { address: '192.0.2.2', port: 4035 },
};

it('10,000 SIRs of every kind are read as they were meant', () => {
  const random = seeded(160);
  for (let count = 0; count < 10_000; count += 1) {
    const sir = randomSir(random);
    const read = sirOfBody(encodeSia(signedSia(sir, SENDER)), 'sms');
    expect({
      id: read.citableId,
      user: read.user,
      devices: read.devices.map(({ canonical }) => canonical),
      application: read.application,
      applicationIds: read.applicationIds,
      gateway: read.gateway,
      expiresAt: read.expiresAt,
      return: read.return,
      send: read.send,
      isSigned: read.signature !== undefined,
    }).toEqual({
      id: sir.id,
      user: sir.user,
      devices: sir.device && sir.identityIn.includes('body') ? [sir.device.canonical] : [],
      application: sir.activate ?? { id: sir.applicationId },
      applicationIds: [sir.applicationId],
      gateway: sir.ppg ?? SENDER.ppgUri,
      expiresAt: sir.expiresAt,
      return: sir.return,
      send: sir.send,
      isSigned: sir.signingKey !== undefined,
    });
  }
}, 60_000);

describe('the signature', () => {
  const sir = { ...randomSir(seeded(3)), signingKey: 'the key that phone and gateway share' };
  const sign = (octets: Uint8Array) =>
    createHmac('sha256', sir.signingKey).update(octets).digest('base64url');

  it('is the HMAC-SHA-256 of everything in front of it', () => {
    const { signature } = sirOfBody(encodeSia(signedSia(sir, SENDER)), 'sms');
    expect(signature?.value).toBe(sign(signature?.signed ?? new Uint8Array()));
  });

  it('holds for no other octets', () => {
    const octets = encodeSia(signedSia(sir, SENDER));
    const text = Buffer.from(octets).toString('latin1');
    const changed = Buffer.from(text.replace('impu=', 'impU='), 'latin1');
    expect(changed.equals(octets)).toBe(false);
    const { signature } = sirOfBody(changed, 'sms');
    expect(signature?.value).not.toBe(sign(signature?.signed ?? new Uint8Array()));
  });
});

const TAG = Buffer.from([1, 2, 3, 4]);

/** As a terminal reads it. */
function read(sir: Sir, sender: SirSender = SENDER) {
  const { contactPoints, protocolOptions, cpiTags } = decodeSia(encodeSia(siaFor(sir, sender)));
  return {
    points: contactPoints.map((point) => `${ipOfContactPoint(point)}:${point.port}`),
    options: protocolOptions,
    tags: cpiTags.map((tag) => Buffer.from(tag).toString('hex')),
  };
}

const SIR = randomSir(seeded(7));

describe('the body of a SIR', () => {
  it('offers SIP alone to a terminal that does not know OTA-HTTP', () => {
    expect(read(SIR)).toEqual({ points: ['192.0.2.1:5060'], options: [256], tags: [] });
  });

  it('offers both to one that does, OTA-HTTP first', () => {
    expect(read({ ...SIR, otaHttp: {} })).toEqual({
      points: ['192.0.2.2:4035', '192.0.2.1:5060'],
      options: [0, 256],
      tags: [],
    });
  });

  it('carries the tag by which the terminal is known', () => {
    expect(read({ ...SIR, otaHttp: { cpiTag: TAG } })).toMatchObject({
      options: [1, 256],
      tags: ['01020304'],
    });
  });

  it('offers no OTA-HTTP when the gateway does not listen for it', () => {
    const { ppgUri, contactPoint } = SENDER;
    const sir = { ...SIR, otaHttp: { cpiTag: TAG } };
    expect(read(sir, { ppgUri, contactPoint })).toEqual({
      points: ['192.0.2.1:5060'],
      options: [256],
      tags: [],
    });
  });

  it('offers a WSP session to one that speaks WSP, where the gateway takes them', () => {
    const wspPoints = (sir: Sir, sender: SirSender) =>
      decodeSia(encodeSia(siaFor(sir, sender))).wspContactPoints.map(
        (point) => `${ipOfContactPoint(point)}:${point.port}`,
      );
    const sender = { ...SENDER, wsp: { address: '192.0.2.3', port: 9201 } };
    expect(wspPoints({ ...SIR, wsp: true }, sender)).toEqual(['192.0.2.3:9201']);
    expect(wspPoints({ ...SIR, wsp: true }, SENDER)).toEqual([]);
    expect(wspPoints(SIR, sender)).toEqual([]);
  });

  it('names no point where only a name is known', () => {
    const sender = { ...SENDER, otaHttp: { address: 'push.example.test', port: 4035 } };
    expect(read({ ...SIR, otaHttp: {} }, sender)).toMatchObject({
      points: ['192.0.2.1:5060'],
      options: [0, 256],
    });
  });
});
