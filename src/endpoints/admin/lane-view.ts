/** A lane as the admin API shows it: what it holds, how the terminal is connected, and how waking it went. */
import type { LaneHold, LaneView, WakeRecord } from '../../lane/lane.js';
import type { Terminal } from '../../registry/user.js';
import { instant } from '../http/instant.js';

export function laneView(lane: LaneView, terminal: Terminal) {
  const { session, messageUntil } = lane.connections;
  const { sent, method, notBefore, sirId } = lane.wake;
  return {
    user: terminal.user,
    terminal: terminal.name,
    id: terminal.id,
    state: lane.state,
    isHeld: lane.hold !== undefined,
    ...holdView(lane.hold),
    held: lane.held,
    deferred: lane.deferred,
    parked: lane.parked,
    connections: {
      ...(session === undefined ? {} : { session: { id: session.id, node: session.node } }),
      ...instant('messageUntil', messageUntil),
    },
    wake: {
      sent,
      method,
      // 0 means "at once": there is no moment to show.
      ...(notBefore === 0 ? {} : instant('notBefore', notBefore)),
      ...(sirId === undefined ? {} : { sirId }),
    },
    ...instant('dueAt', lane.dueAt),
    wakes: lane.wakes.map(wakeView),
  };
}

/** `{ hold }`, or nothing for a lane that is not on hold. */
export function holdView(hold: LaneHold | undefined) {
  return hold === undefined ? {} : { hold: { reason: hold.reason, ...instant('since', hold.since) } };
}

export function wakeView({
  sirId,
  at,
  bearer,
  address,
  outcome,
  detail,
  mode,
  reasons,
  receipt,
}: WakeRecord) {
  return {
    sirId,
    ...instant('at', at),
    bearer,
    ...(address === undefined ? {} : { address }),
    outcome,
    detail,
    ...(mode === undefined ? {} : { mode }),
    ...(reasons === undefined ? {} : { reasons }),
    ...(receipt === undefined ? {} : { receipt: { ...receipt, ...instant('at', receipt.at) } }),
  };
}
