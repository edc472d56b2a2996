/** What a run of one lane does: hand over, wait, wake, and let go of it so that nothing held is forgotten. */
import { beforeEach, describe, expect, it } from 'vitest';
import { InvariantError } from '../../src/kernel/errors.js';
import type { Delivery, LaneStore } from '../../src/lane/ports.js';
import { atRest } from '../support/fake-clock.js';
import { instead } from '../support/instead.js';
import {
  DONE,
  LaneStage,
  LEASE_MS,
  LEAST_SIR_INTERVAL_MS,
  LOST,
  numbered,
  ScriptedConnection,
  UNFIT,
  undecided,
} from '../support/lane-stage.js';
import { HERE, HOUR, PHONE } from '../support/pushes.js';

let stage: LaneStage;
beforeEach(() => {
  stage = new LaneStage();
});

const view = () => stage.store.view(PHONE);

describe('a connected terminal', () => {
  it('gets everything, by priority and then in the order of arrival', async () => {
    stage.hold(['m1', 'm2'], { rank: 1 });
    stage.hold(['l1'], { rank: 2 });
    stage.hold(['h1', 'h2'], { rank: 0 });
    await stage.connect();
    await stage.run();
    expect(stage.cargo.started).toEqual(['h1', 'h2', 'm1', 'm2', 'l1']);
    expect(await stage.held()).toEqual([]);
  });

  it('gets no more at once than its window', async () => {
    stage.hold(numbered(20));
    stage.cargo.otherwise = async () => {
      await atRest();
      return DONE;
    };
    await stage.connect(new ScriptedConnection('msrp', 3));
    await stage.run();
    expect(stage.cargo.mostUnderWay).toBe(3);
    expect(stage.cargo.done).toHaveLength(20);
  });

  it('gets more than one look shows', async () => {
    const ids = numbered(100, 'many');
    stage.hold(ids);
    await stage.connect();
    await stage.run();
    expect(stage.cargo.started).toEqual(ids);
  });

  it('is sent no SIR and leaves no alarm behind', async () => {
    stage.hold(['e1']);
    await stage.connect();
    await stage.run();
    expect(stage.waker.sent).toEqual([]);
    expect(stage.alarms).toEqual([]);
    expect((await view()).dueAt).toBeUndefined();
  });

  it('gets what arrives while the lane runs', async () => {
    stage.hold(['e1']);
    stage.cargo.otherwise = (id) => {
      if (id === 'e1') stage.hold(['e2', 'e3']);
      return DONE;
    };
    await stage.connect();
    await stage.run();
    expect(stage.cargo.done).toEqual(['e1', 'e2', 'e3']);
  });

  it('gets a push of higher priority before those that wait, though not before those under way', async () => {
    const first = undecided();
    stage.hold(['e1', 'e2', 'e3']);
    stage.cargo.script('e1', first.outcome);
    await stage.connect(new ScriptedConnection('msrp', 1));
    const run = stage.run();
    await atRest();
    stage.hold(['urgent'], { rank: 0 });
    await stage.clock.advance(LEASE_MS); // the next look at the lane
    first.decide(DONE);
    await run;
    expect(stage.cargo.started).toEqual(['e1', 'urgent', 'e2', 'e3']);
  });

  it('whose window is nonsense still gets one at a time', async () => {
    stage.hold(['e1', 'e2']);
    await stage.connect(new ScriptedConnection('msrp', 0));
    await stage.run();
    expect(stage.cargo.done).toEqual(['e1', 'e2']);
    expect(stage.cargo.mostUnderWay).toBe(1);
  });

  it('is delivered to under one lease, whose token every hand-over carries', async () => {
    stage.hold(numbered(40));
    await stage.connect();
    await stage.run();
    expect(new Set(stage.cargo.tokens)).toEqual(new Set([1]));
  });
});

describe('a session lost in the middle of a window', () => {
  it('keeps what was not confirmed, and its order', async () => {
    stage.hold(['e1', 'e2', 'e3', 'e4', 'e5', 'e6']);
    const connection = (await stage.connect()) as ScriptedConnection;
    stage.cargo.otherwise = (id) => {
      if (id === 'e1') return DONE;
      connection.isOpen = false;
      return LOST;
    };
    await stage.run();
    expect(stage.cargo.done).toEqual(['e1']);
    stage.cargo.otherwise = () => DONE;
    const before = stage.cargo.started.length;
    await stage.connect();
    await stage.run();
    expect(stage.cargo.started.slice(before)).toEqual(['e2', 'e3', 'e4', 'e5', 'e6']);
  });

  it('starts nothing more on it', async () => {
    stage.hold(numbered(10));
    const connection = (await stage.connect(new ScriptedConnection('msrp', 2))) as ScriptedConnection;
    stage.cargo.otherwise = () => {
      connection.isOpen = false;
      return LOST;
    };
    await stage.run();
    expect(stage.cargo.started).toEqual(['e1']);
  });

  it('is followed by a wake-up as soon as its end is known', async () => {
    stage.hold(['e1']);
    const connection = (await stage.connect()) as ScriptedConnection;
    stage.cargo.otherwise = async () => {
      connection.isOpen = false;
      await stage.disconnect();
      return LOST;
    };
    await stage.run();
    expect(stage.waker.sent).toHaveLength(1);
  });

  it('is looked at again soon when its end is not known yet', async () => {
    stage.hold(['e1']);
    stage.cargo.otherwise = () => LOST;
    await stage.connect();
    await stage.run();
    expect(stage.alarms).toEqual([stage.clock.now() + 1000]);
    expect((await view()).dueAt).toBe(stage.clock.now() + 1000);
  });

  it('waits for what is under way before it lets go of the lane', async () => {
    const slow = undecided();
    stage.hold(['e1', 'e2']);
    stage.cargo.script('e1', slow.outcome);
    stage.cargo.script('e2', LOST);
    await stage.connect();
    let isOver = false;
    const run = stage.run().then(() => {
      isOver = true;
    });
    await stage.clock.advance(5 * LEASE_MS);
    expect(isOver).toBe(false);
    expect(await stage.store.open(PHONE, window(), HERE)).toBeUndefined(); // nobody else can deliver meanwhile
    slow.decide(DONE);
    await run;
    expect(await stage.held()).toEqual(['e2']);
  });
});

const window = () => ({ now: stage.clock.now(), leaseMs: LEASE_MS, limit: 16 });

describe('the lease', () => {
  it('is prolonged under a slow delivery for as long as it takes', async () => {
    const slow = undecided();
    stage.hold(['e1']);
    stage.cargo.script('e1', slow.outcome);
    await stage.connect();
    const run = stage.run();
    for (let hour = 0; hour < 10; hour += 1) {
      await stage.clock.advance(LEASE_MS);
      expect(await stage.store.open(PHONE, window(), HERE)).toBeUndefined();
    }
    slow.decide(DONE);
    await run;
    expect(stage.cargo.done).toEqual(['e1']);
    expect(stage.cargo.started).toEqual(['e1']);
  });

  it('is prolonged while a bearer takes its time to send a SIR', async () => {
    let answered = (_outcome: 'handed') => {};
    stage.waker.outcome = () =>
      new Promise((resolve) => {
        answered = resolve;
      });
    stage.hold(['e1']);
    const run = stage.run();
    await stage.clock.advance(2 * LEASE_MS);
    expect(await stage.store.open(PHONE, window(), HERE)).toBeUndefined();
    answered('handed');
    await run;
    expect(stage.waker.sent).toHaveLength(1);
  });

  it('of another runner keeps this one out', async () => {
    stage.hold(['e1']);
    await stage.connect();
    await stage.store.open(PHONE, window(), HERE);
    await stage.run();
    expect(stage.cargo.started).toEqual([]);
  });

  it('once lost, ends the run without another hand-over or release', async () => {
    const slow = undecided();
    stage.hold(numbered(10));
    stage.cargo.script('e1', slow.outcome);
    await stage.connect(new ScriptedConnection('msrp', 1));
    const run = stage.run();
    await atRest();
    stage.clock.step(LEASE_MS + 1); // the process stood still
    const taken = await stage.store.open(PHONE, window(), HERE);
    slow.decide(DONE);
    await run;
    expect(stage.cargo.started).toEqual(['e1']);
    expect(await stage.store.renew(taken?.lease ?? never(), window())).toBeDefined();
  });

  it('lost during a wake-up leaves the record to the new holder', async () => {
    let answered = (_outcome: 'handed') => {};
    stage.waker.outcome = () =>
      new Promise((resolve) => {
        answered = resolve;
      });
    stage.hold(['e1']);
    const run = stage.run();
    await atRest();
    stage.clock.step(LEASE_MS + 1);
    await stage.store.open(PHONE, window(), HERE);
    answered('handed');
    await run;
    expect((await view()).wakes).toEqual([]);
    expect(stage.alarms).toEqual([]);
  });
});

function never(): never {
  throw new Error('the lease was not to be had');
}

it('a node that is alone on its store does not wait for the lease of one that died', async () => {
  stage.hold(['e1']);
  await stage.connect();
  await stage.store.open(PHONE, window(), { self: 'dead', isAlone: false });
  await stage.run();
  expect(stage.cargo.done).toEqual([]);
  stage.nodes.isAlone = true;
  await stage.run();
  expect(stage.cargo.done).toEqual(['e1']);
});

describe('a terminal that is away', () => {
  it('gets one SIR for everything that its lane holds', async () => {
    stage.hold(numbered(5));
    await stage.run();
    expect(stage.waker.sent).toEqual([{ bearer: 'sip', at: stage.clock.now(), held: 5 }]);
  });

  it('is looked at again when the next SIR may go out', async () => {
    stage.hold(['e1']);
    await stage.run();
    expect(stage.alarms).toEqual([stage.clock.now() + 60_000]);
    expect((await view()).dueAt).toBe(stage.clock.now() + 60_000);
  });

  it('gets no second SIR before the retry time, whatever arrives', async () => {
    stage.hold(['e1']);
    await stage.run();
    for (const id of numbered(5, 'later')) {
      await stage.clock.advance(10_000);
      stage.hold([id]);
      await stage.run();
    }
    expect(stage.waker.sent).toHaveLength(1);
    await stage.clock.advance(10_000);
    await stage.run();
    expect(stage.waker.sent).toHaveLength(2);
  });

  it('is tried by the next method at once when one fails', async () => {
    stage.waker.methods = ['sip', 'sms', 'wsp'];
    stage.waker.outcome = (bearer) => (bearer === 'wsp' ? 'handed' : 'failed');
    stage.hold(['e1']);
    await stage.run();
    expect(stage.waker.sent.map(({ bearer }) => bearer)).toEqual(['sip', 'sms', 'wsp']);
    expect(new Set(stage.waker.sent.map(({ at }) => at)).size).toBe(1);
  });

  it('is tried once by each method, then after a pause again, when all fail', async () => {
    stage.waker.methods = ['sip', 'sms'];
    stage.waker.outcome = () => 'failed';
    stage.hold(['e1']);
    await stage.run();
    expect(stage.waker.sent).toHaveLength(2);
    await stage.clock.advance(60_000);
    await stage.run();
    expect(stage.waker.sent).toHaveLength(4);
    expect((await view()).dueAt).toBe(stage.clock.now() + 120_000);
  });

  it('is woken with growing pauses, method after method', async () => {
    stage.waker.methods = ['sip', 'sms'];
    stage.hold(['e1']);
    const start = stage.clock.now();
    for (let round = 0; round < 5; round += 1) {
      await stage.run();
      await stage.clock.advance(((await view()).dueAt ?? never()) - stage.clock.now());
    }
    expect(stage.waker.sent.map(({ bearer, at }) => [bearer, (at - start) / 1000])).toEqual([
      ['sip', 0],
      ['sms', 60],
      ['sip', 180],
      ['sms', 480],
      ['sip', 780],
    ]);
  });

  it('and has no activation method is looked at again before the push expires', async () => {
    stage.waker.methods = [];
    stage.hold(['e1']);
    await stage.run();
    expect(stage.waker.sent).toHaveLength(1);
    expect((await view()).dueAt).toBeLessThan(stage.clock.now() + HOUR);
  });

  it('is tried by no other method once nothing is held for it any more', async () => {
    let failed = (_outcome: 'failed') => {};
    stage.waker.methods = ['sip', 'sms'];
    stage.waker.outcome = () =>
      new Promise((resolve) => {
        failed = resolve;
      });
    stage.hold(['short'], { expiresAt: stage.clock.now() + 1000 });
    const run = stage.run();
    await stage.clock.advance(LEASE_MS);
    failed('failed');
    await run;
    expect(stage.cargo.expired).toEqual(['short']);
    expect(stage.waker.sent.map(({ bearer }) => bearer)).toEqual(['sip']);
    expect((await view()).dueAt).toBeUndefined();
  });

  it('is not woken for a push that may not start yet, but looked at when it may', async () => {
    const startsAt = stage.clock.now() + 5000;
    stage.hold(['later'], { startsAt });
    await stage.run();
    expect(stage.waker.sent).toEqual([]);
    expect(stage.alarms).toEqual([startsAt]);
    await stage.clock.advance(5000);
    await stage.run();
    expect(stage.waker.sent).toHaveLength(1);
  });

  it('is looked at when the first push expires, if that comes before the next SIR', async () => {
    const expiresAt = stage.clock.now() + 20_000;
    stage.hold(['e1'], { expiresAt });
    await stage.run();
    expect(stage.alarms).toEqual([expiresAt]);
  });

  it('gets no alarm for a deadline further away than a minute: it would be left behind by what ends before', async () => {
    stage.cargo.otherwise = () => ({ kind: 'parked' });
    stage.connections.byMethod = [new ScriptedConnection('sms')];
    stage.hold(['e1'], { expiresAt: stage.clock.now() + 60_001 });
    await stage.run();
    expect(stage.alarms).toEqual([]);
    expect((await view()).dueAt).toBe(stage.clock.now() + 60_001);
    await stage.clock.advance(1);
    stage.hold(['e2']);
    await stage.run();
    expect(stage.alarms).toEqual([stage.clock.now() + 60_000]);
  });

  it('keeps a record of every wake-up', async () => {
    stage.waker.methods = ['sip', 'sms'];
    stage.waker.outcome = (bearer) => (bearer === 'sip' ? 'failed' : 'handed');
    stage.hold(['e1']);
    await stage.run();
    const { wakes, state } = await view();
    expect(wakes.map(({ bearer, outcome }) => [bearer, outcome])).toEqual([
      ['sms', 'handed'],
      ['sip', 'failed'],
    ]);
    expect(state).toBe('initiated');
  });

  it('that connects while a method takes its time to fail gets no SIR by the next one', async () => {
    let failed = (_outcome: 'failed') => {};
    stage.waker.methods = ['sip', 'sms'];
    stage.waker.outcome = () =>
      new Promise((resolve) => {
        failed = resolve;
      });
    stage.hold(['e1']);
    const run = stage.run();
    await atRest();
    await stage.connect();
    await stage.clock.advance(LEASE_MS);
    failed('failed');
    await run;
    expect(stage.waker.sent.map(({ bearer }) => bearer)).toEqual(['sip']);
    expect(stage.cargo.done).toEqual(['e1']);
  });

  it('that registers anew while a SIR to its old contact is under way is woken at the new one at once', async () => {
    const answers = [new Promise<'failed'>(() => {}), Promise.resolve('handed' as const)];
    stage.waker.outcome = () => answers[stage.waker.sent.length - 1] ?? 'failed';
    stage.hold(['e1']);
    const lanes = stage.lanes();
    lanes.kick(PHONE);
    await atRest();
    expect(stage.waker.sent).toHaveLength(1);
    await stage.store.connected(PHONE, {});
    lanes.kick(PHONE);
    await atRest();
    expect(stage.waker.sent).toHaveLength(2);
    expect((await view()).state).toBe('initiated');
    await lanes.stop();
  });

  it('that is being woken is not woken again because something more is held for it', async () => {
    let answered = (_outcome: 'handed') => {};
    stage.waker.outcome = () =>
      new Promise((resolve) => {
        answered = resolve;
      });
    stage.hold(['e1']);
    const lanes = stage.lanes();
    lanes.kick(PHONE);
    await atRest();
    stage.hold(['e2']);
    lanes.kick(PHONE);
    await atRest();
    answered('handed');
    await atRest();
    expect(stage.waker.sent).toHaveLength(1);
    await lanes.stop();
  });

  it('that connects while it is being woken is delivered to in the same run', async () => {
    stage.hold(['e1']);
    stage.waker.outcome = async (): Promise<'handed'> => {
      await stage.connect();
      return 'handed';
    };
    await stage.run();
    expect(stage.cargo.done).toEqual(['e1']);
    expect(stage.waker.sent).toHaveLength(1);
  });

  it('that comes before the network has said that it took the SIR has that SIR in its story all the same', async () => {
    let answered = (_outcome: 'handed') => {};
    stage.waker.outcome = () =>
      new Promise((resolve) => {
        answered = resolve;
      });
    stage.hold(['e1']);
    const lanes = stage.lanes();
    lanes.kick(PHONE);
    await atRest();
    await stage.connect();
    lanes.kick(PHONE);
    await atRest();
    expect(stage.cargo.done).toEqual(['e1']);
    answered('handed');
    await atRest();
    expect(await view()).toMatchObject({
      wake: { sent: 0 },
      wakes: [{ sirId: 'sir-1', outcome: 'handed' }],
    });
    await lanes.stop();
  });

  it('after a short session gets no SIR sooner than the least interval', async () => {
    stage.hold(['e1']);
    await stage.run();
    await stage.clock.advance(1000);
    await stage.connect();
    await stage.disconnect();
    await stage.run();
    expect(stage.waker.sent).toHaveLength(1);
    expect((await view()).dueAt).toBe(stage.clock.now() - 1000 + LEAST_SIR_INTERVAL_MS);
  });
});

describe('a lane on hold', () => {
  const hold = () => stage.store.hold(PHONE, { reason: 'a complaint', since: stage.clock.now() });
  /** What the store does once the lane is on hold: nothing begins. */
  const nothingBegins = () => {
    stage.cargo.otherwise = () => (stage.store.isOnHold(PHONE) ? { kind: 'onHold' } : DONE);
  };

  it('gives a connected terminal nothing', async () => {
    stage.hold(['e1']);
    await stage.connect();
    await hold();
    await stage.run();
    expect(stage.cargo.started).toEqual([]);
    expect(await stage.held()).toEqual(['e1']);
  });

  it('has nobody woken, also when a wake-up falls due', async () => {
    stage.hold(['e1']);
    await hold();
    await stage.run();
    await stage.clock.advance(10 * 60_000);
    await stage.run();
    expect(stage.waker.sent).toEqual([]);
  });

  it('is looked at next when something expires, and lets it expire', async () => {
    const expiresAt = stage.clock.now() + 5000;
    stage.hold(['e1'], { expiresAt });
    stage.hold(['e2']);
    await stage.connect();
    await hold();
    await stage.run();
    expect(stage.alarms).toEqual([expiresAt]);
    await stage.clock.advance(5000);
    await stage.run();
    expect(stage.cargo.expired).toEqual(['e1']);
    expect(await stage.held()).toEqual(['e2']);
  });

  it('that is put on hold while it is drained ends what is under way and starts nothing more', async () => {
    const first = undecided();
    stage.hold(numbered(5));
    stage.cargo.script('e1', first.outcome);
    nothingBegins();
    await stage.connect(new ScriptedConnection('msrp', 1));
    const run = stage.run();
    await atRest();
    await hold();
    first.decide(DONE);
    await run;
    expect(stage.cargo.done).toEqual(['e1']);
    expect(await stage.held()).toEqual(['e2', 'e3', 'e4', 'e5']);
    expect((await view()).dueAt).toBe(stage.clock.now() + HOUR);
  });

  it('that is kicked while its connection is idle is let go of', async () => {
    const first = undecided();
    stage.hold(['e1']);
    stage.cargo.script('e1', first.outcome);
    await stage.connect();
    const lanes = stage.lanes();
    lanes.kick(PHONE);
    await atRest();
    await hold();
    stage.hold(['e2']);
    lanes.kick(PHONE);
    await atRest();
    first.decide(DONE);
    await lanes.run(PHONE);
    expect(stage.cargo.started).toEqual(['e1']);
    expect(await stage.held()).toEqual(['e2']);
    await lanes.stop();
  });

  it('and released while something is under way goes on in the same run', async () => {
    const first = undecided();
    stage.hold(['e1', 'e2', 'e3']);
    stage.cargo.script('e1', first.outcome);
    nothingBegins();
    await stage.connect(new ScriptedConnection('msrp', 2));
    const lanes = stage.lanes();
    lanes.kick(PHONE);
    await atRest();
    await hold();
    stage.hold(['e4']);
    lanes.kick(PHONE); // it sees the hold, and waits for e1
    await atRest();
    await stage.store.unhold(PHONE);
    first.decide(DONE);
    await lanes.run(PHONE);
    await lanes.stop();
    expect(stage.cargo.done.sort()).toEqual(['e1', 'e2', 'e3', 'e4']);
    expect(stage.alarms).toEqual([]);
  });

  it('sends no SIR by the next method when the first one failed meanwhile', async () => {
    stage.waker.methods = ['sip', 'sms'];
    let failed = (_outcome: 'failed') => {};
    stage.waker.outcome = () =>
      new Promise((resolve) => {
        failed = resolve;
      });
    stage.hold(['e1']);
    const lanes = stage.lanes();
    lanes.kick(PHONE);
    await atRest();
    await hold();
    failed('failed');
    lanes.kick(PHONE);
    await lanes.run(PHONE);
    expect(stage.waker.sent.map(({ bearer }) => bearer)).toEqual(['sip']);
    await lanes.stop();
  });

  it('does not wait for a bearer that is slow to answer', async () => {
    stage.waker.outcome = () => new Promise(() => {});
    stage.hold(['e1']);
    const lanes = stage.lanes();
    lanes.kick(PHONE);
    await atRest();
    await hold();
    lanes.kick(PHONE);
    await atRest();
    expect(lanes.running).toBe(0);
    await lanes.stop();
  });

  it('that is released delivers and wakes as before', async () => {
    stage.hold(['e1']);
    await hold();
    await stage.run();
    await stage.store.unhold(PHONE);
    await stage.clock.advance(LEAST_SIR_INTERVAL_MS);
    await stage.run();
    expect(stage.waker.sent).toHaveLength(1);
  });
});

describe('a session on another node', () => {
  beforeEach(async () => {
    stage.hold(['e1']);
    await stage.store.connected(PHONE, { session: { id: 'there', node: 'other' } });
  });

  it('makes that node run the lane, when it lives', async () => {
    stage.nodes.alive.add('other');
    await stage.run();
    expect(stage.nodes.kicked).toEqual(['other']);
    expect(stage.waker.sent).toEqual([]);
    expect(await stage.store.open(PHONE, window(), HERE)).toBeDefined(); // the lease is free for it
  });

  it('costs no alarm, and a kick that goes astray is made good when the lane is due', async () => {
    stage.nodes.alive.add('other');
    await stage.run();
    expect(stage.alarms).toEqual([]);
    expect((await view()).dueAt).toBe(stage.clock.now() + LEASE_MS);
  });

  it('is forgotten when that node is dead, and the terminal is woken', async () => {
    await stage.run();
    expect(stage.nodes.kicked).toEqual([]);
    expect((await view()).connections.session).toBeUndefined();
    expect(stage.waker.sent).toHaveLength(1);
  });
});

it('a session that this node is said to hold and does not is forgotten', async () => {
  stage.hold(['e1']);
  await stage.store.connected(PHONE, { session: { id: 'gone', node: 'here' } });
  await stage.run();
  expect((await view()).connections.session).toBeUndefined();
  expect(stage.waker.sent).toHaveLength(1);
});

describe('a bearer that only another node has', () => {
  beforeEach(() => {
    stage.hold(['e1']);
    stage.waker.elsewhere = 'other';
  });

  it('makes that node run the lane, and the attempt does not count', async () => {
    stage.nodes.alive.add('other');
    await stage.run();
    expect(stage.nodes.kicked).toEqual(['other']);
    expect((await view()).wake.notBefore).toBeLessThanOrEqual(stage.clock.now());
    expect((await view()).wakes).toEqual([]);
  });

  it('counts as tried when that node is dead', async () => {
    await stage.run();
    expect(stage.nodes.kicked).toEqual([]);
    expect((await view()).wakes).toHaveLength(1);
  });
});

describe('a terminal that takes small content by MESSAGE', () => {
  beforeEach(async () => {
    stage.connections.byMessage = new ScriptedConnection('sip-message', 1);
    await stage.store.connected(PHONE, { messageUntil: stage.clock.now() + HOUR });
  });

  it('gets it without a SIR', async () => {
    stage.hold(['small']);
    await stage.run();
    expect(stage.cargo.done).toEqual(['small']);
    expect(stage.waker.sent).toEqual([]);
  });

  it('is woken for what is too large, which stays held, while the rest goes out', async () => {
    stage.hold(['small1', 'large', 'small2']);
    stage.cargo.otherwise = (id) => (id === 'large' ? UNFIT : DONE);
    await stage.run();
    expect(stage.cargo.done).toEqual(['small1', 'small2']);
    expect(await stage.held()).toEqual(['large']);
    expect(stage.waker.sent).toEqual([{ bearer: 'sip', at: stage.clock.now(), held: expect.any(Number) }]);
  });

  it('is woken when nothing of a full look fits, and the run ends', async () => {
    stage.hold(numbered(40));
    stage.cargo.otherwise = () => UNFIT;
    await stage.run();
    expect(stage.waker.sent).toHaveLength(1);
    expect(await stage.held()).toHaveLength(40);
  });

  it('is not woken when the MESSAGE way breaks after the last push went out', async () => {
    const connection = stage.connections.byMessage as ScriptedConnection;
    stage.hold(['small']);
    stage.cargo.otherwise = () => {
      connection.isOpen = false;
      return DONE;
    };
    await stage.run();
    expect(stage.cargo.done).toEqual(['small']);
    expect(stage.waker.sent).toEqual([]);
  });

  it('is woken when nobody answers the MESSAGE', async () => {
    stage.hold(['small']);
    stage.cargo.otherwise = () => LOST;
    await stage.run();
    expect(stage.waker.sent).toHaveLength(1);
    expect(await stage.held()).toEqual(['small']);
  });

  it('that registers anew while a MESSAGE goes unanswered gets the next one there, without a SIR', async () => {
    stage.hold(['small']);
    let hasMoved = false;
    stage.cargo.otherwise = async () => {
      if (hasMoved) return DONE;
      hasMoved = true;
      await stage.store.connected(PHONE, { messageUntil: stage.clock.now() + HOUR });
      return LOST;
    };
    await stage.run();
    expect(stage.cargo.started).toEqual(['small', 'small']);
    expect(stage.cargo.done).toEqual(['small']);
    expect(stage.waker.sent).toEqual([]);
  });

  it('that opens a session while a MESSAGE goes unanswered is delivered to on it, without a SIR', async () => {
    stage.hold(['small']);
    stage.cargo.otherwise = async (_id, { bearer }) => {
      if (bearer === 'msrp') return DONE;
      await stage.connect();
      return LOST;
    };
    await stage.run();
    expect(stage.cargo.done).toEqual(['small']);
    expect(stage.waker.sent).toEqual([]);
  });

  it('is woken once when its session is left over from a dead node and nothing fits', async () => {
    await stage.store.connected(PHONE, { session: { id: 'dead', node: 'dead' } });
    stage.hold(['large']);
    stage.cargo.otherwise = () => UNFIT;
    await stage.run();
    expect(stage.waker.sent).toHaveLength(1);
  });

  it('gets a large one over the session that it then opens', async () => {
    stage.hold(['large']);
    stage.cargo.otherwise = (_id, { bearer }) => (bearer === 'msrp' ? DONE : UNFIT);
    await stage.run();
    expect(await stage.held()).toEqual(['large']);
    await stage.connect();
    await stage.run();
    expect(stage.cargo.done).toEqual(['large']);
  });
});

describe('an activation method that carries content itself', () => {
  const sms = new ScriptedConnection('sms', 2);
  const wsp = new ScriptedConnection('wsp', 2);
  beforeEach(() => {
    stage.waker.methods = ['sms', 'wsp'];
    stage.connections.byMethod = [sms, wsp];
    bearers.length = 0;
  });
  const bearers: string[] = [];
  const answering = (answer: (id: string, bearer: string) => Delivery) => {
    stage.cargo.otherwise = (id, { bearer }) => {
      bearers.push(`${id} ${bearer}`);
      return answer(id, bearer);
    };
  };

  it('is used without any SIR, in order and no more at a time than it takes', async () => {
    stage.hold(numbered(5));
    await stage.run();
    expect(stage.cargo.done).toEqual(numbered(5));
    expect(stage.cargo.mostUnderWay).toBe(2);
    expect(stage.waker.sent).toEqual([]);
    expect((await view()).wakes).toEqual([]);
  });

  it('sets aside what a receipt is awaited for, until its deadline', async () => {
    stage.hold(['e1', 'e2'], { expiresAt: stage.clock.now() + 5000 });
    answering(() => ({ kind: 'parked' }));
    await stage.run();
    await stage.run();
    expect(bearers).toEqual(['e1 sms', 'e2 sms']);
    expect(await view()).toMatchObject({ held: 0, parked: 2, dueAt: stage.clock.now() + 5000 });
    await stage.clock.advance(5000);
    await stage.run();
    expect(stage.cargo.expired.sort()).toEqual(['e1', 'e2']);
    expect((await view()).state).toBe('empty');
  });

  it('takes what comes back in line', async () => {
    stage.hold(['e1']);
    answering(() => ({ kind: 'parked' }));
    await stage.run();
    stage.store.resume(PHONE, { id: 'e1', rank: 1 }, stage.clock.now());
    answering(() => DONE);
    await stage.run();
    expect(await stage.held()).toEqual([]);
  });

  it('wakes by the same method for what it cannot carry', async () => {
    stage.hold(['small', 'large']);
    answering((id) => (id === 'large' ? UNFIT : DONE));
    await stage.run();
    expect(stage.cargo.done).toEqual(['small']);
    expect(stage.waker.sent).toEqual([{ bearer: 'sms', at: stage.clock.now(), held: 1 }]);
  });

  it('gives way to the next method when it fails, which is told to the operator', async () => {
    stage.hold(['e1', 'e2']);
    answering((_id, bearer) => (bearer === 'sms' ? LOST : DONE));
    await stage.run();
    expect(stage.cargo.done).toEqual(['e1', 'e2']);
    expect((await view()).wakes).toMatchObject([
      { bearer: 'sms', outcome: 'failed', detail: 'the connection broke' },
    ]);
    expect(stage.waker.sent).toEqual([]);
  });

  it('gives way to the next method in the same run when its SIR is reported to have failed meanwhile', async () => {
    stage.connections.byMethod = [];
    stage.hold(['e1']);
    stage.waker.outcome = async (bearer) => {
      const receipt = { outcome: 'failed', at: stage.clock.now(), detail: 'no coverage' } as const;
      if (bearer === 'sms') await stage.store.noteReceipt(PHONE, 'sir-1', receipt);
      return 'handed' as const;
    };
    await stage.run();
    expect(stage.waker.sent.map(({ bearer }) => bearer)).toEqual(['sms', 'wsp']);
    expect((await view()).dueAt).toBe(stage.clock.now() + 120_000);
  });

  it('gives way to the next method at once for what it has given up, and sends no SIR for it', async () => {
    stage.hold(['e1', 'e2']);
    answering((_id, bearer) =>
      bearer === 'sms' ? { kind: 'givenUp', reason: 'the number is not in use' } : DONE,
    );
    await stage.run();
    expect(bearers).toEqual(['e1 sms', 'e2 sms', 'e1 wsp', 'e2 wsp']);
    expect(stage.waker.sent).toEqual([]);
    expect((await view()).wakes).toMatchObject([
      { bearer: 'sms', outcome: 'failed', detail: 'the number is not in use' },
    ]);
  });

  it('wakes for what it cannot carry also when it has given something else up', async () => {
    stage.hold(['large', 'refused']);
    answering((id) => (id === 'large' ? UNFIT : { kind: 'givenUp', reason: 'no' }));
    await stage.run();
    expect(stage.waker.sent).toMatchObject([{ bearer: 'sms', held: 2 }]);
  });

  it('waits for its next round when every method has given up what is held', async () => {
    stage.hold(['e1']);
    answering(() => ({ kind: 'givenUp', reason: 'no' }));
    await stage.run();
    expect(bearers).toEqual(['e1 sms', 'e1 wsp']);
    expect(await view()).toMatchObject({ dueAt: stage.clock.now() + 60_000 });
  });

  it('is tried again after a pause when every method failed', async () => {
    stage.hold(['e1']);
    answering(() => LOST);
    await stage.run();
    expect(bearers).toEqual(['e1 sms', 'e1 wsp']);
    const { dueAt } = await view();
    expect(dueAt).toBe(stage.clock.now() + 60_000);
    await stage.clock.advance(60_000);
    answering(() => DONE);
    await stage.run();
    expect(stage.cargo.done).toEqual(['e1']);
  });

  it('that is busy is tried again at the moment that it says, and no other method instead', async () => {
    stage.hold(['e1']);
    const retryAt = stage.clock.now() + 1500;
    answering(() => ({ kind: 'stop', reason: 'throttled', retryAt }));
    await stage.run();
    expect(bearers).toEqual(['e1 sms']);
    expect(await view()).toMatchObject({ dueAt: retryAt, wakes: [] });
    await stage.clock.advance(1500);
    answering(() => DONE);
    await stage.run();
    expect(stage.cargo.done).toEqual(['e1']);
  });

  it('stands beside one that wakes: a SIR first, then the content', async () => {
    stage.connections.byMethod = [undefined, wsp];
    stage.hold(['e1']);
    await stage.run();
    expect(stage.waker.sent.map(({ bearer }) => bearer)).toEqual(['sms']);
    expect(stage.cargo.started).toEqual([]);
    await stage.clock.advance(60_000);
    await stage.run();
    expect(stage.cargo.done).toEqual(['e1']);
    expect(stage.waker.sent).toHaveLength(1);
  });

  it('is not used while a session is open', async () => {
    await stage.connect();
    stage.hold(['e1']);
    answering(() => DONE);
    await stage.run();
    expect(bearers).toEqual(['e1 msrp']);
  });

  it('lets go when the lane is put on hold', async () => {
    stage.hold(numbered(3));
    answering((id) => (id === 'e1' ? DONE : { kind: 'onHold' }));
    const holding = stage.cargo.otherwise;
    stage.cargo.otherwise = async (id, connection) => {
      await stage.store.hold(PHONE, { reason: 'a complaint', since: stage.clock.now() });
      return holding(id, connection);
    };
    await stage.run();
    expect(await stage.held()).toEqual(['e2', 'e3']);
    expect(stage.waker.sent).toEqual([]);
  });
});

describe('deadlines', () => {
  it('an expired push leaves the lane and is not delivered', async () => {
    stage.hold(['old'], { expiresAt: stage.clock.now() + 1000 });
    stage.hold(['new']);
    await stage.clock.advance(1000);
    await stage.connect();
    await stage.run();
    expect(stage.cargo.expired).toEqual(['old']);
    expect(stage.cargo.done).toEqual(['new']);
  });

  it('hundreds that expire at once all go, and what is behind them is delivered', async () => {
    stage.hold(numbered(350, 'old'), { expiresAt: stage.clock.now() + 1000 });
    stage.hold(['new']);
    await stage.clock.advance(1000);
    await stage.connect();
    await stage.run();
    expect(stage.cargo.expired).toHaveLength(350);
    expect(stage.cargo.done).toEqual(['new']);
    expect((await view()).dueAt).toBeUndefined();
  });

  it('a lane whose pushes have all expired wakes nobody and has no due moment', async () => {
    stage.hold(numbered(3), { expiresAt: stage.clock.now() + 1000 });
    await stage.clock.advance(1000);
    await stage.run();
    expect(stage.waker.sent).toEqual([]);
    expect(stage.alarms).toEqual([]);
    expect((await view()).dueAt).toBeUndefined();
  });

  it('a push that may start after it has expired is expired', async () => {
    const now = stage.clock.now();
    stage.hold(['never'], { startsAt: now + 5000, expiresAt: now + 2000 });
    await stage.run();
    expect((await view()).dueAt).toBe(now + 2000);
    await stage.clock.advance(2000);
    await stage.run();
    expect(stage.cargo.expired).toEqual(['never']);
  });

  it('a push whose deadline passes during a slow drain is expired in that drain', async () => {
    const slow = undecided();
    stage.hold(['slow']);
    stage.hold(['short'], { expiresAt: stage.clock.now() + LEASE_MS });
    stage.cargo.script('slow', slow.outcome);
    await stage.connect(new ScriptedConnection('msrp', 1));
    const run = stage.run();
    await stage.clock.advance(2 * LEASE_MS);
    slow.decide(DONE);
    await run;
    expect(stage.cargo.expired).toEqual(['short']);
    expect(stage.cargo.done).toEqual(['slow']);
  });
});

describe('shutting down', () => {
  it('in the middle of a drain ends what is under way and starts nothing', async () => {
    const slow = undecided();
    stage.hold(numbered(10));
    stage.cargo.script('e1', slow.outcome);
    await stage.connect(new ScriptedConnection('msrp', 1));
    const run = stage.run();
    await atRest();
    stage.isStopping = true;
    slow.decide(DONE);
    await run;
    expect(stage.cargo.started).toEqual(['e1']);
    expect(stage.cargo.done).toEqual(['e1']);
    expect(await stage.held()).toHaveLength(9);
  });

  it('leaves the lane due soon, for whoever comes next', async () => {
    stage.hold(['e1']);
    stage.isStopping = true;
    await stage.run();
    expect(stage.waker.sent).toEqual([]);
    expect((await view()).dueAt).toBe(stage.clock.now() + LEASE_MS);
    expect(await stage.store.open(PHONE, window(), HERE)).toBeDefined();
  });
});

describe('when the store fails', () => {
  it('the run rejects with the error once nothing is under way', async () => {
    const slow = undecided();
    stage.hold(['e1', 'e2']);
    stage.cargo.script('e1', { kind: 'leftOver' });
    stage.cargo.script('e2', slow.outcome);
    const other: Partial<LaneStore> = {};
    const broken = instead<LaneStore>(stage.store, other);
    other.remove = async () => {
      throw new InvariantError('no such command');
    };
    await stage.connect();
    let outcome: unknown;
    const run = stage.run({ store: broken }).catch((error) => {
      outcome = error;
    });
    await atRest();
    expect(outcome).toBeUndefined();
    slow.decide(LOST);
    await run;
    expect(outcome).toBeInstanceOf(InvariantError);
    expect(stage.cargo.underWay).toBe(0);
  });

  it('the lane stays due, so that it is found again', async () => {
    stage.hold(['e1']);
    const other: Partial<LaneStore> = {};
    const broken = instead<LaneStore>(stage.store, other);
    other.recordWake = async () => {
      throw new Error('gone');
    };
    await expect(stage.run({ store: broken })).rejects.toThrow('gone');
    expect((await view()).dueAt).toBe(stage.clock.now() + LEASE_MS);
  });
});

describe('the clock of the machine', () => {
  it('set back during a drain does not stop it', async () => {
    stage.hold(numbered(40));
    let handed = 0;
    stage.cargo.otherwise = () => {
      handed += 1;
      if (handed === 5) stage.clock.step(-HOUR / 2);
      return DONE;
    };
    await stage.connect();
    await stage.run();
    expect(stage.cargo.done).toHaveLength(40);
  });

  it('set forward past the lease during a drain prolongs it first', async () => {
    stage.hold(numbered(40));
    let handed = 0;
    stage.cargo.otherwise = () => {
      handed += 1;
      if (handed === 5) stage.clock.step(2 * LEASE_MS);
      return DONE;
    };
    await stage.connect();
    await stage.run();
    expect(stage.cargo.done).toHaveLength(40);
    expect(new Set(stage.cargo.done).size).toBe(40);
  });
});

it('an empty lane is let go of without a due moment', async () => {
  await stage.run();
  expect((await view()).dueAt).toBeUndefined();
  expect(stage.alarms).toEqual([]);
});

it('no timer is left running after any run', async () => {
  stage.hold(numbered(30));
  await stage.connect();
  await stage.run();
  await stage.disconnect();
  stage.hold(['e99']);
  await stage.run();
  expect(stage.clock.pending).toBe(0);
});
