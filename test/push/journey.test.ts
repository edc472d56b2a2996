/** The two machines of a push, every state with every event, and what an initiator is told of an address. */
import { describe, expect, it } from 'vitest';
import { InvariantError } from '../../src/kernel/errors.js';
import { advance } from '../../src/kernel/transition-table.js';
import { addressResult } from '../../src/push/address-result.js';
import {
  DELIVERY,
  type DeliveryEvent,
  type DeliveryState,
  isSettled,
  PAP_STATE,
  RESULT,
  type ResultEvent,
  type ResultState,
  settledState,
} from '../../src/push/journey.js';
import type { DeliveryRecord, Recipient } from '../../src/push/push-message.js';
import type { TerminalId } from '../../src/registry/terminal-id.js';
import { PC, PDA, PHONE } from '../support/pushes.js';

const DELIVERY_MOVES: Record<DeliveryState, Partial<Record<DeliveryEvent, DeliveryState>>> = {
  held: {
    handOver: 'handed',
    deliver: 'delivered',
    expire: 'expired',
    cancel: 'cancelled',
    fail: 'undeliverable',
    abort: 'aborted',
  },
  handed: {
    takeBack: 'held',
    deliver: 'delivered',
    expire: 'timedOut',
    fail: 'undeliverable',
    abort: 'aborted',
  },
  delivered: {},
  expired: {},
  timedOut: {},
  cancelled: {},
  undeliverable: {},
  aborted: {},
};
const SETTLING_EVENTS = ['deliver', 'expire', 'cancel', 'fail', 'abort'] as const;
const DELIVERY_EVENTS: readonly DeliveryEvent[] = ['handOver', 'takeBack', ...SETTLING_EVENTS];
const RESULT_MOVES: Record<ResultState, Partial<Record<ResultEvent, ResultState>>> = {
  owed: { acknowledge: 'sent', giveUp: 'abandoned' },
  sent: {},
  abandoned: {},
};
const RESULT_EVENTS: readonly ResultEvent[] = ['acknowledge', 'giveUp'];

describe('the delivery table', () => {
  for (const [state, moves] of Object.entries(DELIVERY_MOVES)) {
    for (const event of DELIVERY_EVENTS) {
      const next = moves[event];
      it(`${state} on ${event} ${next === undefined ? 'throws' : `becomes ${next}`}`, () => {
        const move = () => advance<DeliveryState, DeliveryEvent>(DELIVERY, state as DeliveryState, event);
        if (next === undefined) expect(move).toThrow(InvariantError);
        else expect(move()).toBe(next);
      });
    }
  }

  it('every state but held and handed is final', () => {
    const states = Object.keys(DELIVERY) as DeliveryState[];
    expect(states.filter((state) => !isSettled(state))).toEqual(['held', 'handed']);
  });

  it.each(SETTLING_EVENTS)('%s settles a delivery as the table says, and nothing that is final', (event) => {
    for (const [from, moves] of Object.entries(DELIVERY_MOVES)) {
      expect(settledState(event, from as DeliveryState)).toBe(moves[event]);
    }
  });
});

describe('the result table', () => {
  for (const [state, moves] of Object.entries(RESULT_MOVES)) {
    for (const event of RESULT_EVENTS) {
      const next = moves[event];
      it(`${state} on ${event} ${next === undefined ? 'throws' : `becomes ${next}`}`, () => {
        const move = () => advance<ResultState, ResultEvent>(RESULT, state as ResultState, event);
        if (next === undefined) expect(move).toThrow(InvariantError);
        else expect(move()).toBe(next);
      });
    }
  }
});

describe('the state of an address', () => {
  const all: Recipient = { address: 'a', terminals: [PHONE, PC, PDA] };
  const record = (
    terminal: TerminalId,
    state: DeliveryState,
    at: number,
    more: Partial<DeliveryRecord> = {},
  ): DeliveryRecord => ({ terminal, state, at, attempts: 0, ...more });
  const of = (states: readonly DeliveryState[], recipient: Recipient = all) =>
    addressResult(
      recipient,
      states.map((state, index) => record(recipient.terminals[index] ?? PHONE, state, index)),
      0,
      () => 2003,
    );

  const cases: readonly (readonly [readonly DeliveryState[], string, number])[] = [
    [['held'], 'pending', 1001],
    [['delivered'], 'delivered', 1000],
    [['expired'], 'expired', 4000],
    [['cancelled'], 'cancelled', 1000],
    [['undeliverable'], 'undeliverable', 2006],
    [['aborted'], 'aborted', 5000],
    [['handed'], 'pending', 1001],
    [['timedOut'], 'timeout', 4000],
    [['handed', 'delivered', 'expired'], 'pending', 1001],
    [['expired', 'timedOut', 'cancelled'], 'timeout', 4000],
    [['held', 'delivered', 'expired'], 'pending', 1001],
    [['delivered', 'expired', 'aborted'], 'delivered', 1000],
    [['expired', 'delivered', 'cancelled'], 'delivered', 1000],
    [['expired', 'undeliverable', 'aborted'], 'aborted', 5000],
    [['expired', 'cancelled', 'undeliverable'], 'undeliverable', 2006],
    [['expired', 'expired', 'cancelled'], 'cancelled', 1000],
    [['expired', 'expired', 'expired'], 'expired', 4000],
  ];
  it.each(cases)('with deliveries %j is %s, code %i', (states, messageState, code) => {
    expect(of(states)).toMatchObject({ messageState, code });
  });

  it('every state of a delivery has a public state and a code of the class that goes with it', () => {
    const table = Object.values(PAP_STATE).map(({ messageState, code }) => [
      messageState,
      Math.floor(code / 1000),
    ]);
    expect(table).toEqual([
      ['pending', 1],
      ['pending', 1],
      ['delivered', 1],
      ['expired', 4],
      ['timeout', 4],
      ['cancelled', 1],
      ['undeliverable', 2],
      ['aborted', 5],
    ]);
  });

  it('is as of the last thing that happened to any of its terminals', () => {
    expect(of(['delivered', 'expired', 'expired']).at).toBe(2);
  });

  it('carries the code and reason of the delivery that speaks for it', () => {
    const deliveries = [
      record(PHONE, 'expired', 5),
      record(PC, 'undeliverable', 1, { code: 3000, reason: 'the content is lost' }),
    ];
    expect(addressResult(all, deliveries, 0, () => 0)).toEqual({
      messageState: 'undeliverable',
      code: 3000,
      at: 5,
      reason: 'the content is lost',
    });
  });

  it('does not depend on deliveries to terminals of other addresses', () => {
    const deliveries = [record(PHONE, 'delivered', 1), record(PC, 'held', 2)];
    const phoneOnly = { address: 'a', terminals: [PHONE] };
    expect(addressResult(phoneOnly, deliveries, 0, () => 0).messageState).toBe('delivered');
  });

  it('that was refused is rejected from the start, with the code of the refusal', () => {
    const refused = {
      address: 'x',
      terminals: [],
      refused: { code: 'addressNotFound', detail: 'nobody' },
    } as const;
    expect(addressResult(refused, [], 77, () => 2003)).toEqual({
      messageState: 'rejected',
      code: 2003,
      at: 77,
      reason: 'nobody',
    });
  });

  it('without any terminal is unknown', () => {
    expect(of([], { address: 'x', terminals: [] }).messageState).toBe('unknown');
  });
});
