/** Gateway processes on one Redis: who is alive, and kicks from one to another and to all. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TerminalId } from '../../src/registry/terminal-id.js';
import { RedisNodes } from '../../src/stores/redis-nodes.js';
import { when } from '../support/e2e-gateway.js';
import { TestRedis } from '../support/redis.js';

const PHONE = 'phone' as TerminalId;

let server: TestRedis;
beforeAll(async () => {
  server = await TestRedis.start();
});
afterAll(() => server?.stop());

async function node(self: string, { isAlone = false, lifeMs = 60_000 } = {}) {
  const kicks: string[] = [];
  let looks = 0;
  const nodes = new RedisNodes(server.client(), server.client(), {
    self,
    isAlone,
    lifeMs,
    onKick: (terminal) => kicks.push(terminal),
    onLinks: () => {
      looks += 1;
    },
    onError: (error) => {
      throw error;
    },
  });
  await nodes.start();
  return { nodes, kicks, looks: () => looks };
}

describe('gateway processes', () => {
  it('know each other to be alive, until one ends', async () => {
    const [one, two] = [await node('alive-1'), await node('alive-2')];
    expect(await one.nodes.isAlive('alive-2')).toBe(true);
    await two.nodes[Symbol.asyncDispose]();
    expect(await one.nodes.isAlive('alive-2')).toBe(false);
    await one.nodes[Symbol.asyncDispose]();
  });

  it('that is alone on its Redis takes every other for dead', async () => {
    const [left, own] = [await node('left-over'), await node('alone', { isAlone: true })];
    expect(await own.nodes.isAlive('left-over')).toBe(false);
    expect(await own.nodes.isAlive('alone')).toBe(true);
    for (const { nodes } of [left, own]) await nodes[Symbol.asyncDispose]();
  });

  it('kick one that they name, and no other', async () => {
    const [one, two] = [await node('named-1'), await node('named-2')];
    await one.nodes.kick('named-2', PHONE);
    await when(
      () => two.kicks,
      (kicks) => kicks.length > 0,
      'the kick',
    );
    expect([one.kicks, two.kicks]).toEqual([[], [PHONE]]);
    for (const { nodes } of [one, two]) await nodes[Symbol.asyncDispose]();
  });

  it('kick all, themselves included', async () => {
    const [one, two] = [await node('all-1'), await node('all-2')];
    await one.nodes.kickAll(PHONE);
    await when(
      () => [one.kicks, two.kicks],
      (both) => both.every((kicks) => kicks.length > 0),
      'the kicks',
    );
    expect([one.kicks, two.kicks]).toEqual([[PHONE], [PHONE]]);
    for (const { nodes } of [one, two]) await nodes[Symbol.asyncDispose]();
  });

  it('look at what links are told at every word of it, and at their beginning', async () => {
    const [one, two] = [await node('links-1'), await node('links-2')];
    expect([one.looks(), two.looks()]).toEqual([1, 1]);
    await one.nodes.linksChanged();
    await when(
      () => [one.looks(), two.looks()],
      (both) => both.every((looks) => looks === 2),
      'the looks',
    );
    expect([one.kicks, two.kicks]).toEqual([[], []]);
    for (const { nodes } of [one, two]) await nodes[Symbol.asyncDispose]();
  });

  it('look at it again at every sign of life, because words get lost', async () => {
    const { nodes, looks } = await node('links-3', { lifeMs: 60 });
    await when(looks, (count) => count > 3, 'the looks');
    await nodes[Symbol.asyncDispose]();
  });
});
