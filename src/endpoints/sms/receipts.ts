/**
 * A receipt of an SMSC: which part of which push or SIR it is about, and what is known of the whole now. It may come before the answer to the submission,
 * after a restart, on another connection, several times, and behind its own contradiction.
 */
import { MINUTE_MS } from '../../kernel/units.js';
import {
  decodeReceipt,
  type Parameters,
  type ShortMessage,
  type Receipt as SmscReceipt,
} from '../../protocols/smpp/index.js';
import { namesInReceipt } from '../../push/part-names.js';
import { type CarriedPart, type PartReceipt, wholeOf } from '../../push/parts.js';
import type { PushUid } from '../../push/push-message.js';
import type { ReceivingLink, SmsEndpointPorts } from './ports.js';

/** How long a receipt waits for the answer to the submission that it overtook: longer than that may take. Those of other people's messages wait as well. */
const EARLY_MS = 5 * MINUTE_MS;

/** What the states of SMPP say of a part; those that are not here say that it is on its way. */
const FINAL: Partial<Record<SmscReceipt['state'], PartReceipt['state']>> = {
  delivered: 'delivered',
  expired: 'failed',
  deleted: 'failed',
  undeliverable: 'failed',
  rejected: 'failed',
};

/** Resolves when what it says is durable; rejects when it cannot be kept now. */
export async function takeSmscReceipt(
  message: Pick<ShortMessage, 'source' | 'destination' | 'shortMessage'>,
  parameters: Parameters,
  link: ReceivingLink,
  ports: SmsEndpointPorts,
): Promise<void> {
  const { observe } = ports;
  const told = decodeReceipt(message.shortMessage, parameters);
  if (!told) return observe({ kind: 'receipt', link: link.name, state: 'unreadable' });
  const state = FINAL[told.state];
  if (state === undefined) return observe({ kind: 'receipt', link: link.name, state: told.state });
  const receipt = { state, detail: detailOf(told) };
  const part = await partOf(told.messageId, message, receipt, link, ports);
  if (!part) return observe({ kind: 'receipt', link: link.name, state: told.state });
  const { what, id, terminal, bearer } = part;
  observe({ kind: 'receipt', link: link.name, state: told.state, [what]: id, terminal, bearer });
  const states = part.total === 1 ? [state] : await ports.ledger.raise(part, state, { until: ports.now() });
  const whole = wholeOf(states);
  if (whole !== 'delivered' && whole !== 'failed') return;
  const { detail } = receipt;
  if (what === 'sir') await ports.sirReceipt({ sir: id, terminal, outcome: whole, detail });
  else await ports.receipt({ uid: id as PushUid, terminal, bearer, outcome: whole, detail });
}

/** By the number that the message went to, which most SMSCs give as the sender of the receipt and some as its recipient. */
async function partOf(
  messageId: string,
  { source, destination }: Pick<ShortMessage, 'source' | 'destination'>,
  receipt: PartReceipt,
  link: ReceivingLink,
  { ledger, now }: SmsEndpointPorts,
): Promise<CarriedPart | undefined> {
  const bySource = namesInReceipt(messageId, source, link);
  const found = await ledger.find(namesInReceipt(messageId, destination, link).names);
  return (
    found ?? ledger.findOrKeep(bySource.names, { name: bySource.early, receipt, until: now() + EARLY_MS })
  );
}

function detailOf({ state, error }: SmscReceipt): string {
  return `the message centre reports: ${state}${error === undefined ? '' : ` (error ${error})`}`;
}
