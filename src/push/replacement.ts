/**
 * Replacement (PAP 2.0, `replace-push-id`): a push takes the place of an older one of the same initiator. Everywhere (`all`), or only
 * where the older one is still pending (`pending-only`).
 *
 * The new push is stored first, but in no lane; then what is still held of the older one is taken back; then the new one takes its
 * place. So nobody is left without both, and no terminal gets the older one after the newer. A crash in between leaves the push
 * marked as unplaced, and `finishAcceptances` takes the same two steps.
 */
import { RefusedError } from '../kernel/errors.js';
import type { ReplaceMethod } from '../protocols/pap/index.js';
import type { TerminalId } from '../registry/terminal-id.js';
import { type CancellationPorts, takeBack } from './cancellation.js';
import type { Placement } from './ports.js';
import { type PushStory, type PushUid, pushUid, type Recipient } from './push-message.js';

/** Which push is to be replaced, as the initiator names it. */
export interface Replacement {
  readonly pushId: string;
  readonly method: ReplaceMethod;
}

/** The push that is to be replaced. Throws RefusedError `pushNotFound`. */
export async function findReplaced(
  initiator: string,
  { pushId }: Replacement,
  { store }: Pick<CancellationPorts, 'store'>,
): Promise<PushStory> {
  const story = await store.story(pushUid(initiator, pushId));
  if (!story) throw RefusedError.telling('pushNotFound', 'the push to be replaced is not known');
  return story;
}

/** The recipients that the new push goes to. Throws RefusedError `tooLate` when `pending-only` leaves none. */
export function recipientsOfReplacement(
  recipients: readonly Recipient[],
  replaced: PushStory,
  { method }: Replacement,
): readonly Recipient[] {
  if (method === 'all') return recipients;
  const pending = new Set(
    replaced.deliveries.filter(({ state }) => state === 'held').map(({ terminal }) => terminal),
  );
  const left = recipients.map((recipient): Recipient => {
    const terminals = recipient.terminals.filter((terminal) => pending.has(terminal));
    if (terminals.length > 0 || recipient.refused) return { ...recipient, terminals };
    return {
      ...recipient,
      terminals,
      refused: { code: 'tooLate', detail: 'the replaced push is not pending here' },
    };
  });
  if (left.some(({ terminals }) => terminals.length > 0)) return left;
  throw RefusedError.telling('tooLate', 'the push to be replaced is not pending any more');
}

/** Takes back the older push and puts the newer one into the lanes. Safe to repeat. */
export async function carryOutReplacement(
  uid: PushUid,
  ports: CancellationPorts,
): Promise<readonly Placement[]> {
  const { store } = ports;
  const newer = await store.story(uid);
  const older = newer?.push.replaces === undefined ? undefined : await store.story(newer.push.replaces);
  if (newer && older) {
    const held = older.deliveries.filter(({ state }) => state === 'held').map(({ terminal }) => terminal);
    await takeBack(older.push, held, `replaced by ${newer.push.pushId}`, ports);
  }
  return store.place(uid);
}

/** Finishes what a crash cut short between storing a push and placing it. Returns the lanes touched. */
export async function finishAcceptances(
  options: { readonly olderThan: number; readonly limit: number },
  ports: CancellationPorts,
): Promise<readonly TerminalId[]> {
  const touched: TerminalId[] = [];
  for (const uid of await ports.store.unplaced(options.olderThan, options.limit)) {
    touched.push(...(await carryOutReplacement(uid, ports)).map(({ terminal }) => terminal));
  }
  return touched;
}
