/** Turns at one terminal, and addresses that asked to be left alone. */
import { describe, expect, it } from 'vitest';
import { Turns } from '../../src/bearers/ota-http/turns.js';
import { Pauses } from '../../src/bearers/pauses.js';
import { DeliveryError } from '../../src/kernel/errors.js';
import { atRest, FakeClock, T0 } from '../support/fake-clock.js';

function task(log: string[], name: string) {
  let end: (error?: Error) => void = () => {};
  const run = () =>
    new Promise<string>((resolve, reject) => {
      log.push(name);
      end = (error) => (error ? reject(error) : resolve(name));
    });
  return { run, end: (error?: Error) => end(error) };
}

describe('turns', () => {
  it('come in order, no more at a time than may be', async () => {
    const [turns, log] = [new Turns(), [] as string[]];
    const [a, b, c] = [task(log, 'a'), task(log, 'b'), task(log, 'c')];
    const all = [a, b, c].map(({ run }) => turns.take('phone', 2, run));
    await atRest();
    expect(log).toEqual(['a', 'b']);
    a.end();
    await atRest();
    expect(log).toEqual(['a', 'b', 'c']);
    b.end();
    c.end();
    await expect(Promise.all(all)).resolves.toEqual(['a', 'b', 'c']);
  });

  it('of different terminals do not wait for each other', async () => {
    const [turns, log] = [new Turns(), [] as string[]];
    const [a, b] = [task(log, 'a'), task(log, 'b')];
    void turns.take('phone', 1, a.run);
    void turns.take('pc', 1, b.run);
    await atRest();
    expect(log).toEqual(['a', 'b']);
  });

  it('that wait fail with the one that failed, and the next one is free', async () => {
    const [turns, log] = [new Turns(), [] as string[]];
    const [a, b, c] = [task(log, 'a'), task(log, 'b'), task(log, 'c')];
    const first = turns.take('phone', 1, a.run);
    const second = turns.take('phone', 1, b.run);
    await atRest();
    const away = new DeliveryError('timeout', 'no answer');
    a.end(away);
    await expect(first).rejects.toBe(away);
    await expect(second).rejects.toBe(away);
    const third = turns.take('phone', 1, c.run);
    await atRest();
    c.end();
    await expect(third).resolves.toBe('c');
    expect(log).toEqual(['a', 'c']);
  });
});

describe('a pause', () => {
  it('lasts until its moment and no longer', async () => {
    const clock = new FakeClock();
    const pauses = new Pauses(clock);
    pauses.add('a', T0 + 100);
    pauses.add('b', undefined);
    expect([pauses.of('a'), pauses.of('b')]).toEqual([T0 + 100, undefined]);
    await clock.advance(100);
    expect(pauses.of('a')).toBeUndefined();
  });

  it('is forgotten when there are too many', () => {
    const pauses = new Pauses(new FakeClock());
    for (let count = 0; count <= 10_000; count += 1) pauses.add(String(count), T0 + 1);
    expect(pauses.of('0')).toBeUndefined();
    expect(pauses.of('10000')).toBe(T0 + 1);
  });
});
