/**
 * A push as its initiator sees it: what it asked for, and what has become of every address. Terminals, devices, decisions and
 * wake-ups are ours; what went wrong at the notification URL is not told either, because it would tell about our network.
 */
import type { PushStory } from '../../push/push-message.js';
import { instant } from '../http/instant.js';
import { recipientView, withoutCredentials } from '../http/recipient-view.js';

export function pushRepresentation(story: PushStory) {
  const { push, results } = story;
  const { pushId, acceptedAt, notBefore, expiresAt, content, quality, notifyTo, sourceReference } = push;
  const recipients = push.recipients.map((recipient, index) => {
    const result = results.find((one) => one.recipient === index);
    return {
      ...recipientView(story, recipient),
      ...(result === undefined ? {} : { notification: { state: result.state, attempts: result.attempts } }),
    };
  });
  return {
    pushId,
    state: overallState(recipients.map(({ state }) => state)),
    ...instant('acceptedAt', acceptedAt),
    ...instant('deliverAfter', notBefore),
    ...instant('expiresAt', expiresAt),
    content: { type: content.contentType, size: content.size },
    ...(quality === undefined ? {} : { priority: quality.priority, deliveryMethod: quality.deliveryMethod }),
    ...(notifyTo === undefined ? {} : { notify: { url: withoutCredentials(notifyTo) } }),
    ...(sourceReference === undefined ? {} : { sourceReference }),
    recipients,
  };
}

/** `pending` while any address is, then the state that all have, or `mixed`. */
function overallState<State extends string>(states: readonly State[]): State | 'pending' | 'mixed' {
  const [first, ...others] = new Set(states);
  if (states.some((state) => state === 'pending')) return 'pending';
  return first === undefined || others.length > 0 ? 'mixed' : first;
}
