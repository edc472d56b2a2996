/** Runs the phone's lane once with the real delivery and a terminal that confirms everything. */

import type { LaneStore, TerminalConnection } from '../../src/lane/ports.js';
import { runLane } from '../../src/lane/run-lane.js';
import { PushDelivery } from '../../src/push/delivery.js';
import type { PushStore } from '../../src/push/ports.js';
import { contentValidator } from './content.js';
import type { FakeClock } from './fake-clock.js';
import { PHONE } from './pushes.js';

export interface OneDelivery {
  readonly clock: FakeClock;
  readonly lanes: LaneStore;
  readonly pushes: PushStore;
}

export async function runOne({ clock, lanes, pushes }: OneDelivery): Promise<void> {
  const connection: TerminalConnection = {
    bearer: 'msrp',
    window: 8,
    isOpen: true,
    deliver: async () => ({ kind: 'confirmed' }),
  };
  const nothing = async () => {};
  const alarms = { resultDue: nothing };
  const cargo = new PushDelivery({
    store: pushes,
    contentValidator,
    clock,
    alarms,
    observe: () => {},
    ways: async () => [],
  });
  await runLane(
    PHONE,
    {
      store: lanes,
      cargo,
      connections: {
        session: () => connection,
        message: async () => undefined,
        direct: async () => undefined,
      },
      waker: {
        wake: () => {
          throw new Error('nobody is to be woken');
        },
      },
      nodes: { self: 'here', isAlone: false, isAlive: async () => true, kick: nothing, kickAll: nothing },
      clock,
      laneDue: () => {
        throw new Error('no alarm is to be set');
      },
    },
    { leaseMs: 30_000, readAhead: 32, schedule: { retryMs: [60_000] }, isStopping: () => false },
  );
}
