/** Gateway processes on one Redis: who is alive, and kicks from one to another and to all. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TerminalId } from '../../src/registry/user.js';
import { RedisNodes } from '../../src/stores/redis-nodes.js';
import { when } from '../support/e2e-gateway.js';
import { TestRedis } from '../support/redis.js';

const PHONE = 'phone' as TerminalId;

let server: TestRedis;
beforeAll(async () => {
  server = await TestRedis.start();
});
afterAll(() => server?.stop());

async function node(self: string, { isAlone = false } = {}) {
  const kicks: string[] = [];
  const nodes = new RedisNodes(server.client(), server.client(), {
    self,
    isAlone,
    lifeMs: 60_000,
    onKick: (terminal) => kicks.push(terminal),
    onError: (error) => {
      throw error;
    },
  });
  await nodes.start();
  return { nodes, kicks };
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
});
