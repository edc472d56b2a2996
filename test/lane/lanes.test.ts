/** The lanes of one process: one run per terminal, a bounded number of runs, kicks that are never lost, an orderly end. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { LaneStore } from '../../src/lane/ports.js';
import type { TerminalId } from '../../src/registry/terminal-id.js';
import { atRest } from '../support/fake-clock.js';
import { instead } from '../support/instead.js';
import { DONE, LaneStage, LEASE_MS, numbered, ScriptedConnection, undecided } from '../support/lane-stage.js';
import { HOUR, PHONE } from '../support/pushes.js';

let stage: LaneStage;
beforeEach(() => {
  stage = new LaneStage();
});

describe('stopping', () => {
  it('does not wait for a bearer that does not answer', async () => {
    stage.waker.outcome = () => new Promise(() => {});
    stage.hold(['e1']);
    const lanes = stage.lanes();
    lanes.kick(PHONE);
    await atRest();
    expect(lanes.running).toBe(1);
    await lanes.stop();
    expect(lanes.running).toBe(0);
    expect((await stage.store.view(PHONE)).dueAt).toBe(stage.clock.now() + LEASE_MS);
  });
});

describe('a kick', () => {
  it('runs the lane', async () => {
    stage.hold(['e1']);
    await stage.connect();
    stage.lanes().kick(PHONE);
    await atRest();
    expect(stage.cargo.done).toEqual(['e1']);
  });

  it('during a run does not start a second one', async () => {
    const slow = undecided();
    stage.hold(['e1']);
    stage.cargo.script('e1', slow.outcome);
    await stage.connect();
    const lanes = stage.lanes();
    lanes.kick(PHONE);
    await atRest();
    lanes.kick(PHONE);
    lanes.kick(PHONE);
    await atRest();
    expect(lanes.running).toBe(1);
    expect(stage.cargo.started).toEqual(['e1']);
    slow.decide(DONE);
    await lanes.stop();
  });

  it('during a slow delivery gets a new push out at once', async () => {
    const slow = undecided();
    stage.hold(['slow']);
    stage.cargo.script('slow', slow.outcome);
    await stage.connect();
    const lanes = stage.lanes();
    lanes.kick(PHONE);
    await atRest();
    stage.hold(['new']);
    lanes.kick(PHONE);
    await atRest();
    expect(stage.cargo.done).toEqual(['new']);
    slow.decide(DONE);
    await lanes.stop();
  });

  it('while the window is full waits for room without spinning', async () => {
    const slow = undecided();
    stage.hold(['slow', 'next']);
    stage.cargo.script('slow', slow.outcome);
    await stage.connect(new ScriptedConnection('msrp', 1));
    let looks = 0;
    const other: Partial<LaneStore> = {};
    const counting = instead<LaneStore>(stage.store, other);
    other.renew = (...args) => {
      looks += 1;
      return stage.store.renew(...args);
    };
    const lanes = stage.lanes({ ports: { store: counting } });
    lanes.kick(PHONE);
    await atRest();
    for (let kick = 0; kick < 100; kick += 1) lanes.kick(PHONE);
    await atRest();
    expect(looks).toBe(0);
    slow.decide(DONE);
    await atRest();
    expect(stage.cargo.done).toEqual(['slow', 'next']);
  });

  it.each(numbered(12, ''))('%s turns after the release is not lost', async (turns) => {
    const other: Partial<LaneStore> = {};
    const late = instead<LaneStore>(stage.store, other);
    const lanes = stage.lanes({ ports: { store: late } });
    let isFirst = true;
    other.release = async (...args) => {
      const released = await stage.store.release(...args);
      if (!isFirst) return released;
      isFirst = false;
      await stage.connect();
      stage.hold(['e1']);
      void afterTurns(Number(turns)).then(() => lanes.kick(PHONE));
      return released;
    };
    lanes.kick(PHONE);
    await atRest();
    expect(stage.cargo.done).toEqual(['e1']);
  });

  it('after a run that failed runs it again', async () => {
    stage.hold(['e1']);
    await stage.connect();
    const other: Partial<LaneStore> = {};
    const broken = instead<LaneStore>(stage.store, other);
    const lanes = stage.lanes({ ports: { store: broken } });
    let attempts = 0;
    other.open = async (...args) => {
      attempts += 1;
      if (attempts > 1) return stage.store.open(...args);
      lanes.kick(PHONE);
      throw new Error('the store was away');
    };
    lanes.kick(PHONE);
    await atRest();
    expect(stage.cargo.done).toEqual(['e1']);
  });
});

async function afterTurns(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await undefined;
}

const terminals = numbered(20, 'T') as TerminalId[];

describe('many terminals', () => {
  function holdForAll(): void {
    for (const terminal of terminals) {
      const now = stage.clock.now();
      stage.store.place(terminal, { id: `for-${terminal}`, rank: 1 }, { now, deadline: now + HOUR });
    }
  }

  it('no more lanes run at once than allowed, and all get their turn', async () => {
    holdForAll();
    stage.connections.here = new ScriptedConnection();
    const lanes = stage.lanes({ maxRunning: 3 });
    let most = 0;
    stage.cargo.otherwise = async () => {
      most = Math.max(most, lanes.running);
      await atRest();
      return DONE;
    };
    await Promise.all(terminals.map((terminal) => lanes.run(terminal)));
    expect(most).toBe(3);
    expect(stage.cargo.done).toHaveLength(20);
  });

  it('the shut-down resolves those that wait for a turn without running them', async () => {
    holdForAll();
    stage.connections.here = new ScriptedConnection();
    const slow = undecided();
    stage.cargo.otherwise = () => slow.outcome;
    const lanes = stage.lanes({ maxRunning: 1 });
    const runs = terminals.map((terminal) => lanes.run(terminal));
    await atRest();
    const stopped = lanes.stop();
    slow.decide(DONE);
    await Promise.all([stopped, ...runs]);
    expect(stage.cargo.started).toHaveLength(1);
    expect(lanes.running).toBe(0);
  });
});

describe('run', () => {
  it('resolves when the run is over', async () => {
    stage.hold(['e1']);
    await stage.connect();
    await stage.lanes().run(PHONE);
    expect(stage.cargo.done).toEqual(['e1']);
  });

  it('joins a run under way', async () => {
    const slow = undecided();
    stage.hold(['e1']);
    stage.cargo.script('e1', slow.outcome);
    await stage.connect();
    const lanes = stage.lanes();
    lanes.kick(PHONE);
    await atRest();
    const joined = lanes.run(PHONE);
    slow.decide(DONE);
    await joined;
    expect(stage.cargo.started).toEqual(['e1']);
  });

  it('does not reject when the run fails; the error is reported', async () => {
    const other: Partial<LaneStore> = {};
    const broken = instead<LaneStore>(stage.store, other);
    other.open = async () => {
      throw new Error('gone');
    };
    await stage.lanes({ ports: { store: broken } }).run(PHONE);
    expect(stage.errors).toEqual([new Error('gone')]);
  });
});

describe('the end', () => {
  it('waits for deliveries under way', async () => {
    const slow = undecided();
    stage.hold(['e1', 'e2']);
    stage.cargo.script('e1', slow.outcome);
    await stage.connect(new ScriptedConnection('msrp', 1));
    const lanes = stage.lanes();
    lanes.kick(PHONE);
    await atRest();
    let isOver = false;
    const stopped = lanes.stop().then(() => {
      isOver = true;
    });
    await stage.clock.advance(LEASE_MS);
    expect(isOver).toBe(false);
    slow.decide(DONE);
    await stopped;
    expect(stage.cargo.started).toEqual(['e1']);
  });

  it('does not wait for deliveries that are abandoned', async () => {
    stage.hold(['e1']);
    stage.cargo.script('e1', undecided().outcome);
    await stage.connect();
    const lanes = stage.lanes();
    const run = lanes.run(PHONE);
    await atRest();
    const stopped = lanes.stop();
    lanes.abandon();
    await Promise.all([stopped, run]);
    expect(stage.cargo.done).toEqual([]);
  });

  it('kicks after it do nothing', async () => {
    stage.hold(['e1']);
    await stage.connect();
    const lanes = stage.lanes();
    await lanes.stop();
    lanes.kick(PHONE);
    await lanes.run(PHONE);
    expect(stage.cargo.started).toEqual([]);
  });
});
