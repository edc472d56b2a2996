/**
 * The audit at the end of a crash test: the books of initiators and terminals against the gateway's own story and against what
 * lies in Redis and in the blob directory. Every sentence that it returns is a defect.
 *
 * What is promised, and so what is asked for:
 *   - an accepted push has a story, with a delivery for each of its terminals and for no other;
 *   - `delivered` means that the terminal has it, octet for octet; a terminal takes every push as new once at most,
 *     whatever the gateway repeats; nothing comes that nobody submitted;
 *   - what a terminal has seen is `delivered`, unless its deadline passed or it still is held (the terminal died before it
 *     could confirm);
 *   - `expired` only what had a deadline, and not before it;
 *   - every result that was asked for and is final arrives, says what the story says, and never something else;
 *   - two small pushes of equal priority, the second submitted when the first was answered, arrive in this order, as long as
 *     nothing was killed or halted meanwhile and neither had to be sent again;
 *   - nothing is left in lanes, indexes or the blob directory of a push that has ended.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import type { Story, StoryDelivery, StoryRecipient } from './crash-admin.js';
import { type CrashBooks, nameOf, type Sighting, type Submission } from './crash-books.js';

/** Sent in one MSRP chunk or one MESSAGE, so that nothing can overtake it inside a session. */
const SMALL_BYTES = 1000;

export function auditStories(
  books: CrashBooks,
  stories: ReadonlyMap<string, Story>,
  isReachable: (terminal: string) => boolean,
): string[] {
  const found = [...books.violations];
  for (const submission of books.submissions.values()) {
    const story = stories.get(submission.uid);
    if (story) found.push(...auditStory(submission, story, books, isReachable));
    else if (submission.fate === 'accepted') found.push(`${submission.pushId}: accepted and lost`);
  }
  for (const [terminal, seen] of books.sightings)
    found.push(...auditSightings(terminal, seen, books, stories));
  return found;
}

function auditStory(
  submission: Submission,
  story: Story,
  books: CrashBooks,
  isReachable: (terminal: string) => boolean,
): string[] {
  const { pushId } = submission;
  const found: string[] = [];
  for (const [index, expected] of submission.recipients.entries()) {
    const recipient = story.recipients[index];
    if (recipient?.address !== expected.address) {
      found.push(`${pushId}: address ${index} is ${recipient?.address}`);
      continue;
    }
    const deliveries = deliveriesOf(recipient);
    const wanted = expected.terminals.map(nameOf);
    if (wanted.length !== deliveries.size || wanted.some((name) => !deliveries.has(name))) {
      found.push(`${pushId}: goes to ${[...deliveries.keys()].join()} instead of ${wanted.join()}`);
    }
    for (const [name, delivery] of deliveries) {
      found.push(...auditDelivery(submission, name, delivery, books, isReachable(name)));
    }
    found.push(...auditResult(submission, recipient, books));
  }
  return found;
}

export function deliveriesOf(recipient: StoryRecipient): ReadonlyMap<string, StoryDelivery> {
  const user = recipient.decision?.user ?? '?';
  return new Map(
    recipient.deliveries.map((delivery) => [nameOf({ user, terminal: delivery.terminal }), delivery]),
  );
}

function auditDelivery(
  submission: Submission,
  name: string,
  delivery: StoryDelivery,
  books: CrashBooks,
  isReachable: boolean,
): string[] {
  const { uid, pushId, deliverBefore } = submission;
  const what = `${pushId} (${uid}) for ${name}, ${delivery.state}`;
  const hasSeen = (books.sightings.get(name) ?? []).some(({ id }) => id === uid);
  switch (delivery.state) {
    case 'delivered':
      return hasSeen ? [] : [`${what}: the terminal never saw it`];
    case 'expired':
      if (deliverBefore === undefined) return [`${what}: it had no deadline`];
      return Date.parse(delivery.at) < deliverBefore ? [`${what}: too early`] : [];
    case 'held':
      return isReachable ? [`${what}: the terminal is there`] : [];
    default:
      return [`${what}: ${delivery.reason}`];
  }
}

function auditResult(submission: Submission, recipient: StoryRecipient, books: CrashBooks): string[] {
  const { uid, pushId, wantsResult } = submission;
  const told = (books.notifications.get(uid) ?? []).filter(({ address }) => address === recipient.address);
  const what = `${pushId} (${uid}), result of ${recipient.address}`;
  if (!wantsResult || recipient.state === 'pending') {
    return told.length === 0 ? [] : [`${what}: told ${told[0]?.state}, but is ${recipient.state}`];
  }
  const found: string[] = [];
  const wrong = told.find(({ state, code }) => state !== recipient.state || code !== recipient.code);
  if (wrong)
    found.push(`${what}: told ${wrong.state} ${wrong.code}, is ${recipient.state} ${recipient.code}`);
  if (!told.some(({ isAcknowledged }) => isAcknowledged))
    found.push(`${what}: not told in ${told.length} attempts`);
  if (recipient.result?.state !== 'sent') found.push(`${what}: ${JSON.stringify(recipient.result)}`);
  return found;
}

function auditSightings(
  terminal: string,
  seen: readonly Sighting[],
  books: CrashBooks,
  stories: ReadonlyMap<string, Story>,
): string[] {
  const found: string[] = [];
  const asNew = new Set<string>();
  for (const { id, sha256, isDuplicate } of seen) {
    const submission = books.submissions.get(id as Submission['uid']);
    const what = `${terminal} saw ${submission?.pushId ?? 'something'} (${id})`;
    if (!submission) found.push(`${what}: nobody submitted it`);
    else if (submission.sha256 !== sha256) found.push(`${what}: not the octets that were submitted`);
    if (!isDuplicate && asNew.has(id)) found.push(`${what} twice as new`);
    if (isDuplicate && !asNew.has(id)) found.push(`${what} as a repetition only`);
    if (!isDuplicate) asNew.add(id);
    const state = stateOf(stories.get(id), terminal);
    if (state === undefined) found.push(`${what}: it was not for it, or is not stored`);
    else if (!['delivered', 'expired', 'held'].includes(state)) found.push(`${what}: it is ${state}`);
  }
  return [...found, ...auditOrder(terminal, seen, books, stories)];
}

function stateOf(story: Story | undefined, terminal: string): string | undefined {
  return story && attemptOf(story, terminal)?.state;
}

function attemptOf(story: Story, terminal: string): StoryDelivery | undefined {
  return story.recipients
    .map((recipient) => deliveriesOf(recipient).get(terminal))
    .find((one) => one !== undefined);
}

function auditOrder(
  terminal: string,
  seen: readonly Sighting[],
  books: CrashBooks,
  stories: ReadonlyMap<string, Story>,
): string[] {
  const found: string[] = [];
  const arrivals = seen.flatMap(({ id, at, isDuplicate }) => {
    const submission = books.submissions.get(id as Submission['uid']);
    const story = stories.get(id);
    const isPlain = submission?.deliverAfter === undefined && (submission?.size ?? 0) <= SMALL_BYTES;
    const isFirst = story !== undefined && attemptOf(story, terminal)?.attempts === 1;
    return submission && isPlain && isFirst && !isDuplicate ? [{ submission, at }] : [];
  });
  for (const [index, later] of arrivals.entries()) {
    for (const earlier of arrivals.slice(0, index)) {
      // `earlier` arrived first; was it submitted when the other had been answered already?
      const { submission: first } = later;
      const { submission: second } = earlier;
      if (
        first.priority !== second.priority ||
        (first.answeredAt ?? Number.POSITIVE_INFINITY) > second.sentAt
      )
        continue;
      const isDisturbed = books.disturbances.some((at) => at >= first.sentAt && at <= later.at);
      if (!isDisturbed) found.push(`${terminal} saw ${second.pushId} before ${first.pushId}`);
    }
  }
  return found;
}

/** What lies in Redis and in the blob directory, compared with what must: only deliveries that are still held. */
export async function auditStore(redis: Redis, stories: Iterable<Story>, dataDir: string): Promise<string[]> {
  const found: string[] = [];
  const open = new Map([...stories].flatMap((story) => (isOpen(story) ? [[story.uid, story] as const] : [])));
  const held = new Map<string, Set<string>>();
  for (const story of open.values()) {
    for (const { id, state } of story.recipients.flatMap(({ deliveries }) => deliveries)) {
      if (state === 'held') held.set(id, (held.get(id) ?? new Set()).add(story.uid));
    }
  }
  for (const key of await allKeys(redis, 'carillon:*')) {
    const [, , kind = '', id = ''] = key.split(/:(?![^{]*\})/);
    if (kind === 'placing' || kind === 'owed')
      found.push(`${key} holds ${await redis.zrange(key, '0', '-1')}`);
    if (kind === 'body' && !open.has(id)) found.push(`${key} belongs to no open push`);
    if (kind === 'queue' || kind === 'deferred' || kind === 'deadlines') {
      const strangers = (await redis.zrange(key, '0', '-1')).filter(
        (member) => !held.get(id)?.has(member.slice(1)),
      );
      if (strangers.length > 0) found.push(`${key} holds ${strangers}, which are settled`);
    }
    if (kind === 'due') {
      const strangers = (await redis.zrange(key, '0', '-1')).filter((terminal) => !held.has(terminal));
      if (strangers.length > 0) found.push(`${key} names ${strangers}, whose lanes hold nothing`);
    }
  }
  const blobs = readBlobs(dataDir);
  for (const name of blobs) {
    const [, uid = ''] = name.split('.');
    if (!name.endsWith('.part') && !open.has(uid)) found.push(`blob ${name} belongs to no open push`);
  }
  return found;
}

function isOpen(story: Story): boolean {
  return story.recipients.some(({ deliveries }) => deliveries.some(({ state }) => state === 'held'));
}

async function allKeys(redis: Redis, match: string): Promise<string[]> {
  const keys: string[] = [];
  let cursor = '0';
  do {
    const [next, page] = await redis.scan(cursor, 'MATCH', match, 'COUNT', 1000);
    cursor = next;
    keys.push(...page);
  } while (cursor !== '0');
  return keys;
}

function readBlobs(dataDir: string): string[] {
  const root = join(dataDir, 'blobs');
  try {
    return readdirSync(root).flatMap((folder) => readdirSync(join(root, folder)));
  } catch {
    return []; // no push was large
  }
}
