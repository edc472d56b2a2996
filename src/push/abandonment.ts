/** Abandonment: a terminal is gone for good, and what its lane holds is given up so that initiators learn of it. */
import type { Clock } from '../kernel/clock.js';
import type { LaneEntry } from '../lane/lane.js';
import type { LaneStore } from '../lane/ports.js';
import type { TerminalId } from '../registry/terminal-id.js';
import type { Alarms, PushStore } from './ports.js';
import type { PushUid } from './push-message.js';

export interface AbandonmentPorts {
  readonly store: Pick<PushStore, 'settle'>;
  readonly lanes: Pick<LaneStore, 'entries' | 'remove'>;
  readonly alarms: Pick<Alarms, 'resultDue'>;
  readonly clock: Clock;
}

/** Entries given up in one go. */
const BATCH = 100;

/** Settles everything held as undeliverable and empties the lane. Safe to repeat; an empty lane is no error. */
export async function abandonLane(
  terminal: TerminalId,
  reason: string,
  ports: AbandonmentPorts,
): Promise<void> {
  const { store, lanes, alarms, clock } = ports;
  const give = async ({ id }: LaneEntry): Promise<void> => {
    const uid = id as PushUid;
    const now = clock.now();
    const settled = await store.settle(uid, terminal, {
      event: 'fail',
      code: 2003,
      reason,
      at: now,
      notifyAt: now,
    });
    for (const recipient of settled.owed) void alarms.resultDue(uid, recipient, now);
  };
  for (;;) {
    const entries = await lanes.entries(terminal, BATCH);
    if (entries.length === 0) return;
    await Promise.all(entries.map(give));
    await lanes.remove(terminal, entries);
  }
}
