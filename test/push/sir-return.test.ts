/** What terminals tell after a SIR: who may, what is kept, and what a rejection does (SIR-62 … SIR-66, SIR-135, SIR-136). */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Refusal } from '../../src/push/refusal.js';
import type { SirRecord } from '../../src/push/sir.js';
import {
  decodeSirReturn,
  type ReturnSender,
  SIR_RETURN_LIMITS,
  signReturn,
  takeSirReturn,
} from '../../src/push/sir-return.js';
import { deviceIdentity } from '../../src/registry/device-identity.js';
import type { PublicUserIdentity } from '../../src/registry/public-user-identity.js';
import type { TerminalId } from '../../src/registry/terminal-id.js';
import type { Terminal } from '../../src/registry/user.js';
import { FakeClock } from '../support/fake-clock.js';
import { MemoryLaneStore } from '../support/memory-lane-store.js';
import { MemoryRegistry } from '../support/memory-registry.js';
import { ALICE, PC, PHONE } from '../support/pushes.js';

const IMEI = 'urn:gsma:imei:35209900-176148-1';
const UUID = 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6';
const KEY = 'a key of the phone, long enough';
const record: SirRecord = {
  id: `${PHONE}.abc`,
  user: ALICE,
  mode: 'routed',
  bearer: 'sms',
  terminal: PHONE,
  mayOpen: [PHONE],
  applicationId: 'x-wap-application:mms.ua',
  return: ['preference', 'rejection'],
  send: ['capability'],
  createdAt: 0,
  expiresAt: 60_000,
};

const HELD = { id: 'push', rank: 1 } as const;

let clock: FakeClock;
let lanes: MemoryLaneStore;
let registry: MemoryRegistry;
let sir: SirRecord;
let refused: { readonly terminal: TerminalId; readonly refusal: Refusal }[];
beforeEach(async () => {
  clock = new FakeClock();
  lanes = new MemoryLaneStore({ now: () => clock.now(), leastSirIntervalMs: 0 });
  registry = new MemoryRegistry(clock);
  sir = record;
  refused = [];
  await registry.putUser({ id: ALICE, aliases: [], policy: {} });
  await registry.putTerminal(terminal('phone', PHONE, deviceIdentity('imei', '352099001761481')));
  await registry.putTerminal(terminal('pc', PC, deviceIdentity('uuid', UUID)));
});

function terminal(name: string, id: TerminalId, identity: Terminal['identities'][number]): Terminal {
  return {
    id,
    user: ALICE,
    name,
    identities: [identity],
    activation: [],
    preferences: {},
    capabilities: {},
    origin: 'provisioned',
  };
}

const bytes = (body: unknown) => Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));

async function take(body: unknown, sender: ReturnSender = {}) {
  lanes.place(PHONE, HELD, { now: clock.now(), deadline: clock.now() + 1000 });
  return takeSirReturn(bytes(body), sender, {
    sirs: { find: async (id) => (id === sir.id ? sir : undefined) },
    registry,
    lanes,
    refused: async (who, refusal) => void refused.push({ terminal: who, refusal }),
    clock,
  });
}

const quiet = { quietHours: { from: '22:00', to: '06:00' } };
const preference = { sir: record.id, kind: 'preference', information: quiet };
const refusal = (code: string, detail: unknown = expect.any(String)) =>
  expect.objectContaining({ name: 'RefusedError', code, detail });

describe('information that was asked for', () => {
  it('is kept with the terminal, with a version and the time', async () => {
    expect(await take(preference)).toEqual({ terminal: PHONE, kind: 'preference', version: 1 });
    clock.step(5000);
    expect(await take(preference)).toMatchObject({ version: 2 });
    expect((await registry.findTerminal(PHONE))?.returned).toEqual({
      preference: { version: 2, at: clock.now(), information: quiet },
    });
  });

  it('may have been asked for as a message', async () => {
    const information = { maxMessageSize: 1000 };
    await take({ sir: record.id, kind: 'capability', information });
    expect((await registry.findTerminal(PHONE))?.reported?.returned?.maxMessageSize).toBe(1000);
  });

  it('is that of the terminal with the identity, however it is spelt', async () => {
    sir = { ...record, mayOpen: [PHONE, PC] };
    expect(await take({ ...preference, device: IMEI })).toMatchObject({ terminal: PHONE });
    expect(await take({ ...preference, device: UUID.toUpperCase() })).toMatchObject({ terminal: PC });
  });
});

describe('a return is refused', () => {
  it('when it cites nothing that was sent', async () => {
    await expect(take({ ...preference, sir: 'other' })).rejects.toEqual(refusal('notFound'));
  });

  it('when it was not asked for', async () => {
    await expect(take({ ...preference, kind: 'security' })).rejects.toEqual(refusal('forbidden'));
  });

  it('when the request was for another terminal', async () => {
    await expect(take({ ...preference, device: UUID })).rejects.toEqual(refusal('forbidden'));
  });

  it('when it could be from several terminals', async () => {
    sir = { ...record, mayOpen: [PHONE, PC] };
    await expect(take(preference)).rejects.toEqual(refusal('forbidden'));
  });

  it('when another user sent it', async () => {
    const user = 'sip:eve@example.test' as PublicUserIdentity;
    await expect(take(preference, { user })).rejects.toEqual(refusal('forbidden'));
    expect(await take(preference, { user: ALICE })).toMatchObject({ version: 1 });
  });

  it.each<[string, unknown]>([
    ['is no JSON', '{'],
    ['is not UTF-8', Buffer.from([0x22, 0xff, 0x22]).toString('latin1')],
    ['is no object', '"x"'],
    ['has no kind', { sir: record.id }],
    ['has a kind of its own', { ...preference, kind: 'mood' }],
    ['has no request', { kind: 'preference' }],
    ['has too long an id', { ...preference, sir: 'x'.repeat(SIR_RETURN_LIMITS.idLength + 1) }],
    ['has an identity that is none', { ...preference, device: 7 }],
  ])('when it %s', (_what, body) => {
    expect(() => decodeSirReturn(bytes(body))).toThrow(expect.objectContaining({ code: 'malformed' }));
  });

  it('when it is too large', () => {
    const body = bytes({ ...preference, information: 'x'.repeat(SIR_RETURN_LIMITS.bodyBytes) });
    expect(() => decodeSirReturn(body)).toThrow(expect.objectContaining({ code: 'limitExceeded' }));
  });
});

describe('where the terminal has a key', () => {
  beforeEach(() =>
    registry.changeTerminal(ALICE, PHONE, (before) => ({ ...(before as Terminal), sirKey: KEY })),
  );

  it('a sender that the carrier does not know has to sign', async () => {
    await expect(take(preference)).rejects.toEqual(refusal('forbidden'));
    const wrong = signReturn('another key', bytes(preference));
    await expect(take(preference, { signature: wrong })).rejects.toEqual(refusal('forbidden'));
    const signature = signReturn(KEY, bytes(preference));
    expect(await take(preference, { signature })).toMatchObject({ version: 1 });
    expect(await take(preference, { signature: `${signature}=` })).toMatchObject({ version: 2 });
  });

  it('a sender that the carrier knows need not', async () => {
    expect(await take(preference, { user: ALICE })).toMatchObject({ version: 1 });
  });
});

describe('a rejection', () => {
  it.each([
    ['as long as it says', 300, {}, 300],
    ['a day at most when the terminal is known', 1e9, { user: ALICE }, 86_400],
    ['an hour at most when it could be anybody who knows the SIR', 1e9, {}, 3600],
    ['not for ever', Number.MAX_VALUE, { user: ALICE }, 86_400],
  ])('that holds for a while makes the next SIR wait, %s', async (_, retryAfter, sender, seconds) => {
    await take({ sir: record.id, kind: 'rejection', information: { text: 'Later', retryAfter } }, sender);
    const until = clock.now() + seconds * 1000;
    expect(await lanes.view(PHONE)).toMatchObject({
      wake: { notBefore: until },
      wakes: [
        {
          sirId: record.id,
          bearer: 'sms',
          outcome: 'deferred',
          detail: `the terminal wants no request before ${new Date(until).toISOString()}: Later`,
        },
      ],
    });
  });

  it('that holds for a while gives nothing up', async () => {
    const information = { reason: 'userPostponed', text: 'The user wants it later', retryAfter: 300 };
    expect(await take({ sir: record.id, kind: 'rejection', information })).toEqual({
      terminal: PHONE,
      kind: 'rejection',
      isPostponed: true,
    });
    expect(refused).toEqual([]);
  });

  it('gives up what is held for the application, with the reason in one line', async () => {
    const information = { reason: 'userDeclined', text: 'on\r\nholiday' };
    expect(await take({ sir: record.id, kind: 'rejection', information })).toEqual({
      terminal: PHONE,
      kind: 'rejection',
    });
    expect(refused).toMatchObject([
      {
        terminal: PHONE,
        refusal: {
          entries: [HELD],
          applicationId: record.applicationId,
          detail: 'userDeclined: on holiday',
        },
      },
    ]);
  });

  it.each([undefined, null, 'x', { reason: 7 }, []])('needs no reason (%j)', async (information) => {
    sir = { ...record, return: [] };
    await take({ sir: record.id, kind: 'rejection', information });
    expect(refused[0]?.refusal.detail).toBe('no reason given');
  });
});
