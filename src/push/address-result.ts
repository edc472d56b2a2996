/** The state of an address: what its deliveries come to, as the initiator is told (PAP §9.14). Pure. */
import type { MessageState } from '../protocols/pap/index.js';
import { type DeliveryState, PAP_STATE } from './journey.js';
import type { DeliveryRecord, Recipient } from './push-message.js';

/** Which delivery speaks for an address that stands for several terminals: the first of these that occurs. */
const PRECEDENCE: readonly DeliveryState[] = [
  'held',
  'handed',
  'delivered',
  'aborted',
  'undeliverable',
  'timedOut',
  'cancelled',
  'expired',
];

export interface AddressResult {
  readonly messageState: MessageState;
  readonly code: number;
  readonly at: number;
  readonly reason?: string;
}

/**
 * The PAP state of one address: pending while any of its terminals is, delivered when at least one terminal has the
 * content, else the state of the delivery that speaks for it. `refusedCode` maps the refusal of the address itself.
 */
export function addressResult(
  recipient: Recipient,
  deliveries: readonly DeliveryRecord[],
  acceptedAt: number,
  refusedCode: (recipient: Recipient) => number,
): AddressResult {
  if (recipient.refused) {
    return {
      messageState: 'rejected',
      code: refusedCode(recipient),
      at: acceptedAt,
      reason: recipient.refused.detail,
    };
  }
  const mine = deliveriesOf(recipient, deliveries);
  for (const state of PRECEDENCE) {
    const speaker = mine.find((delivery) => delivery.state === state);
    if (!speaker) continue;
    const { messageState, code } = PAP_STATE[state];
    return {
      messageState,
      code: speaker.code ?? code,
      at: Math.max(...mine.map((delivery) => delivery.at)),
      ...(speaker.reason === undefined ? {} : { reason: speaker.reason }),
    };
  }
  return { messageState: 'unknown', code: 4000, at: acceptedAt };
}

/** Of the deliveries of a push those that an address stands for. */
export function deliveriesOf(
  { terminals }: Pick<Recipient, 'terminals'>,
  deliveries: readonly DeliveryRecord[],
): readonly DeliveryRecord[] {
  return deliveries.filter(({ terminal }) => terminals.includes(terminal));
}
