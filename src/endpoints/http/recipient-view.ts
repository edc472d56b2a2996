/** One recipient of a push in JSON, as operators and initiators see it alike: the state of its address in the terms of PAP. */
import { addressResult } from '../../push/address-result.js';
import type { PushStory, Recipient } from '../../push/push-message.js';
import { refusedCode } from '../../push/result-notification.js';
import { instant } from './instant.js';

export function recipientView({ push, deliveries }: PushStory, recipient: Recipient) {
  const result = addressResult(recipient, deliveries, push.acceptedAt, refusedCode);
  return {
    address: recipient.address,
    state: result.messageState,
    code: result.code,
    ...instant('at', result.at),
    ...(result.reason === undefined ? {} : { reason: result.reason }),
  };
}

/** Initiators put user names and passwords into the URL that they want to be told at. */
export function withoutCredentials(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, '$1');
}
