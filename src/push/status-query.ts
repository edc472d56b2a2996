/** Status query (PAP §9.8): the state of every address of a push, or of the addresses that the query names, one result for each distinct state. */
import { RefusedError } from '../kernel/errors.js';
import type { StatusQueryResult } from '../protocols/pap/index.js';
import { addressResult, deliveriesOf } from './address-result.js';
import type { PushStore } from './ports.js';
import { type PushStory, pushUid, type Recipient } from './push-message.js';
import { usedQuality } from './quality-of-service.js';
import { refusedCode } from './result-notification.js';

/** Throws RefusedError `pushNotFound`, or `addressNotFound` when the query names an address that the push does not have. */
export async function queryStatus(
  query: { readonly initiator: string; readonly pushId: string; readonly addresses: readonly string[] },
  store: PushStore,
): Promise<readonly StatusQueryResult[]> {
  const story = await store.story(pushUid(query.initiator, query.pushId));
  if (!story) throw new RefusedError('pushNotFound', 'no push has this push-id');
  const results = new Map<string, StatusQueryResult>();
  for (const recipient of recipientsNamed(story, query.addresses)) {
    const result = resultOf(story, recipient);
    const key = `${result.messageState} ${result.code} ${result.eventTime ?? ''} ${result.desc ?? ''}`;
    const same = results.get(key);
    results.set(key, { ...result, addresses: [...(same?.addresses ?? []), recipient.address] });
  }
  return [...results.values()];
}

/** The recipients that `addresses` names, all of them when it is empty. */
export function recipientsNamed(story: PushStory, addresses: readonly string[]): readonly Recipient[] {
  const { recipients } = story.push;
  if (addresses.length === 0) return recipients;
  return addresses.map((address) => {
    const found = recipients.find((recipient) => recipient.address === address);
    if (!found) throw new RefusedError('addressNotFound', 'the push was not sent to this address');
    return found;
  });
}

function resultOf(story: PushStory, recipient: Recipient): StatusQueryResult {
  const { push, deliveries } = story;
  const { messageState, code, at, reason } = addressResult(
    recipient,
    deliveries,
    push.acceptedAt,
    refusedCode,
  );
  return {
    eventTime: at,
    messageState,
    code,
    addresses: [],
    ...(reason === undefined ? {} : { desc: reason }),
    ...(push.quality === undefined
      ? {}
      : { qualityOfService: usedQuality(push.quality, deliveriesOf(recipient, deliveries)) }),
  };
}
