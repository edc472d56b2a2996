/**
 * Submission: what the initiator sent becomes a stored push with a place in every lane, or is refused with a reason.
 * Nothing is answered before the store has confirmed; waking and delivering start after the answer and never hold it up.
 */
import type { Clock, RandomBytes } from '../kernel/clock.js';
import { type GatewayError, RefusedError } from '../kernel/errors.js';
import type { PapVersion, QualityOfService } from '../protocols/pap/index.js';
import type { UaProfile } from '../protocols/uaprof/index.js';
import type { BearerName } from '../registry/bearer-name.js';
import { terminalCapabilities } from '../registry/capabilities.js';
import type { AuthenticatedInitiator } from '../registry/initiator.js';
import type { TerminalId } from '../registry/terminal-id.js';
import type { CancellationPorts } from './cancellation.js';
import { unmetCapability } from './capability-check.js';
import { type GroupPorts, type Resolved, resolveRecipient, userBudget } from './group-resolution.js';
import {
  type CountedPush,
  hasQuota,
  type InitiatorQuotas,
  isCounted,
  refusalFor,
} from './initiator-quota.js';
import { checkRights } from './initiator-rights.js';
import type { Alarms, LaneKick, PushStore } from './ports.js';
import { pushFlag } from './push-flag.js';
import {
  decisionsOf,
  type JsonSubmission,
  type Push,
  type PushHeader,
  type PushUid,
  pushUid,
  type Recipient,
} from './push-message.js';
import { unmetQuality } from './quality-of-service.js';
import {
  carryOutReplacement,
  findReplaced,
  type Replacement,
  recipientsOfReplacement,
} from './replacement.js';
import { DEFAULT_APPLICATION_ID, type PushWish } from './target-resolution.js';
import type { Objection } from './terminal-choice.js';

export interface Submission {
  readonly initiator: string;
  /** What the initiator may do and how it proved who it is. Absent for what the gateway submits itself: all is allowed. */
  readonly access?: Omit<AuthenticatedInitiator, 'id'>;
  readonly pushId: string;
  readonly addresses: readonly string[];
  readonly contentType: string;
  /** Headers of the content entity that go with it to the terminal, Content-Type not among them. */
  readonly headers: readonly PushHeader[];
  readonly content: Uint8Array;
  /** Profiles that the initiator assumes the terminals to be like one of. */
  readonly assumed?: readonly UaProfile[];
  /** Instants in milliseconds since the epoch. */
  readonly deliverBefore?: number;
  readonly deliverAfter?: number;
  readonly notifyTo?: string;
  readonly sourceReference?: string;
  readonly progressNotes: boolean;
  readonly quality?: QualityOfService;
  /** The push that this one takes the place of. */
  readonly replaces?: Replacement;
  /** Of a submission by PAP; one in JSON has `json` instead. */
  readonly papVersion?: PapVersion;
  readonly json?: JsonSubmission;
}

export interface SubmissionPorts extends GroupPorts, CancellationPorts {
  readonly store: PushStore;
  /** The bearers that this gateway has. */
  readonly bearers: ReadonlySet<BearerName>;
  readonly quotas: InitiatorQuotas;
  readonly alarms: Alarms;
  readonly kick: LaneKick;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
}

export interface SubmissionOptions {
  /** How long a push is kept for its terminals from when it may start; also the most that its deadlines may ask for. */
  readonly maxAgeMs: number;
  readonly maxAddresses: number;
  readonly maxContentBytes: number;
}

export interface Accepted {
  readonly uid: PushUid;
  readonly acceptedAt: number;
}

/** Throws RefusedError; what it says is fit for the initiator. Any other error means that nothing is known of the push. */
export async function submit(
  submission: Submission,
  ports: SubmissionPorts,
  options: SubmissionOptions,
): Promise<Accepted> {
  const now = ports.clock.now();
  check(submission, options, now);
  const { access, initiator, content } = submission;
  if (access) {
    const applicationId = applicationIdOf(submission.headers);
    const { addresses } = submission;
    checkRights({ addresses, applicationId, contentBytes: content.length }, access, ports.domain);
  }
  const uid = pushUid(initiator, submission.pushId);
  const acceptance = Buffer.from(ports.randomBytes(12)).toString('base64url');
  const counted = { initiator, uid, acceptance, bytes: content.length };
  return withinLimits(counted, submission, ports, async () => {
    const { replaces } = submission;
    const replaced = replaces && (await findReplaced(initiator, replaces, ports));
    const resolved = await resolveAll(submission, ports, now, options.maxAddresses);
    const recipients = replaced ? recipientsOfReplacement(resolved, replaced, replaces) : resolved;
    const push = build(submission, uid, recipients, now, options);
    const accepted = await ports.store.accept(push, content, acceptance);
    if (accepted.kind === 'duplicate') throw duplicate();
    const placed = replaced ? await carryOutReplacement(uid, ports) : accepted.placed;
    for (const { terminal, kick, alarmAt } of placed) {
      if (kick) ports.kick(terminal);
      if (alarmAt !== undefined) void ports.alarms.laneDue(terminal, alarmAt);
    }
    if (push.notifyTo !== undefined) reportRefusals(push, ports.alarms);
    return { uid, acceptedAt: now };
  });
}

/** Counts the push where its initiator has a rate or a quota. What is not accepted gives its place back. */
async function withinLimits(
  push: CountedPush,
  { access }: Submission,
  { quotas, store }: SubmissionPorts,
  accept: () => Promise<Accepted>,
): Promise<Accepted> {
  const limits = access?.limits;
  if (limits === undefined || !isCounted(limits)) return accept();
  const admission = await quotas.admit(push, limits);
  if (admission.kind !== 'admitted') {
    // After a lost answer the initiator repeats a push that is held: it is told so, however full its quota is.
    if (await store.story(push.uid)) throw duplicate();
    throw refusalFor(admission, limits);
  }
  try {
    return await accept();
  } catch (error) {
    // Any other error leaves open whether the push is stored: the place stays taken until the sweeper has looked. It also
    // finds what cannot be given back now.
    if (error instanceof RefusedError && hasQuota(limits)) await quotas.release(push).catch(() => {});
    throw error;
  }
}

function duplicate(): RefusedError {
  return new RefusedError('duplicatePush', 'this push-id has been used before');
}

function check(submission: Submission, options: SubmissionOptions, now: number): void {
  const { addresses, content, deliverAfter, deliverBefore } = submission;
  if (content.length > options.maxContentBytes) {
    throw new RefusedError('limitExceeded', `content over ${options.maxContentBytes} octets`);
  }
  if (addresses.length === 0) throw new RefusedError('malformed', 'a push has at least one address');
  if (addresses.length > options.maxAddresses) {
    throw new RefusedError('limitExceeded', `more than ${options.maxAddresses} addresses`);
  }
  if (deliverBefore !== undefined && deliverBefore <= now) {
    throw new RefusedError('deadlinePassed', 'deliver-before-timestamp has passed');
  }
  if (deliverBefore !== undefined && deliverAfter !== undefined && deliverAfter >= deliverBefore) {
    throw new RefusedError('malformed', 'deliver-after-timestamp is not before deliver-before-timestamp');
  }
  if (deliverAfter !== undefined && deliverAfter > now + options.maxAgeMs) {
    throw new RefusedError('limitExceeded', 'deliver-after-timestamp lies further ahead than a push is kept');
  }
}

/** One recipient for each address. Refused ones are kept with their reason as long as one address is good. */
async function resolveAll(
  submission: Submission,
  ports: SubmissionPorts,
  now: number,
  maxUsers: number,
): Promise<readonly Recipient[]> {
  const wish = wishOf(submission, ports.bearers, now);
  const refusals: GatewayError[] = [];
  const users = userBudget(maxUsers);
  const recipients = await Promise.all(
    submission.addresses.map(async (address): Promise<Recipient> => {
      try {
        const resolved = await resolveRecipient(address, wish, { ...ports, users });
        return { address, terminals: selected(resolved), ...resolved };
      } catch (error) {
        if (!(error instanceof RefusedError)) throw error;
        refusals.push(error);
        return { address, terminals: [], refused: { code: error.code, detail: error.detail } };
      }
    }),
  );
  const [first] = refusals;
  if (first && refusals.length === recipients.length) throw first;
  return recipients;
}

function wishOf(submission: Submission, bearers: ReadonlySet<BearerName>, now: number): PushWish {
  const { quality, assumed, contentType, content, deliverAfter = now } = submission;
  const demand = { contentType, size: content.length, ...(assumed === undefined ? {} : { assumed }) };
  const capability: Objection = (terminal, state) => {
    const isKnown = Object.keys(terminal.capabilities).length > 0 || terminal.reported !== undefined;
    if (!isKnown && assumed === undefined) return undefined; // the usual terminal, on the path of every push
    return unmetCapability(terminalCapabilities(terminal, state?.bindings ?? []), demand);
  };
  return {
    applicationId: applicationIdOf(submission.headers),
    contentType,
    startsAt: Math.max(deliverAfter, now),
    objections:
      quality === undefined
        ? [capability]
        : [(terminal) => unmetQuality(terminal, quality, bearers), capability],
    needsState: assumed !== undefined, // registrations tell applications and languages, which only an assumption asks for
  };
}

function selected(resolved: Resolved): readonly TerminalId[] {
  return decisionsOf(resolved)
    .flatMap(({ terminals }) => terminals)
    .filter((choice) => choice.selected)
    .map((choice) => choice.terminal);
}

/** `X-Wap-Application-Id`, without its `app-encoding` parameter. */
export function applicationIdOf(headers: readonly PushHeader[]): string {
  const header = headers.find(({ name }) => name.toLowerCase() === 'x-wap-application-id');
  const [id = ''] = (header?.value ?? '').split(';');
  return id.trim() === '' ? DEFAULT_APPLICATION_ID : id.trim();
}

function build(
  submission: Submission,
  uid: PushUid,
  recipients: readonly Recipient[],
  now: number,
  options: SubmissionOptions,
): Push {
  const { initiator, pushId, contentType, headers, content, deliverAfter, deliverBefore } = submission;
  const { quality, notifyTo, sourceReference, progressNotes, papVersion, json, replaces } = submission;
  const starts = deliverAfter !== undefined && deliverAfter > now ? deliverAfter : undefined;
  const latest = (starts ?? now) + options.maxAgeMs;
  return {
    uid,
    initiator,
    pushId,
    acceptedAt: now,
    expiresAt: Math.min(deliverBefore ?? latest, latest),
    recipients,
    content: {
      contentType,
      headers: [...headers, ...pushFlag(headers, initiator, submission.access)],
      size: content.length,
    },
    progressNotes,
    ...(papVersion === undefined ? {} : { papVersion }),
    ...(json === undefined ? {} : { json }),
    ...(hasQuota(submission.access?.limits) ? { isCounted: true } : {}),
    ...(starts === undefined ? {} : { notBefore: starts }),
    ...(quality === undefined ? {} : { quality }),
    ...(replaces === undefined ? {} : { replaces: pushUid(initiator, replaces.pushId) }),
    ...(notifyTo === undefined ? {} : { notifyTo }),
    ...(sourceReference === undefined ? {} : { sourceReference }),
  };
}

/** Addresses that were refused are final from the start. */
function reportRefusals(push: Push, alarms: Alarms): void {
  for (const [index, recipient] of push.recipients.entries()) {
    if (recipient.refused) void alarms.resultDue(push.uid, index, push.acceptedAt);
  }
}
