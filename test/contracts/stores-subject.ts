/** What the contract suites of the lane store and the push store run on: both stores over the same data, and a clock. */
import type { LaneStore } from '../../src/lane/ports.js';
import type { PushStore } from '../../src/push/ports.js';
import { FakeClock } from '../support/fake-clock.js';
import { MemoryLaneStore } from '../support/memory-lane-store.js';
import { MemoryPushStore } from '../support/memory-push-store.js';

export const LEAST_SIR_INTERVAL_MS = 10_000;
export const RETENTION_MS = 60_000;
/** Content up to this size lies in Redis in the contract tests. */
export const INLINE_BYTES = 1000;

export interface Stores {
  readonly clock: FakeClock;
  readonly lanes: LaneStore;
  readonly pushes: PushStore;
}

/** Gives stores without any content. */
export type MakeStores = () => Stores | Promise<Stores>;

export function memoryStores(): Stores {
  const clock = new FakeClock();
  const now = () => clock.now();
  const lanes = new MemoryLaneStore({ now, leastSirIntervalMs: LEAST_SIR_INTERVAL_MS });
  return { clock, lanes, pushes: new MemoryPushStore(lanes, { now, retentionMs: RETENTION_MS }) };
}
