/**
 * What the initiator of a push in JSON is told about one address: the body of a webhook. The same octets and the same id at every
 * attempt; signing and sending belong to `peers/webhook.ts`, repeating to `result-notification.ts`. No terminal, no
 * device and no decision of ours is named: what is told is what the PAP report tells.
 */
import { InvariantError } from '../kernel/errors.js';
import type { AddressResult } from './address-result.js';
import type { Webhook } from './ports.js';
import type { PushHead, Recipient } from './push-message.js';

/** `index` is the place of the recipient in the push. Throws InvariantError for a push that takes no webhooks. */
export function buildWebhook(
  push: PushHead,
  index: number,
  recipient: Recipient,
  result: AddressResult,
): Webhook {
  const { uid, pushId, acceptedAt, sourceReference, json } = push;
  if (json?.webhookSecret === undefined) throw new InvariantError('this push takes no webhooks');
  const id = `${uid}-${index}`;
  const { messageState, code, at, reason } = result;
  const event = {
    id,
    type: 'push.result',
    pushId,
    acceptedAt: instantText(acceptedAt),
    ...(sourceReference === undefined ? {} : { sourceReference }),
    recipient: {
      address: recipient.address,
      state: messageState,
      code,
      at: instantText(at),
      ...(reason === undefined ? {} : { reason }),
    },
  };
  return { id, body: Buffer.from(JSON.stringify(event), 'utf8'), secret: json.webhookSecret };
}

function instantText(at: number): string {
  return new Date(at).toISOString();
}
