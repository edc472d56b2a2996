/** The safety net: lanes whose moment passed without anybody looking are run, some at a time, the longest due first. */
import { expect, it } from 'vitest';
import { sweepLanes } from '../../src/lane/sweeper.js';
import type { TerminalId } from '../../src/registry/terminal-id.js';
import { LaneStage, numbered } from '../support/lane-stage.js';
import { HERE, HOUR, PHONE } from '../support/pushes.js';

it('kicks a lane that was placed in and never run', async () => {
  const stage = new LaneStage();
  stage.hold(['e1']);
  const kicked: string[] = [];
  expect(await sweepLanes(stage.store, (t) => kicked.push(t), { now: stage.clock.now(), limit: 10 })).toBe(1);
  expect(kicked).toEqual([PHONE]);
});

it('leaves alone a lane whose moment is still to come', async () => {
  const stage = new LaneStage();
  stage.hold(['e1']);
  await stage.run();
  const kicked: string[] = [];
  await sweepLanes(stage.store, (t) => kicked.push(t), { now: stage.clock.now(), limit: 10 });
  expect(kicked).toEqual([]);
});

it('finds a lane again whose runner died while it held the lease', async () => {
  const stage = new LaneStage();
  stage.hold(['e1']);
  const { clock, store } = stage;
  await store.open(PHONE, { now: clock.now(), leaseMs: 30_000, limit: 10 }, HERE);
  stage.hold(['e2']);
  await clock.advance(30_000);
  const kicked: string[] = [];
  await sweepLanes(store, (t) => kicked.push(t), { now: clock.now(), limit: 10 });
  expect(kicked).toEqual([PHONE]);
});

it('takes no more at a time than asked for, the longest due first', async () => {
  const { clock, store } = new LaneStage();
  for (const terminal of numbered(5, 'T') as TerminalId[]) {
    const now = clock.now();
    store.place(terminal, { id: 'e', rank: 1 }, { now, deadline: now + HOUR });
    await clock.advance(1);
  }
  const kicked: string[] = [];
  expect(await sweepLanes(store, (t) => kicked.push(t), { now: clock.now(), limit: 3 })).toBe(3);
  expect(kicked).toEqual(['T1', 'T2', 'T3']);
});
