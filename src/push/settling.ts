/** Settling: ends one delivery in the store, and does what follows from it outside the store: telemetry, and the alarms of reports. */
import type { Clock } from '../kernel/clock.js';
import type { ConnectionBearer, ConnectionOutcome } from '../lane/ports.js';
import type { TerminalId } from '../registry/terminal-id.js';
import type { DeliveryState } from './journey.js';
import type { Alarms, PushStore, Settlement } from './ports.js';
import { FIRST_HAS_IT, type PushUid } from './push-message.js';

/** What telemetry is told. */
export type DeliveryFact =
  | {
      readonly kind: 'attempted';
      readonly uid: PushUid;
      readonly terminal: TerminalId;
      readonly bearer: ConnectionBearer;
      readonly outcome: ConnectionOutcome;
      /** Of the content as it went out. */
      readonly bytes: number;
      readonly latencyMs: number;
    }
  | {
      readonly kind: 'settled';
      readonly uid: PushUid;
      readonly terminal: TerminalId;
      readonly state: DeliveryState;
      readonly reason?: string;
      readonly ageMs?: number;
    }
  | {
      readonly kind: 'failed';
      readonly uid: PushUid;
      readonly terminal: TerminalId;
      readonly error: unknown;
    };

export interface SettlingPorts {
  readonly store: PushStore;
  readonly clock: Clock;
  readonly alarms: Pick<Alarms, 'resultDue'>;
  readonly observe: (fact: DeliveryFact) => void;
}

/**
 * Ends a delivery, tells telemetry, and sets the alarms of the reports that are owed now. Returns false when the delivery had ended
 * before.
 */
export async function settleDelivery(
  uid: PushUid,
  terminal: TerminalId,
  settlement: Omit<Settlement, 'at' | 'notifyAt'>,
  { store, clock, alarms, observe }: SettlingPorts,
  ageMs?: number,
): Promise<boolean> {
  const now = clock.now();
  const { moved, state, takenBack, owed } = await store.settle(uid, terminal, {
    ...settlement,
    at: now,
    notifyAt: now,
  });
  const { reason } = settlement;
  if (moved && state !== undefined) {
    observe({
      kind: 'settled',
      uid,
      terminal,
      state,
      ...(reason === undefined ? {} : { reason }),
      ...(ageMs === undefined ? {} : { ageMs }),
    });
  }
  for (const other of takenBack) {
    observe({ kind: 'settled', uid, terminal: other, state: 'cancelled', reason: FIRST_HAS_IT });
  }
  await Promise.all(owed.map((recipient) => alarms.resultDue(uid, recipient, now)));
  return moved;
}
