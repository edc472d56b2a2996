/** The alarm clock on a real Redis: alarms ring once, at their time or earlier when promoted, and are never mistaken for each other. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { PushUid } from '../../src/push/push-message.js';
import { type AlarmTasks, BullAlarms } from '../../src/queues/alarms.js';
import type { TerminalId } from '../../src/registry/terminal-id.js';
import { TestRedis } from '../support/redis.js';

const PHONE = 'phone' as TerminalId;
const PUSH = 'push' as PushUid;
const LATER_MS = 3_600_000;

let redis: TestRedis;
let clock: BullAlarms | undefined;
let run = 0;

beforeAll(async () => {
  redis = await TestRedis.start();
});
afterEach(async () => {
  await clock?.[Symbol.asyncDispose]();
  clock = undefined;
});
afterAll(() => redis.stop());

/** What rang, as values; `next` waits for one more. */
class Bell {
  readonly #waiting: ((rung: string) => void)[] = [];
  readonly #rung: string[] = [];

  ring(what: string): void {
    const waiter = this.#waiting.shift();
    if (waiter) waiter(what);
    else this.#rung.push(what);
  }

  next(): Promise<string> {
    const rung = this.#rung.shift();
    return rung === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(rung);
  }
}

async function startClock(
  bell: Bell,
  tasks: Partial<AlarmTasks> = {},
  sweepEveryMs = LATER_MS,
): Promise<BullAlarms> {
  run += 1;
  const alarms = new BullAlarms(() => redis.client('worker'), {
    prefix: `{alarms-${run}}`,
    lanesAtOnce: 4,
    resultsAtOnce: 4,
    sweepEveryMs,
    now: () => Date.now(),
    onError: (what, error) => bell.ring(`error ${what}: ${String(error)}`),
  });
  clock = alarms;
  await alarms.start({
    runLane: async (terminal) => bell.ring(`lane ${terminal}`),
    notifyResult: async (uid, recipient) => bell.ring(`result ${uid} ${recipient}`),
    sweep: async () => {},
    ...tasks,
  });
  return alarms;
}

describe('an alarm', () => {
  it('for a moment that has passed rings at once', async () => {
    const bell = new Bell();
    const alarms = await startClock(bell);
    await alarms.laneDue(PHONE, Date.now() - 1000);
    expect(await bell.next()).toBe('lane phone');
  });

  it('for a result names push and recipient', async () => {
    const bell = new Bell();
    const alarms = await startClock(bell);
    await alarms.resultDue(PUSH, 3, Date.now());
    expect(await bell.next()).toBe('result push 3');
  });

  it('for later rings at once when its lane is promoted', async () => {
    const bell = new Bell();
    const alarms = await startClock(bell);
    const at = Date.now() + LATER_MS;
    await alarms.laneDue(PHONE, at);
    await alarms.promoteLane(PHONE, at);
    expect(await bell.next()).toBe('lane phone');
  });

  it('that is set again for the same moment while its promoted job runs is not lost', async () => {
    const bell = new Bell();
    const at = Date.now() + LATER_MS;
    const alarms = await startClock(bell, {
      async runLane(terminal) {
        await alarms.laneDue(terminal, at);
        bell.ring('ran');
      },
    });
    await alarms.laneDue(PHONE, at);
    await alarms.promoteLane(PHONE, at);
    expect(await bell.next()).toBe('ran');
    await alarms.promoteLane(PHONE, at);
    expect(await bell.next()).toBe('ran');
  });

  it('that was never set is not promoted', async () => {
    const bell = new Bell();
    const alarms = await startClock(bell);
    await alarms.promoteLane(PHONE, Date.now() + LATER_MS);
    await alarms.resultDue(PUSH, 0, Date.now());
    expect(await bell.next()).toBe('result push 0');
  });
});

describe('the sweep', () => {
  it('comes again and again', async () => {
    const bell = new Bell();
    await startClock(bell, { sweep: async () => bell.ring('sweep') }, 50);
    expect([await bell.next(), await bell.next(), await bell.next()]).toEqual(['sweep', 'sweep', 'sweep']);
  });
});
