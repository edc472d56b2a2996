/**
 * A push as the admin API shows it: in a list in short, and as the whole story of one push: what was decided for every address and
 * why, what became of it at each terminal, how the terminal was woken meanwhile, and whether the initiator has been told.
 */
import type { LaneView } from '../../lane/lane.js';
import { isSettled } from '../../push/journey.js';
import {
  type Decision,
  type DeliveryRecord,
  decisionsOf,
  type PushStory,
  type Recipient,
  type ResultRecord,
} from '../../push/push-message.js';
import type { TerminalId } from '../../registry/terminal-id.js';
import { instant } from '../http/instant.js';
import { recipientView, withoutCredentials } from '../http/recipient-view.js';
import { holdView, wakeView } from './lane-view.js';

/** A push in a list. */
export function pushSummary(story: PushStory) {
  const { push } = story;
  return {
    pushId: push.pushId,
    initiator: push.initiator,
    ...instant('acceptedAt', push.acceptedAt),
    ...instant('expiresAt', push.expiresAt),
    content: { contentType: push.content.contentType, size: push.content.size },
    recipients: push.recipients.map((recipient) => recipientView(story, recipient)),
  };
}

/** The whole story. `lanes` holds the lane of each terminal that the push goes to. */
export function pushView(story: PushStory, lanes: ReadonlyMap<TerminalId, LaneView>) {
  const { push, deliveries, results } = story;
  const { notBefore, quality, notifyTo, sourceReference, papVersion } = push;
  return {
    ...pushSummary(story),
    uid: push.uid,
    ...instant('notBefore', notBefore),
    ...(papVersion === undefined ? {} : { papVersion }),
    ...(quality === undefined ? {} : { qualityOfService: quality }),
    ...(notifyTo === undefined ? {} : { notifyTo: withoutCredentials(notifyTo) }),
    ...(sourceReference === undefined ? {} : { sourceReference }),
    progressNotes: push.progressNotes,
    recipients: push.recipients.map((recipient, index) => ({
      ...recipientView(story, recipient),
      ...decidedView(recipient),
      deliveries: recipient.terminals
        .flatMap((terminal) => deliveries.find((delivery) => delivery.terminal === terminal) ?? [])
        .map((delivery) => deliveryView(delivery, recipient, push.acceptedAt, lanes.get(delivery.terminal))),
      ...resultView(results.find((result) => result.recipient === index)),
    })),
  };
}

function decidedView({ decision, group }: Recipient) {
  return {
    ...(decision === undefined ? {} : { decision: decisionView(decision) }),
    ...(group === undefined
      ? {}
      : { group: { group: group.group, decisions: group.decisions.map(decisionView), left: group.left } }),
  };
}

function decisionView(decision: Decision) {
  const { user, multi, policy, completion, sources } = decision;
  const terminals = decision.terminals.map(({ terminal, name, selected, startsAt, reasons }) => ({
    terminal: name,
    id: terminal,
    selected,
    ...instant('startsAt', startsAt),
    reasons,
  }));
  return {
    user,
    multi,
    policy,
    ...(completion === undefined ? {} : { completion }),
    terminals,
    ...(sources === undefined ? {} : { sources }),
  };
}

function deliveryView(
  delivery: DeliveryRecord,
  recipient: Recipient,
  acceptedAt: number,
  lane: LaneView | undefined,
) {
  const { terminal, state, at, attempts, lastAttemptAt, code, reason, bearer } = delivery;
  const { isUnconfirmed, failedBearers } = delivery;
  const decided = decisionsOf(recipient).find(({ terminals }) =>
    terminals.some((choice) => choice.terminal === terminal),
  );
  const name = decided?.terminals.find((choice) => choice.terminal === terminal)?.name;
  // One SIR wakes for all that a lane holds: those sent while this push was held were sent for it too.
  const until = isSettled(state) ? at : Number.POSITIVE_INFINITY;
  const wakes = lane?.wakes.filter((wake) => wake.at >= acceptedAt && wake.at <= until) ?? [];
  return {
    ...(recipient.group && decided ? { user: decided.user } : {}),
    ...(name === undefined ? {} : { terminal: name }),
    id: terminal,
    state,
    ...instant('at', at),
    ...(!isSettled(state) && lane !== undefined ? { lane: lane.state, ...holdView(lane.hold) } : {}),
    attempts,
    ...instant('lastAttemptAt', lastAttemptAt),
    ...(bearer === undefined ? {} : { bearer }),
    ...(isUnconfirmed === undefined ? {} : { isUnconfirmed }),
    ...(failedBearers === undefined ? {} : { failedBearers }),
    ...(code === undefined ? {} : { code }),
    ...(reason === undefined ? {} : { reason }),
    wakes: wakes.map(wakeView),
  };
}

function resultView(result: ResultRecord | undefined) {
  if (result === undefined) return {};
  const { state, attempts, at, lastError } = result;
  return {
    result: {
      state,
      attempts,
      ...(at === 0 ? {} : instant('at', at)), // owed and not tried yet
      ...(lastError === undefined ? {} : { lastError }),
    },
  };
}
