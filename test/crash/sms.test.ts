/**
 * Pushes by SMS (SIR-84) at their worst. SMSCs that drop, delay, throttle, answer twice, lie about ids, and hang up in the middle of a window, and a gateway that is killed meanwhile. What becomes of
 * each push is known beforehand from what its SMSC will say of it, so the count is exact: what went in is delivered, undeliverable or timed out, each
 * push as it must be, and no terminal sees one twice as new.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ContentReceiving } from '../../src/terminal/content-receiving.js';
import { ReceivedIds } from '../../src/terminal/received-ids.js';
import { SmsReceiving } from '../../src/terminal/sms-receiving.js';
import { chance, seedOfRun } from '../support/crash-chance.js';
import { E2eGateway } from '../support/e2e-gateway.js';
import { Initiator } from '../support/e2e-initiator.js';
import { type Behaviour, Smsc, type Taken } from '../support/smsc.js';

const SEED = seedOfRun();
const LIMIT_MS = 300_000;
const PUSHES = 72;
const KILLS = 3;
/**
 * Of pushes that nobody will ever report on, from their submission on: time enough for their SMSC to take them, trouble, kills and
 * a busy machine notwithstanding.
 */
const DEADLINE_MS = 30_000;
/** How long a push may go on after it. */
const PATIENCE_MS = 120_000;

/** What an SMSC says in the end of a push to a number. */
const FATES = ['good', 'good', 'good', 'failing', 'lying', 'mute'] as const;
type Fate = (typeof FATES)[number];
const isReported = (fate: Fate) => fate === 'good' || fate === 'failing';
const ENDS: Readonly<Record<Fate, string>> = {
  good: 'delivered',
  failing: 'undeliverable',
  lying: 'timeout',
  mute: 'timeout',
};

interface Subscriber {
  readonly number: string;
  readonly fate: Fate;
  readonly pushId: string;
  readonly content: string;
  readonly receiving: SmsReceiving;
  readonly seen: { readonly id: string; readonly text: string; readonly isDuplicate: boolean }[];
}

describe(`pushes by SMS over bad links (CARILLON_SEED=${SEED})`, () => {
  const random = chance(SEED);
  /** Of a hundred submissions each trouble has its share. */
  let lots: number[] = [];
  const subscribers = new Map<string, Subscriber>();
  const receipts = new Set<Promise<void>>();
  let smsc: Smsc;
  let gateway: E2eGateway;
  let isOver = false;
  const states = new Map<string, string>();

  /** What happens to one submission, whatever is said of the message later. */
  function trouble(): Behaviour {
    if (lots.length === 0) lots = Array.from({ length: 100 }, (_, index) => index);
    const [lot = 0] = lots.splice(random.between(0, lots.length - 1), 1);
    if (lot < 8) return { status: 0x58 };
    if (lot < 12) return { status: 0x14 };
    if (lot < 20) return { isSilent: true };
    if (lot < 28) return { isSilent: true, isTaken: true };
    if (lot < 30) return { hangsUp: true };
    if (lot < 32) return { hangsUp: true, isTaken: true };
    if (lot < 55) return { delayMs: random.between(1, 80) };
    if (lot < 65) return { responses: 3 };
    return {};
  }

  /** Until the gateway has it, as an SMSC does. */
  async function report(message: Taken, stat: string, id: string): Promise<void> {
    await pause(random.between(0, 300));
    const times = random.between(1, 2);
    for (let done = 0; done < times && !isOver; ) {
      const status = await deliver(message, stat, id);
      if (status === 0) done += 1;
      else await pause(100);
    }
  }

  async function deliver(message: Taken, stat: string, id: string): Promise<number> {
    try {
      return await Promise.race([
        smsc.receipt(message, { stat, id, over: undefined }),
        pause(3000).then(() => -1),
      ]);
    } catch {
      return -1; // nobody is bound, or the connection broke
    }
  }

  function taken(message: Taken): void {
    const subscriber = subscribers.get(message.destination);
    if (!subscriber) throw new Error(`a message to ${message.destination}, whom nobody sent anything`);
    void subscriber.receiving.receive({ from: message.source, userData: message.userData, hasHeader: true });
    const { fate } = subscriber;
    if (fate === 'mute') return;
    const id = fate === 'lying' ? `f${message.messageId}f` : message.messageId;
    const reported = report(message, fate === 'failing' ? 'UNDELIV' : 'DELIVRD', id);
    receipts.add(reported);
    void reported.finally(() => receipts.delete(reported));
  }

  beforeAll(async () => {
    smsc = await Smsc.start({ behave: () => trouble() });
    smsc.onTaken = taken;
    const link = {
      host: '127.0.0.1',
      port: smsc.port,
      password: 'secret',
      reconnectSeconds: [1],
      throttleSeconds: [1],
      responseTimeoutMs: 700,
      window: 5,
    };
    gateway = await E2eGateway.start({
      CARILLON_WAKE_RETRY_SECONDS: '[1]',
      CARILLON_LANE_LEASE_SECONDS: '2',
      CARILLON_SMPP: JSON.stringify([
        { ...link, name: 'a', systemId: 'link-a' },
        { ...link, name: 'b', systemId: 'link-b' },
      ]),
    });
    const initiator = new Initiator(gateway);
    for (let index = 0; index < PUSHES; index += 1) await subscribe(index);
    const kills = new Set(
      Array.from({ length: KILLS }, (_, kill) => Math.floor(((kill + 1) * PUSHES) / (KILLS + 1))),
    );
    let count = 0;
    // Those with a deadline first: they have the most to go through before it.
    const inOrder = [...subscribers.values()].sort((a, b) => +isReported(a.fate) - +isReported(b.fate));
    for (const { number, fate, pushId, content } of inOrder) {
      const to = `WAPPUSH=+${number}/TYPE=PLMN@ppg.carillon.test`;
      const order = {
        pushId,
        to,
        content,
        ...(isReported(fate) ? {} : { deliverBefore: Date.now() + DEADLINE_MS }),
      };
      await initiator.push(order);
      count += 1;
      if (!kills.has(count)) continue;
      await pause(random.between(0, 300));
      await gateway.crashAndRestart();
    }
    for (const { pushId } of subscribers.values()) states.set(pushId, await ended(pushId));
    isOver = true;
    await Promise.all(receipts);
  }, LIMIT_MS);
  afterAll(async () => {
    isOver = true;
    await gateway?.[Symbol.asyncDispose]();
    await smsc?.[Symbol.asyncDispose]();
  }, LIMIT_MS);

  async function subscribe(index: number): Promise<void> {
    const number = `4366470${String(index).padStart(5, '0')}`;
    const user = `sip:subscriber${index}@crash.test`;
    await gateway.addUser(user, {}, { aliases: [`tel:+${number}`] });
    const identities = [
      { kind: 'uuid', value: `urn:uuid:00000000-0000-4000-8000-${String(index).padStart(12, '0')}` },
    ];
    await gateway.addTerminal(user, 'phone', {
      identities,
      activation: [{ bearer: 'sms', address: `+${number}` }],
    });
    const fate = FATES[index % FATES.length] ?? 'good';
    const seen: Subscriber['seen'] = [];
    const content = new ContentReceiving({
      ids: await ReceivedIds.open(),
      take: undefined,
      events: {
        emit: (event) => {
          if (event.kind !== 'content') return;
          const { id, bytes } = event.content;
          seen.push({ id, text: Buffer.from(bytes).toString(), isDuplicate: event.isDuplicate });
        },
      },
    });
    const sirs = { judge: () => Promise.reject(new Error('no SIR')), follow: async () => {} };
    const receiving = new SmsReceiving({ sirs, content, events: { emit: () => {} } });
    const text = `push ${index} ${'x'.repeat(index % 3 === 0 ? 250 : 20)}`;
    subscribers.set(number, { number, fate, pushId: `${index}@pi`, content: text, receiving, seen });
  }

  /** Its last state, or that in which it stayed for longer than anything may take. */
  async function ended(pushId: string): Promise<string> {
    const until = Date.now() + DEADLINE_MS + PATIENCE_MS;
    for (;;) {
      const { recipients } = await gateway.push(pushId);
      const state = recipients[0]?.state ?? 'none';
      if (state !== 'pending' || Date.now() > until) return state;
      await pause(100);
    }
  }

  it('in = delivered + accounted for, each push as its message centre had it', () => {
    const expected = [...subscribers.values()].map(({ pushId, fate }) => [pushId, ENDS[fate]]);
    expect([...states]).toEqual(expected);
  });

  it('what counts as delivered has reached its terminal, whole', () => {
    const missing = [...subscribers.values()].filter(
      ({ pushId, content, seen }) =>
        states.get(pushId) === 'delivered' && !seen.some(({ text }) => text === content),
    );
    expect(missing.map(({ pushId }) => pushId)).toEqual([]);
  });

  it('no terminal has seen a push twice as new, nor anything that nobody sent it', () => {
    for (const { pushId, content, seen } of subscribers.values()) {
      expect(seen.filter(({ isDuplicate }) => !isDuplicate).length, pushId).toBeLessThanOrEqual(1);
      expect(
        new Set(seen.map(({ text }) => text)).size === 0 || seen.every(({ text }) => text === content),
      ).toBe(true);
    }
  });

  it('was put to the test', () => {
    expect(smsc.count).toBeGreaterThan(PUSHES * 1.3);
    expect(smsc.binds.length).toBeGreaterThan(2 * (KILLS + 1));
  });
});
