/** Cancellation: takes back what is still held. A delivery that has been settled keeps its state. */
import type { Clock } from '../kernel/clock.js';
import { RefusedError } from '../kernel/errors.js';
import type { TerminalId } from '../registry/terminal-id.js';
import type { Alarms, PushStore } from './ports.js';
import type { Push, PushUid, Recipient } from './push-message.js';
import { recipientsNamed } from './status-query.js';

export interface CancellationPorts {
  readonly store: PushStore;
  readonly alarms: Pick<Alarms, 'resultDue'>;
  readonly clock: Clock;
}

export interface Cancelled {
  readonly recipient: Recipient;
  /** How many deliveries were taken back; 0 means that it was too late for this address. */
  readonly deliveries: number;
}

/**
 * Throws RefusedError `pushNotFound` or `addressNotFound`. The state moves first: an entry that a crash leaves in a lane is
 * dropped there when its turn comes.
 */
export async function cancel(
  uid: PushUid,
  options: { readonly addresses: readonly string[]; readonly reason: string },
  ports: CancellationPorts,
): Promise<readonly Cancelled[]> {
  const story = await ports.store.story(uid);
  if (!story) throw new RefusedError('pushNotFound', 'no push has this push-id');
  const recipients = recipientsNamed(story, options.addresses);
  const terminals = [...new Set(recipients.flatMap((recipient) => recipient.terminals))]; // two addresses may share one
  const takenBack = new Set(await takeBack(story.push, terminals, options.reason, ports));
  return recipients.map((recipient) => ({
    recipient,
    deliveries: recipient.terminals.filter((terminal) => takenBack.has(terminal)).length,
  }));
}

/** Takes a push back from these terminals. Returns those for which it was not too late. Safe to repeat. */
export async function takeBack(
  push: Push,
  terminals: readonly TerminalId[],
  reason: string,
  ports: CancellationPorts,
): Promise<readonly TerminalId[]> {
  const { store, alarms, clock } = ports;
  const now = clock.now();
  const takenBack = await Promise.all(
    terminals.map(async (terminal) => {
      const settled = await store.settle(push.uid, terminal, {
        event: 'cancel',
        at: now,
        reason,
        notifyAt: now,
      });
      await Promise.all(settled.owed.map((recipient) => alarms.resultDue(push.uid, recipient, now)));
      return settled.moved ? [terminal] : [];
    }),
  );
  return takenBack.flat();
}
