/** When the next SIR goes out, and by which method. */
import { describe, expect, it } from 'vitest';
import type { WakeOutcome } from '../../src/lane/ports.js';
import { afterWake, FRESH_WAKE } from '../../src/lane/wake-schedule.js';

const NOW = 1_000_000;
const schedule = { retryMs: [30_000, 60_000, 120_000] };

function outcome(kind: WakeOutcome['record']['outcome'], methods: number): WakeOutcome {
  return { methods, record: { sirId: 'sir', at: NOW, bearer: 'sip', outcome: kind, detail: '' } };
}

describe('after a SIR that was handed over (SIR-10)', () => {
  it('the first pause is kept and the next method is next', () => {
    expect(afterWake(FRESH_WAKE, outcome('handed', 2), schedule, NOW)).toEqual({
      epoch: 0,
      sent: 1,
      method: 1,
      notBefore: NOW + 30_000,
      sirId: 'sir',
    });
  });

  it('pauses grow and the last one repeats', () => {
    const pauses: number[] = [];
    let state = FRESH_WAKE;
    for (let round = 0; round < 5; round += 1) {
      state = afterWake(state, outcome('handed', 1), schedule, NOW);
      pauses.push(state.notBefore - NOW);
    }
    expect(pauses).toEqual([30_000, 60_000, 120_000, 120_000, 120_000]);
  });

  it('the methods go round', () => {
    let state = FRESH_WAKE;
    const methods: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      methods.push(state.method % 3);
      state = afterWake(state, outcome('handed', 3), schedule, NOW);
    }
    expect(methods).toEqual([0, 1, 2, 0, 1]);
  });

  it('a refusal by the terminal is given the same pause', () => {
    expect(afterWake(FRESH_WAKE, outcome('refused', 2), schedule, NOW).notBefore).toBe(NOW + 30_000);
  });
});

describe('whoever was asked wants to be left alone', () => {
  const asked = (retryAt: number, methods: number) => ({ ...outcome('failed', methods), retryAt });

  it('and the next round begins no earlier', () => {
    expect(afterWake(FRESH_WAKE, asked(NOW + 90_000, 1), schedule, NOW).notBefore).toBe(NOW + 90_000);
    expect(afterWake(FRESH_WAKE, asked(NOW + 1, 1), schedule, NOW).notBefore).toBe(NOW + 30_000);
  });

  it('and another method is tried at once all the same', () => {
    expect(afterWake(FRESH_WAKE, asked(NOW + 90_000, 2), schedule, NOW).notBefore).toBe(NOW);
  });
});

describe('after a SIR that failed', () => {
  it('the next method may be tried at once', () => {
    expect(afterWake(FRESH_WAKE, outcome('failed', 2), schedule, NOW)).toEqual({
      epoch: 0,
      sent: 0,
      method: 1,
      notBefore: NOW,
    });
  });

  it('the last method of a round is followed by a pause', () => {
    const state = afterWake(
      { epoch: 0, sent: 0, method: 1, notBefore: NOW },
      outcome('failed', 2),
      schedule,
      NOW,
    );
    expect(state).toEqual({ epoch: 0, sent: 1, method: 2, notBefore: NOW + 30_000 });
  });

  it('no SIR id is remembered, because none went out', () => {
    expect(afterWake(FRESH_WAKE, outcome('failed', 1), schedule, NOW).sirId).toBeUndefined();
  });
});

describe('a terminal without any method', () => {
  it('is looked at again later, not at once and not never', () => {
    const state = afterWake(FRESH_WAKE, outcome('failed', 0), schedule, NOW);
    expect(state.notBefore).toBeGreaterThan(NOW);
    expect(state.notBefore).toBeLessThan(Number.MAX_SAFE_INTEGER);
    expect(state.sent).toBe(0);
  });
});

it.each([
  ['an empty list of pauses', []],
  ['a pause of nothing', [0]],
])('%s still makes SIRs wait a second (SIR-168)', (_what, retryMs) => {
  expect(afterWake(FRESH_WAKE, outcome('handed', 1), { retryMs }, NOW).notBefore).toBe(NOW + 1000);
});
