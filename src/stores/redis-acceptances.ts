/**
 * Accepting pushes in Redis. Accepting is one script: the push and its place in every lane. Where that cannot be (a cluster, very many
 * terminals) the push is noted as not yet placed first; when a crash cuts the placing short, the sweeper finishes it.
 */
import { isUtf8 } from 'node:buffer';
import type { CountedPush } from '../push/initiator-quota.js';
import type { Acceptance, Placement } from '../push/ports.js';
import {
  endsWithFirst,
  laneEntryOf,
  type Push,
  type PushHead,
  type PushStory,
  type PushUid,
  type Recipient,
  startFor,
} from '../push/push-message.js';
import type { TerminalId } from '../registry/terminal-id.js';
import type { BlobDirectory } from './blob-directory.js';
import { dueMembers } from './due-members.js';
import * as keys from './keys.js';
import { acceptPush } from './lua/accept-push.js';
import { placeInLane } from './lua/place-in-lane.js';
import { indexesOf, storyFrom, terminalsOf } from './push-record.js';
import type { RedisClient } from './redis-connection.js';
import { memberOf } from './redis-lane-store.js';

export interface AcceptanceOptions {
  readonly now: () => number;
  /** Content up to this size lies in Redis. */
  readonly inlineBytes: number;
  /** On Redis Cluster a push and its lanes lie in different slots, out of reach of one script. */
  readonly isCluster: boolean;
}

/** A push for more terminals than this is placed lane by lane: one script must not keep Redis for long (a thousand take about 20 ms). */
const PLACED_TOGETHER = 1000;

/** What `PushStore` (`push/ports.ts`) says of accepting and placing. */
export class RedisAcceptances {
  readonly #redis: RedisClient;
  readonly #blobs: BlobDirectory;
  readonly #options: AcceptanceOptions;

  constructor(redis: RedisClient, blobs: BlobDirectory, options: AcceptanceOptions) {
    this.#redis = redis;
    this.#blobs = blobs;
    this.#options = options;
  }

  async accept(push: Push, content: Uint8Array, acceptance: string): Promise<Acceptance> {
    const isInline = content.length <= this.#options.inlineBytes;
    if (!isInline && (await this.#isTaken(push.uid, acceptance))) return { kind: 'duplicate' }; // before the large write
    const blob = isInline ? undefined : await this.#blobs.write(push.uid, content);
    const { recipients, ...head } = push;
    const stored: PushHead = blob === undefined ? head : { ...head, content: { ...head.content, blob } };
    const terminals = terminalsOf(recipients);
    const isTogether =
      push.replaces === undefined && !this.#options.isCluster && terminals.length <= PLACED_TOGETHER;

    const body = isInline ? content : undefined;
    const written = await this.#write(stored, recipients, body, acceptance, isTogether ? terminals : []);
    if (!written) {
      if (blob !== undefined) await this.#removeUnneeded(push.uid, blob);
      return { kind: 'duplicate' };
    }
    if (isTogether) return { kind: 'accepted', placed: written.placed };
    if (push.replaces !== undefined) return { kind: 'accepted', placed: [] };
    const toPlace = written.isRepeat ? await this.#held(push.uid) : terminals;
    const placed = await this.#place({ ...stored, recipients }, toPlace);
    const untouched = terminals.filter((terminal) => !toPlace.includes(terminal));
    return { kind: 'accepted', placed: [...placed, ...untouched.map((one) => placement(one, 0))] };
  }

  /** Terminals that still wait for the push. */
  async #held(uid: PushUid): Promise<readonly TerminalId[]> {
    const { deliveries = [] } = (await this.#story(uid)) ?? {};
    return deliveries.filter(({ state }) => state === 'held').map(({ terminal }) => terminal);
  }

  async #isTaken(uid: PushUid, acceptance: string): Promise<boolean> {
    const first = await this.#redis.hget(keys.pushKey(uid), 'acceptance');
    return first !== null && first !== acceptance;
  }

  /** Undefined when the push-id was used before, else what became of the lanes of `together`. */
  async #write(
    head: PushHead,
    recipients: readonly Recipient[],
    body: Uint8Array | undefined,
    acceptance: string,
    together: readonly TerminalId[],
  ): Promise<{ isRepeat: boolean; placed: readonly Placement[] } | undefined> {
    const { uid } = head;
    const bucket = keys.pushBucket(uid);
    const terminals = terminalsOf(recipients);
    const [stored, ...lanes] = (await acceptPush.run(
      this.#redis,
      [
        keys.pushKey(uid),
        keys.bodyKey(uid),
        keys.acceptedKey(bucket),
        keys.placingKey(bucket),
        keys.owedKey(bucket),
        keys.heldKey(bucket),
        ...together.flatMap(keys.laneKeys),
      ],
      [
        acceptance,
        uid,
        head.acceptedAt,
        JSON.stringify(head),
        JSON.stringify(recipients),
        body ? argumentOf(body) : '',
        head.notifyTo === undefined ? 0 : 1,
        head.content.blob ?? '',
        memberOf(laneEntryOf(head)),
        this.#options.now(),
        head.notBefore ?? 0,
        head.expiresAt,
        recipients.length,
        ...recipients.map((recipient) => recipient.terminals.length),
        terminals.length,
        ...terminals.flatMap((terminal) => [
          terminal,
          indexesOf(terminal, recipients),
          startFor(terminal, recipients),
        ]),
        ...firstIsEnough(recipients),
        head.isCounted ? JSON.stringify(countedPush(head, acceptance)) : '',
      ],
    )) as number[];
    if (stored === undefined) return undefined;
    const placed = together.map((terminal, index) =>
      placement(terminal, lanes[2 * index], lanes[2 * index + 1]),
    );
    return { isRepeat: stored === 2, placed };
  }

  /** Places a push that is stored; what was placed before stays where it is. */
  async #place(push: Push, terminals: readonly TerminalId[]): Promise<readonly Placement[]> {
    const member = memberOf(laneEntryOf(push));
    const { notBefore = 0, expiresAt, uid, recipients } = push;
    const now = this.#options.now();
    const placed = await Promise.all(
      terminals.map(async (terminal) => {
        const start = Math.max(notBefore, startFor(terminal, recipients));
        const args = [terminal, member, now, start, expiresAt];
        const [kick, alarmAt] = (await placeInLane.run(
          this.#redis,
          keys.laneKeys(terminal),
          args,
        )) as number[];
        return placement(terminal, kick, alarmAt);
      }),
    );
    await this.#redis.zrem(keys.placingKey(keys.pushBucket(uid)), uid);
    return placed;
  }

  unplaced(olderThan: number, limit: number): Promise<readonly PushUid[]> {
    return dueMembers(this.#redis, keys.PUSH_BUCKETS.map(keys.placingKey), olderThan, limit) as Promise<
      readonly PushUid[]
    >;
  }

  async place(uid: PushUid): Promise<readonly Placement[]> {
    const story = await this.#story(uid);
    if (story) return this.#place(story.push, await this.#held(uid));
    await this.#redis.zrem(keys.placingKey(keys.pushBucket(uid)), uid);
    return [];
  }

  /** A submission that came second left its content: gone, unless it is that of the first one. */
  async #removeUnneeded(uid: PushUid, blob: string): Promise<void> {
    const kept = await this.#redis.hget(keys.pushKey(uid), 'blob');
    if (kept !== blob) await this.#blobs.remove(uid, blob);
  }

  async #story(uid: PushUid): Promise<PushStory | undefined> {
    return storyFrom(await this.#redis.hgetall(keys.pushKey(uid)));
  }
}

/** A command made of strings alone is written in one piece; octets that are no UTF-8 must stay octets. */
function argumentOf(octets: Uint8Array): string | Buffer {
  const buffer = Buffer.from(octets.buffer, octets.byteOffset, octets.length);
  return isUtf8(buffer) ? buffer.toString('utf8') : buffer;
}

function countedPush({ initiator, uid, content }: PushHead, acceptance: string): CountedPush {
  return { initiator, uid, acceptance, bytes: content.size };
}

/** The addresses for which the first terminal is enough, as `accept-push` takes them. */
function firstIsEnough(recipients: readonly Recipient[]): readonly (string | number)[] {
  const found = recipients.flatMap((recipient, index) =>
    endsWithFirst(recipient) ? [index, recipient.terminals.join(',')] : [],
  );
  return [found.length / 2, ...found];
}

function placement(terminal: TerminalId, kick: number | undefined, alarmAt = 0): Placement {
  return { terminal, kick: kick === 1, ...(alarmAt > 0 ? { alarmAt } : {}) };
}
