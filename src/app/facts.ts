/**
 * What the parts of the gateway report, as events: one function for each kind of fact. Domain and endpoints name facts in their own
 * words; here they get the type, the level and the message under which log, metrics and the live stream know them.
 */
import type { SmsAttempt } from '../bearers/sms/sms-attempt.js';
import type { AdminChange } from '../endpoints/admin/audit.js';
import type { PapLogEntry } from '../endpoints/pap/pap-log.js';
import type { SubmissionFact } from '../endpoints/push-api/ports.js';
import type { PushSessionFact } from '../endpoints/sip/push-session.js';
import type { SmsReceivedFact } from '../endpoints/sms/ports.js';
import { describeError } from '../kernel/errors.js';
import type { WakeRecord } from '../lane/lane.js';
import type { ResultFact } from '../push/result-notification.js';
import type { DeliveryFact } from '../push/settling.js';
import type { BearerName } from '../registry/bearer-name.js';
import type { TerminalId } from '../registry/terminal-id.js';
import type { EventFeed, GatewayEvent } from '../telemetry/events.js';
import type { LinkFact } from '../transports/smpp/link-options.js';

const RESULT_EVENTS = { owed: 'result.delayed', sent: 'result.sent', abandoned: 'result.abandoned' } as const;

/** PAP status code of a push that was taken in. */
const ACCEPTED_FOR_PROCESSING = 1001;

export type Facts = ReturnType<typeof factsTo>;

export function factsTo(feed: EventFeed) {
  return {
    delivery: (fact: DeliveryFact) => feed.publish(deliveryEvent(fact)),
    wakeUp: (terminal: TerminalId, record: WakeRecord, latencyMs: number) =>
      feed.publish(wakeEvent(terminal, record, latencyMs)),
    activationRemoved: (removed: { terminal: TerminalId; bearer: BearerName; reason: string }) =>
      feed.publish({
        type: 'terminal.activationRemoved',
        level: 'warn',
        message: 'activation method removed',
        ...removed,
      }),
    result: (fact: ResultFact) => feed.publish(resultEvent(fact)),
    /** `digest`: makes a number unreadable, the same each time. */
    smsAttempt: (attempt: SmsAttempt, digest: (number: string) => string) =>
      feed.publish(smsAttemptEvent(attempt, digest)),
    smsReceived: (fact: SmsReceivedFact, digest: (number: string) => string) =>
      feed.publish(smsReceivedEvent(fact, digest)),
    link(fact: LinkFact) {
      const event = linkEvent(fact);
      if (event) feed.publish(event);
    },
    session: (fact: PushSessionFact) => feed.publish(sessionEvent(fact)),
    /** One request on the PAP endpoint. */
    pap: (entry: PapLogEntry) => feed.publish(papEvent(entry)),
    /** One submission on the JSON API, and the HTTP status of its answer. */
    submission(status: number, fact: SubmissionFact) {
      const isRepeat = status === 200; // it was told the first time
      if (!isRepeat) feed.publish(submissionEvent(status, fact));
    },
    adminChange: (change: AdminChange) => feed.publish({ type: 'admin.change', ...change }),
  };
}

function deliveryEvent(fact: DeliveryFact): GatewayEvent {
  const { uid: push, terminal } = fact;
  switch (fact.kind) {
    case 'attempted':
      return {
        type: 'delivery.attempted',
        level: 'info',
        message: 'delivery attempted',
        push,
        terminal,
        bearer: fact.bearer,
        outcome: fact.outcome,
        bytes: fact.bytes,
        latencyMs: fact.latencyMs,
      };
    case 'failed':
      return {
        type: 'delivery.interrupted',
        level: 'warn',
        message: 'delivery interrupted',
        push,
        terminal,
        reason: describeError(fact.error),
      };
    case 'settled':
      return {
        type: 'delivery.settled',
        level: 'info',
        message: 'delivery settled',
        push,
        terminal,
        state: fact.state,
        ...(fact.reason === undefined ? {} : { reason: fact.reason }),
        ...(fact.ageMs === undefined ? {} : { ageMs: fact.ageMs }),
      };
  }
}

function wakeEvent(
  terminal: TerminalId,
  { bearer, mode, outcome, sirId, detail }: WakeRecord,
  latencyMs: number,
): GatewayEvent {
  return {
    type: 'terminal.woken',
    level: 'info',
    message: 'session initiation request',
    terminal,
    bearer,
    ...(mode === undefined ? {} : { mode }),
    outcome,
    sirId,
    detail,
    latencyMs,
  };
}

function resultEvent({ uid: push, recipient, state, attempts, reason }: ResultFact): GatewayEvent {
  return {
    type: RESULT_EVENTS[state],
    level: 'info',
    message: 'result notification',
    push,
    recipient,
    attempts,
    ...(reason === undefined ? {} : { reason }),
  };
}

function smsAttemptEvent(
  { address, sir, ...attempt }: SmsAttempt,
  digest: (number: string) => string,
): GatewayEvent {
  return {
    type: 'sms.attempted',
    level: 'info',
    message: 'short message attempted',
    ...attempt,
    ...(sir === undefined ? {} : { sirId: sir }),
    number: digest(address),
  };
}

function smsReceivedEvent(fact: SmsReceivedFact, digest: (number: string) => string): GatewayEvent {
  if (fact.kind === 'receipt') {
    const { kind: _, sir, ...receipt } = fact;
    return {
      type: 'sms.receipt',
      level: 'debug',
      message: 'receipt of a message centre',
      ...receipt,
      ...(sir === undefined ? {} : { sirId: sir }),
    };
  }
  const { kind: _, from, ...received } = fact;
  return {
    type: 'sms.received',
    level: 'info',
    message: 'short message received',
    ...received,
    number: digest(from),
  };
}

/** Single submissions are for the metrics. */
function linkEvent(fact: LinkFact): GatewayEvent | undefined {
  const { link } = fact;
  const message = 'link to a message centre';
  switch (fact.kind) {
    case 'state': {
      const { state, reason } = fact;
      return {
        type: 'link.changed',
        level: state === 'waiting' ? 'warn' : 'info',
        message,
        link,
        state,
        reason,
      };
    }
    case 'mode': {
      const { mode, reason } = fact;
      const level = mode === 'running' ? 'info' : 'warn';
      return { type: 'link.changed', level, message, link, state: mode, reason: `an operator: ${reason}` };
    }
    case 'throttled': {
      const reason = `${fact.status}: nothing is sent for ${fact.forMs} ms`;
      return { type: 'link.changed', level: 'warn', message, link, state: 'throttled', reason };
    }
    case 'broken': {
      const reason = `${fact.reason}: nothing is sent until ${new Date(fact.until).toISOString()}`;
      return { type: 'link.changed', level: 'warn', message, link, state: 'broken', reason };
    }
    case 'submitted':
      return undefined;
  }
}

function sessionEvent({ kind, terminal, session, reason = '' }: PushSessionFact): GatewayEvent {
  const level = 'info';
  return kind === 'opened'
    ? { type: 'session.opened', level, message: 'push session opened', terminal, session }
    : { type: 'session.closed', level, message: 'push session closed', terminal, session, reason };
}

function papEvent({ operation, code, error, elapsedMs, ...entry }: PapLogEntry): GatewayEvent {
  const told = { message: 'pap', ...entry, ...(error === undefined ? {} : { error: describeError(error) }) };
  if (operation !== 'push-message') {
    return { type: 'pap.answered', ...told, operation, ...(code === undefined ? {} : { code }) };
  }
  return {
    type: code === ACCEPTED_FOR_PROCESSING ? 'push.accepted' : 'push.refused',
    ...told,
    api: 'pap',
    code: code ?? 'none',
    ...(elapsedMs === undefined ? {} : { elapsedMs }),
  };
}

function submissionEvent(status: number, fact: SubmissionFact): GatewayEvent {
  const isRefused = status >= 400;
  return {
    type: isRefused ? 'push.refused' : 'push.accepted',
    level: isRefused ? 'debug' : 'info', // the edge has told of a refusal, with its cause
    message: 'push api',
    api: 'json',
    code: status,
    ...fact,
  };
}
