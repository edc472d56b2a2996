/**
 * Receipt: what a network says later of content that was handed to it (`awaited`). It ends the delivery, or, when the
 * network gave it up and the terminal can be reached in another way, puts it back in line. Receipts come late, twice, or before
 * the network's own answer: whatever comes after the end changes nothing.
 */
import type { BearerName, Terminal, TerminalId } from '../registry/user.js';
import { waysTo } from './bearer-choice.js';
import { type SettlingPorts, settleDelivery } from './delivery.js';
import type { Bearer } from './ports.js';
import type { PushHead, PushUid } from './push-message.js';

export interface ReceiptPorts extends SettlingPorts {
  readonly findTerminal: (terminal: TerminalId) => Promise<Terminal | undefined>;
  readonly bearers: ReadonlyMap<BearerName, Bearer>;
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
  if (outcome !== 'delivered' && failedBearers.includes(bearer)) return; // told before; another bearer has it by now
  // What another gateway gave up is given up: it had the ways.
  if (
    outcome === 'failed' &&
    bearer !== 'delegate' &&
    (await hasOtherWay(story.push, terminal, [...failedBearers, bearer], ports))
  ) {
    if (!(await store.handBack(uid, terminal, { bearer, at: clock.now() }))) return;
    ports.kick(terminal);
    return;
  }
  const told = code === undefined ? {} : { code };
  if (outcome === 'delivered') {
    const ageMs = clock.now() - story.push.acceptedAt;
    await settleDelivery(uid, terminal, { event: 'deliver' }, ports, ageMs);
  } else {
    const event = outcome === 'aborted' ? 'abort' : 'fail';
    await settleDelivery(uid, terminal, { event, reason: detail, ...told }, ports);
  }
}

/** Is there a way to the terminal by a bearer that has not given this push up? */
async function hasOtherWay(
  push: PushHead,
  terminal: TerminalId,
  failed: readonly string[],
  { findTerminal, bearers }: ReceiptPorts,
): Promise<boolean> {
  const record = await findTerminal(terminal);
  if (!record) return false;
  const ways = waysTo(record, push.quality, bearers);
  return ways.some(({ bearer }) => bearers.has(bearer) && !failed.includes(bearer));
}
