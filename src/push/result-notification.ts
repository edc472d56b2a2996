/**
 * Result notification: one report for each address of a push whose initiator asked for it, in the dialect of the submission
 * (its PAP version, or a webhook when it came as JSON), repeated with growing pauses until it is acknowledged or given up. What is owed is kept in the store;
 * alarms only say when to look. A repeat after a crash is possible and harmless: the report says the same.
 */
import type { Clock } from '../kernel/clock.js';
import { describeError, GatewayError } from '../kernel/errors.js';
import { advance } from '../kernel/transition-table.js';
import { SECOND_MS } from '../kernel/units.js';
import { DEFAULT_PAP_VERSION, encodePap, PAP_CODE } from '../protocols/pap/index.js';
import { type AddressResult, addressResult } from './address-result.js';
import { RESULT, type ResultEvent, type ResultState } from './journey.js';
import type { Alarms, InitiatorEndpoint, PushStore, WebhookEndpoint } from './ports.js';
import type { PushUid, Recipient, RecipientStory, ResultRecord } from './push-message.js';
import { usedQuality } from './quality-of-service.js';
import { buildWebhook } from './webhook.js';

export interface ResultPorts {
  readonly store: PushStore;
  readonly initiator: InitiatorEndpoint;
  readonly webhooks: WebhookEndpoint;
  readonly alarms: Pick<Alarms, 'resultDue'>;
  readonly clock: Clock;
  readonly observe: (fact: ResultFact) => void;
}

export interface ResultFact {
  readonly uid: PushUid;
  readonly recipient: number;
  readonly state: ResultState;
  readonly attempts: number;
  readonly reason?: string;
}

export interface ResultOptions {
  /** Pauses after the first, second, … failed attempt in milliseconds; the last one repeats. */
  readonly retryMs: readonly number[];
  readonly maxAttempts: number;
  /** Longer than the initiator may take to answer: an attempt cut off by a crash is repeated after this. */
  readonly attemptLimitMs: number;
  readonly senderName: string;
}

export async function notifyResult(
  uid: PushUid,
  recipient: number,
  ports: ResultPorts,
  options: ResultOptions,
): Promise<void> {
  const { store, clock } = ports;
  const story = await store.recipientStory(uid, recipient);
  const url = story?.push.notifyTo;
  if (!story || url === undefined) {
    await store.forgetResult(uid, recipient);
    return;
  }
  const before = story.result;
  if (!before) return; // nothing is due yet
  if (before.state !== 'owed') return store.forgetResult(uid, recipient); // reported already
  const attempts = before.attempts + 1;
  const started: ResultRecord = { recipient, state: 'owed', attempts, at: clock.now() };
  await store.recordResult(uid, started, clock.now() + options.attemptLimitMs);
  try {
    const { push, deliveries } = story;
    const result = addressResult(story.recipient, deliveries, push.acceptedAt, refusedCode);
    if (push.json) await ports.webhooks.send(url, buildWebhook(push, recipient, story.recipient, result));
    else await ports.initiator.notify(url, papReport(story, result, options.senderName));
    await end(uid, started, 'acknowledge', ports);
  } catch (error) {
    await missed(uid, before, started, error, ports, options);
  }
}

async function missed(
  uid: PushUid,
  before: ResultRecord,
  started: ResultRecord,
  error: unknown,
  ports: ResultPorts,
  options: ResultOptions,
): Promise<void> {
  const { store, clock, alarms } = ports;
  const { recipient, attempts } = started;
  const lastError = describeError(error);
  const isHopeless = error instanceof GatewayError && error.retry === 'never';
  const wasHeldBack = error instanceof GatewayError && error.code === 'busy'; // by us: it never reached the initiator
  if (isHopeless || (!wasHeldBack && attempts >= options.maxAttempts)) {
    return end(uid, { ...started, lastError }, 'giveUp', ports);
  }
  const pauses = options.retryMs;
  const pause = wasHeldBack ? SECOND_MS : (pauses[Math.min(attempts, pauses.length) - 1] ?? 0);
  const next = clock.now() + pause;
  await store.recordResult(uid, { ...(wasHeldBack ? before : started), at: clock.now(), lastError }, next);
  ports.observe({ uid, recipient, state: 'owed', attempts, reason: lastError });
  await alarms.resultDue(uid, recipient, next);
}

async function end(
  uid: PushUid,
  record: ResultRecord,
  event: ResultEvent,
  ports: ResultPorts,
): Promise<void> {
  const state = advance<ResultState, ResultEvent>(RESULT, record.state, event);
  await ports.store.recordResult(uid, { ...record, state, at: ports.clock.now() });
  const { recipient, attempts, lastError } = record;
  ports.observe({
    uid,
    recipient,
    state,
    attempts,
    ...(lastError === undefined ? {} : { reason: lastError }),
  });
}

function papReport(
  { push, recipient, deliveries }: RecipientStory,
  result: AddressResult,
  senderName: string,
): Uint8Array {
  return encodePap(
    {
      kind: 'resultnotification-message',
      pushId: push.pushId,
      senderName,
      receivedTime: push.acceptedAt,
      eventTime: result.at,
      messageState: result.messageState,
      code: result.code,
      ...(result.reason === undefined ? {} : { desc: result.reason }),
      addresses: [recipient.address],
      ...(push.quality === undefined ? {} : { qualityOfService: usedQuality(push.quality, deliveries) }),
    },
    { version: push.papVersion ?? DEFAULT_PAP_VERSION },
  );
}

/** The PAP code of an address that was refused when the push came in. */
export function refusedCode(recipient: Recipient): number {
  return recipient.refused ? PAP_CODE[recipient.refused.code] : 1000;
}
