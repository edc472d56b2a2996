/** The safety net: lanes whose moment passed without anybody looking are run, some at a time, the longest due first. */
import { beforeEach, describe, expect, it } from 'vitest';
import { sweepAll, sweepLanes } from '../../src/lane/sweeper.js';
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

describe('many lanes that are due at once', () => {
  let stage: LaneStage;
  const kicked: string[] = [];
  const bounds = { limit: 3, forMs: 5000, isStopping: () => false };
  beforeEach(() => {
    stage = new LaneStage();
    kicked.length = 0;
    for (const terminal of numbered(8, 'T') as TerminalId[]) {
      stage.store.place(
        terminal,
        { id: 'e', rank: 1 },
        { now: stage.clock.now(), deadline: stage.clock.now() + HOUR },
      );
    }
  });
  const opened = (terminal: TerminalId) => {
    kicked.push(terminal);
    void stage.store.open(terminal, { now: stage.clock.now(), leaseMs: 30_000, limit: 10 }, HERE);
  };

  it('are all kicked in one sweep, batch by batch', async () => {
    const swept = sweepAll(stage.store, opened, { clock: stage.clock, ...bounds });
    await stage.clock.advance(1000);
    await swept;
    expect(kicked).toEqual(numbered(8, 'T'));
  });

  it('and that nobody comes to are left to the next sweep after a while', async () => {
    const swept = sweepAll(stage.store, (t) => kicked.push(t), { clock: stage.clock, ...bounds });
    await stage.clock.advance(5000);
    await swept;
    expect(new Set(kicked).size).toBe(3);
  });

  it('are left alone once the process is stopping', async () => {
    await sweepAll(stage.store, opened, { clock: stage.clock, ...bounds, isStopping: () => true });
    expect(kicked).toHaveLength(3);
  });
});
