/**
 * Receipt: what a network says later of content that was handed to it (`awaited`). It ends the delivery, or, when the
 * network gave it up and the terminal can be reached in another way, puts it back in line. Receipts come late, twice, or before
 * the network's own answer: whatever comes after the end changes nothing.
 */
import type { BearerName } from '../registry/bearer-name.js';
import type { TerminalId } from '../registry/terminal-id.js';
import { type GivingUpPorts, giveUp } from './giving-up.js';
import type { PushUid } from './push-message.js';
import { settleDelivery } from './settling.js';

export interface ReceiptPorts extends GivingUpPorts {
  readonly kick: (terminal: TerminalId) => void;
}

export interface Receipt {
  readonly uid: PushUid;
  readonly terminal: TerminalId;
  readonly bearer: BearerName;
  /** `aborted`: the terminal itself refused it. */
  readonly outcome: 'delivered' | 'failed' | 'aborted';
  /** In words for the operator and the initiator. */
  readonly detail: string;
  /** What the initiator is told of a failure; absent: the code of the state. */
  readonly code?: number;
}

/** Resolves when what the receipt says is durable. Safe to repeat. */
export async function takeReceipt(receipt: Receipt, ports: ReceiptPorts): Promise<void> {
  const { uid, terminal, bearer, outcome, detail, code } = receipt;
  const { store, clock } = ports;
  const story = await store.story(uid);
  if (!story) return; // settled and forgotten
  const { failedBearers = [] } = story.deliveries.find((one) => one.terminal === terminal) ?? {};
  if (outcome !== 'delivered' && failedBearers.includes(bearer)) {
    // Told before. A crash may have come before it was back in line; another bearer may have it as well.
    if ((await store.giveUp(uid, terminal, { bearer, at: clock.now() })) === 'held') ports.kick(terminal);
    return;
  }
  if (outcome === 'failed') {
    const given = { terminal, bearer, failedBearers, detail, ...(code === undefined ? {} : { code }) };
    if ((await giveUp(story.push, given, ports)) === 'next') ports.kick(terminal);
    return;
  }
  if (outcome === 'delivered') {
    const ageMs = clock.now() - story.push.acceptedAt;
    await settleDelivery(uid, terminal, { event: 'deliver' }, ports, ageMs);
  } else {
    const told = code === undefined ? {} : { code };
    await settleDelivery(uid, terminal, { event: 'abort', reason: detail, ...told }, ports);
  }
}
