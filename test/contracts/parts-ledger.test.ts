/** What a ledger of parts keeps and finds again: in memory and in Redis. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CarriedPart, PartName, PartsLedger } from '../../src/push/parts.js';
import type { TerminalId } from '../../src/registry/terminal-id.js';
import { RedisPartsLedger } from '../../src/stores/redis-parts-ledger.js';
import { MemoryPartsLedger } from '../support/memory-parts-ledger.js';
import { TestRedis } from '../support/redis.js';

const TERMINAL = 'AAAAAAAAAAAAAAAAAAAAAA' as TerminalId;
const ADDRESS = '436641234567';
const UNTIL = Date.now() + 60_000;

let count = 0;
function part(number = 1, total = 3): CarriedPart {
  if (number === 1) count += 1;
  const id = count.toString(16).padStart(32, '0');
  return { what: 'push', id, terminal: TERMINAL, bearer: 'sms', number, total };
}
const name = (id: string, more: Partial<PartName> = {}): PartName => ({
  centre: 'a',
  id,
  address: '4567',
  ...more,
});

describe.each(['memory', 'redis'] as const)('the ledger of parts in %s', (kind) => {
  let redis: TestRedis | undefined;
  let ledger: PartsLedger;
  beforeAll(async () => {
    if (kind === 'redis') redis = await TestRedis.start();
    ledger = redis
      ? new RedisPartsLedger(redis.client(), { now: () => Date.now(), keptMs: 60_000 })
      : new MemoryPartsLedger();
  });
  afterAll(() => redis?.stop());

  it('gives a message the same reference each time, and the next message to the address another one', async () => {
    const [first, second] = [part(), part()];
    const opened = await ledger.open(first, { address: ADDRESS, until: UNTIL });
    expect(opened.parts).toEqual(['open', 'open', 'open']);
    expect(await ledger.open(first, { address: ADDRESS, until: UNTIL })).toEqual(opened);
    const { reference } = await ledger.open(second, { address: ADDRESS, until: UNTIL });
    expect(reference).not.toBe(opened.reference);
  });

  it('raises what is known of a part, and never lowers it', async () => {
    const first = part();
    await ledger.open(first, { address: ADDRESS, until: UNTIL });
    const second = { ...first, number: 2 };
    expect(await ledger.raise(first, 'accepted', { until: UNTIL })).toEqual(['accepted', 'open', 'open']);
    expect(await ledger.raise(second, 'delivered', { until: UNTIL })).toEqual([
      'accepted',
      'delivered',
      'open',
    ]);
    expect(await ledger.raise(second, 'accepted', { until: UNTIL })).toEqual([
      'accepted',
      'delivered',
      'open',
    ]);
    expect(await ledger.raise(first, 'failed', { until: UNTIL })).toEqual(['failed', 'delivered', 'open']);
    expect((await ledger.open(first, { address: ADDRESS, until: UNTIL })).parts).toEqual([
      'failed',
      'delivered',
      'open',
    ]);
  });

  it('remembers the sender of the first part that a network took', async () => {
    const first = part();
    await ledger.open(first, { address: ADDRESS, until: UNTIL });
    await ledger.raise(first, 'accepted', { until: UNTIL, sender: '43660' });
    await ledger.raise({ ...first, number: 2 }, 'accepted', { until: UNTIL, sender: '43661' });
    expect((await ledger.open(first, { address: ADDRESS, until: UNTIL })).sender).toBe('43660');
  });

  it('finds a part by its name, and by no name of another message centre or address', async () => {
    const noted = part(1, 1);
    await ledger.note(noted, name('7f'), [], UNTIL);
    expect(await ledger.find([name('none'), name('7f')])).toEqual(noted);
    expect(await ledger.find([name('7f', { centre: 'b' })])).toBeUndefined();
    expect(await ledger.find([name('7f', { address: '9999' })])).toBeUndefined();
  });

  it('keeps a receipt that comes before its part is known, and gives it once', async () => {
    const noted = part(1, 1);
    const receipt = { state: 'delivered', detail: 'DELIVRD' } as const;
    const early = { name: name('200'), receipt, until: UNTIL };
    expect(await ledger.findOrKeep([name('200'), name('c8')], early)).toBeUndefined();
    expect(await ledger.note(noted, name('c8'), [name('c8'), name('200')], UNTIL)).toEqual(receipt);
    expect(await ledger.note(noted, name('c8'), [name('c8'), name('200')], UNTIL)).toBeUndefined();
    expect(await ledger.findOrKeep([name('200'), name('c8')], early)).toEqual(noted);
  });

  it('keeps nothing of a receipt whose part is known', async () => {
    const noted = part(1, 1);
    await ledger.note(noted, name('55'), [], UNTIL);
    const early = { name: name('55'), receipt: { state: 'failed', detail: '' }, until: UNTIL } as const;
    expect(await ledger.findOrKeep([name('55')], early)).toEqual(noted);
    expect(await ledger.note(noted, name('55'), [name('55')], UNTIL)).toBeUndefined();
  });
});
