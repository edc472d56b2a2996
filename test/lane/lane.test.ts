/** The states of a lane: every state with every event, and the state that a record stands for. */
import { describe, expect, it } from 'vitest';
import { InvariantError } from '../../src/kernel/errors.js';
import { advance } from '../../src/kernel/transition-table.js';
import { LANE, type LaneEvent, type LaneState, laneState } from '../../src/lane/lane.js';

const EVENTS: readonly LaneEvent[] = [
  'place',
  'wake',
  'giveUpWake',
  'connect',
  'disconnect',
  'drain',
  'hold',
  'release',
];
const MOVES: Record<LaneState, Partial<Record<LaneEvent, LaneState>>> = {
  empty: { place: 'waiting', connect: 'connected', hold: 'onHold' },
  waiting: { place: 'waiting', wake: 'initiated', connect: 'connected', drain: 'empty', hold: 'onHold' },
  initiated: {
    place: 'initiated',
    wake: 'initiated',
    giveUpWake: 'waiting',
    connect: 'connected',
    drain: 'empty',
    hold: 'onHold',
  },
  connected: {
    place: 'connected',
    connect: 'connected',
    drain: 'connected',
    disconnect: 'waiting',
    hold: 'onHold',
  },
  onHold: {
    place: 'onHold',
    connect: 'onHold',
    disconnect: 'onHold',
    drain: 'onHold',
    hold: 'onHold',
    release: 'waiting',
  },
};

describe('the lane table', () => {
  for (const [state, moves] of Object.entries(MOVES) as [LaneState, (typeof MOVES)[LaneState]][]) {
    for (const event of EVENTS) {
      const next = moves[event];
      it(`${state} on ${event} ${next === undefined ? 'throws' : `becomes ${next}`}`, () => {
        const move = () => advance<LaneState, LaneEvent>(LANE, state, event);
        if (next === undefined) expect(move).toThrow(InvariantError);
        else expect(move()).toBe(next);
      });
    }
  }
});

describe('the state of a lane', () => {
  const idle = { epoch: 0, sent: 0, method: 0, notBefore: 0 };
  const woken = { epoch: 0, sent: 1, method: 1, notBefore: 10, sirId: 's' };
  const session = { id: 's', node: 'n' };
  const hold = { reason: 'a complaint', since: 50 };
  const cases = [
    ['nothing held, nobody there', { held: 0, deferred: 0, parked: 0, connections: {}, wake: idle }, 'empty'],
    ['something held', { held: 1, deferred: 0, parked: 0, connections: {}, wake: idle }, 'waiting'],
    ['something deferred only', { held: 0, deferred: 1, parked: 0, connections: {}, wake: idle }, 'waiting'],
    ['a receipt awaited', { held: 0, deferred: 0, parked: 1, connections: {}, wake: idle }, 'waiting'],
    ['a SIR was sent', { held: 1, deferred: 0, parked: 0, connections: {}, wake: woken }, 'initiated'],
    ['nothing held after a SIR', { held: 0, deferred: 0, parked: 0, connections: {}, wake: woken }, 'empty'],
    ['a session', { held: 0, deferred: 0, parked: 0, connections: { session }, wake: idle }, 'connected'],
    [
      'registered for MESSAGE',
      { held: 1, deferred: 0, parked: 0, connections: { messageUntil: 101 }, wake: woken },
      'connected',
    ],
    ['a hold', { held: 0, deferred: 0, parked: 0, connections: {}, wake: idle, hold }, 'onHold'],
    [
      'a hold, whoever is connected',
      { held: 1, deferred: 0, parked: 0, connections: { session }, wake: idle, hold },
      'onHold',
    ],
    [
      'a registration that ended',
      { held: 1, deferred: 0, parked: 0, connections: { messageUntil: 100 }, wake: idle },
      'waiting',
    ],
  ] as const;
  it.each(cases)('with %s', (_what, view, state) => {
    expect(laneState(view, 100)).toBe(state);
  });
});
