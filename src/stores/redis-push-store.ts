/**
 * Pushes in Redis. A push is one hash: what was submitted (`head`, `recipients`: written once by `redis-acceptances.ts`) and a few
 * small fields for each terminal, changed by scripts that compare before they set. Small content lies beside it, large content in the
 * blob directory.
 */
import type { CountedPush } from '../push/initiator-quota.js';
import { DELIVERY, type DeliveryState, isSettled, settledState } from '../push/journey.js';
import type {
  Acceptance,
  Begun,
  ContentSource,
  HandedOver,
  ListOptions,
  Placement,
  PushStore,
  Settled,
  Settlement,
} from '../push/ports.js';
import {
  FIRST_HAS_IT,
  type Push,
  type PushHead,
  type PushStory,
  type PushUid,
  type Recipient,
  type RecipientStory,
  type ResultRecord,
} from '../push/push-message.js';
import type { TerminalId } from '../registry/terminal-id.js';
import type { BlobDirectory } from './blob-directory.js';
import { dueMembers, scored } from './due-members.js';
import * as keys from './keys.js';
import { beginDelivery } from './lua/begin-delivery.js';
import { giveUpDelivery, handOverDelivery } from './lua/move-delivery.js';
import { parkInLane } from './lua/park-in-lane.js';
import { recordResult } from './lua/record-result.js';
import { removeFromLane } from './lua/remove-from-lane.js';
import { settleDelivery } from './lua/settle-delivery.js';
import { listPushes } from './push-listing.js';
import { bearersFrom, deliveryFields, type PushHash, recipientStoryFrom, storyFrom } from './push-record.js';
import { type AcceptanceOptions, RedisAcceptances } from './redis-acceptances.js';
import type { RedisClient } from './redis-connection.js';

export interface RedisPushStoreOptions extends AcceptanceOptions {
  /** How long a push is remembered after its end: its push-id stays taken, its story can be read. */
  readonly retentionMs: number;
  /** Gives back the place of a push in the quota of its initiator. Never rejects. */
  readonly uncount?: (push: CountedPush) => Promise<void>;
}

const HANDED = DELIVERY.held.handOver;
const TAKEN_BACK = DELIVERY.handed.takeBack;

/** How soon a push that has ended is looked at again when its initiator has yet to be told. */
const LOOK_AGAIN_MS = 60_000;

/** Pushes whose addresses are remembered for their reports. */
const PUSHES_REMEMBERED = 32;

export class RedisPushStore implements PushStore {
  readonly #redis: RedisClient;
  readonly #blobs: BlobDirectory;
  readonly #options: RedisPushStoreOptions;
  readonly #acceptances: RedisAcceptances;
  readonly #addresses = new Map<string, readonly Recipient[]>();

  constructor(redis: RedisClient, blobs: BlobDirectory, options: RedisPushStoreOptions) {
    this.#redis = redis;
    this.#blobs = blobs;
    this.#options = options;
    this.#acceptances = new RedisAcceptances(redis, blobs, options);
  }

  accept(push: Push, content: Uint8Array, acceptance: string): Promise<Acceptance> {
    return this.#acceptances.accept(push, content, acceptance);
  }

  unplaced(olderThan: number, limit: number): Promise<readonly PushUid[]> {
    return this.#acceptances.unplaced(olderThan, limit);
  }

  place(uid: PushUid): Promise<readonly Placement[]> {
    return this.#acceptances.place(uid);
  }

  async begin(
    uid: PushUid,
    terminal: TerminalId,
    attempt: { token: number; bearer: string; at: number },
  ): Promise<Begun> {
    const { isCluster } = this.#options;
    // NOTE: on a cluster the lane is read beside the attempt, not with it; a lease lost or a hold in between goes unnoticed.
    const [reply, [newest, holdSince]] = await Promise.all([
      beginDelivery.runForOctets(
        this.#redis,
        [keys.pushKey(uid), keys.bodyKey(uid), ...(isCluster ? [] : [keys.laneKey(terminal)])],
        [terminal, attempt.token, attempt.bearer, attempt.at],
      ) as Promise<[Buffer, Buffer?, (Buffer | null)?, (Buffer | null)?]>,
      isCluster
        ? this.#redis.hmget(keys.laneKey(terminal), 'token', 'holdSince')
        : [String(attempt.token), undefined],
    ]);
    const [kind, head, body, failed] = reply;
    if (!head) return { kind: kind.toString() as Exclude<Begun['kind'], 'begun'> };
    if (newest !== String(attempt.token)) return { kind: 'fenced' };
    if (holdSince) return { kind: 'onHold' };
    const push = JSON.parse(head.toString()) as PushHead;
    return {
      kind: 'begun',
      push,
      failedBearers: bearersFrom(failed?.toString()),
      content: () => this.#content(push, body ?? undefined),
    };
  }

  async #content(push: PushHead, body: Buffer | undefined): Promise<ContentSource | undefined> {
    if (push.content.blob !== undefined) return this.#blobs.source(push.uid, push.content.blob);
    return push.content.size === 0 ? new Uint8Array() : body;
  }

  async handOver(
    uid: PushUid,
    terminal: TerminalId,
    { bearer, at }: { bearer: string; at: number },
  ): Promise<HandedOver> {
    const handed = (await handOverDelivery.run(
      this.#redis,
      [keys.pushKey(uid), ...this.#laneInReach(terminal)],
      [terminal, bearer, 'held', HANDED, at, uid],
    )) as HandedOver;
    if (handed === 'handed' && this.#options.isCluster) await this.#parkApart(uid, terminal, at);
    return handed;
  }

  async giveUp(
    uid: PushUid,
    terminal: TerminalId,
    { bearer, at }: { bearer: string; at: number },
  ): Promise<DeliveryState | undefined> {
    const state = (await giveUpDelivery.run(
      this.#redis,
      [keys.pushKey(uid), ...this.#laneInReach(terminal)],
      [terminal, bearer, HANDED, TAKEN_BACK, at, uid],
    )) as DeliveryState | null;
    if (state === TAKEN_BACK && this.#options.isCluster) await this.#parkApart(uid, terminal, at);
    return state ?? undefined;
  }

  /** Moves the lane entry after the delivery, and once more when the delivery has moved on meanwhile. */
  async #parkApart(uid: PushUid, terminal: TerminalId, at: number): Promise<void> {
    let parked: DeliveryState | undefined;
    for (;;) {
      const [state, rank] = await this.#redis.hmget(keys.pushKey(uid), `state:${terminal}`, 'rank');
      if ((state !== 'held' && state !== 'handed') || state === parked) return;
      const where = state === 'handed' ? 'aside' : 'inLine';
      await parkInLane.run(this.#redis, keys.laneKeys(terminal), [terminal, `${rank}${uid}`, at, where]);
      parked = state;
    }
  }

  /** The keys of a lane for a script that changes a push as well; none on a cluster. */
  #laneInReach(terminal: TerminalId): readonly string[] {
    return this.#options.isCluster ? [] : keys.laneKeys(terminal);
  }

  async settle(uid: PushUid, terminal: TerminalId, settlement: Settlement): Promise<Settled> {
    const bucket = keys.pushBucket(uid);
    const reply = (await settleDelivery.run(
      this.#redis,
      [
        keys.pushKey(uid),
        keys.bodyKey(uid),
        keys.owedKey(bucket),
        keys.endedKey(bucket),
        keys.heldKey(bucket),
        ...this.#laneInReach(terminal),
      ],
      [
        terminal,
        settledState(settlement.event, 'held') ?? '',
        settledState(settlement.event, 'handed') ?? '',
        settlement.at,
        settlement.code ?? '',
        settlement.reason ?? '',
        settlement.notifyAt,
        uid,
        settlement.isUnconfirmed ? 1 : 0,
        settlement.event === 'deliver' ? 1 : 0,
        settledState('cancel', 'held') ?? '',
        FIRST_HAS_IT,
      ],
    )) as [number, DeliveryState | '', string, string, number, ...(string | number)[]];
    const [moved, state, blob, counted, taken, ...rest] = reply;
    const takenBack = rest.slice(0, taken) as TerminalId[];
    const owed = rest.slice(taken) as number[];
    const isApart = this.#options.isCluster && state !== '' && isSettled(state);
    await this.#leaveLanes(uid, isApart ? [terminal, ...takenBack] : takenBack);
    if (blob !== '') await this.#blobs.remove(uid, blob);
    if (counted !== '') await this.#options.uncount?.(JSON.parse(counted) as CountedPush);
    return { moved: moved === 1, ...(state === '' ? {} : { state }), takenBack, owed };
  }

  /** What a crash leaves in a lane here is dropped when its turn comes. */
  async #leaveLanes(uid: PushUid, terminals: readonly TerminalId[]): Promise<void> {
    if (terminals.length === 0) return;
    const rank = await this.#redis.hget(keys.pushKey(uid), 'rank');
    await Promise.all(
      terminals.map((terminal) => {
        const [, ...sets] = keys.laneKeys(terminal);
        return removeFromLane.run(this.#redis, sets, [terminal, `${rank}${uid}`]);
      }),
    );
  }

  async #removeBlob(uid: PushUid): Promise<void> {
    const blob = await this.#blobOf(uid);
    if (blob !== undefined) await this.#blobs.remove(uid, blob);
  }

  async #blobOf(uid: PushUid): Promise<string | undefined> {
    return (await this.#redis.hget(keys.pushKey(uid), 'blob')) ?? undefined;
  }

  /**
   * Removes large content, written before `olderThan` (ms epoch), that no push needs: left by a crash before the push was
   * stored, or after it ended. `olderThan` must lie further back than an acceptance can take. Returns how many files went.
   */
  removeOrphanContent(olderThan: number): Promise<number> {
    return this.#blobs.removeOrphans(olderThan, (uid, digest) => this.#needs(uid, digest));
  }

  async #needs(uid: PushUid, blob: string): Promise<boolean> {
    const open = await this.#redis.hget(keys.pushKey(uid), 'open');
    return open !== null && open !== '0' && (await this.#blobOf(uid)) === blob;
  }

  async story(uid: PushUid): Promise<PushStory | undefined> {
    return storyFrom(await this.#redis.hgetall(keys.pushKey(uid)));
  }

  async recipientStory(uid: PushUid, index: number): Promise<RecipientStory | undefined> {
    const key = keys.pushKey(uid);
    const names = ['head', 'acceptance', `result:${index}`, `open:${index}`] as const;
    const [head, acceptance, result, open] = await this.#redis.hmget(key, ...names);
    if (!head || !acceptance) return undefined;
    const recipient = (await this.#recipients(uid, acceptance))?.[index];
    if (!recipient) return undefined;
    const fields = deliveryFields(recipient.terminals);
    const values = fields.length === 0 ? [] : await this.#redis.hmget(key, ...fields);
    const known = [...names, ...fields].map((name, at) => [
      name,
      [head, acceptance, result, open, ...values][at],
    ]);
    const hash = Object.fromEntries(known.filter(([, value]) => typeof value === 'string')) as PushHash;
    return recipientStoryFrom(hash, recipient, index);
  }

  /** The addresses of a push never change, and a push with a thousand of them is asked a thousand times. */
  async #recipients(uid: PushUid, acceptance: string): Promise<readonly Recipient[] | undefined> {
    const name = `${uid}.${acceptance}`;
    const remembered = this.#addresses.get(name);
    if (remembered) return remembered;
    const text = await this.#redis.hget(keys.pushKey(uid), 'recipients');
    if (text === null) return undefined;
    const recipients = JSON.parse(text) as Recipient[];
    this.#addresses.set(name, recipients);
    const [oldest] = this.#addresses.keys();
    if (this.#addresses.size > PUSHES_REMEMBERED && oldest !== undefined) this.#addresses.delete(oldest);
    return recipients;
  }

  list(options: ListOptions): Promise<{ stories: readonly PushStory[]; cursor?: string }> {
    return listPushes(this.#redis, options);
  }

  async totals(): Promise<{ held: number; oldestAt?: number }> {
    const buckets = keys.PUSH_BUCKETS.map(keys.heldKey);
    const [sizes, heads] = await Promise.all([
      Promise.all(buckets.map((key) => this.#redis.zcard(key))),
      Promise.all(buckets.map((key) => this.#redis.zrange(key, '0', '0', 'WITHSCORES'))),
    ]);
    const oldest = heads.flatMap((head) => scored(head).map(({ score }) => score));
    return {
      held: sizes.reduce((sum, size) => sum + size, 0),
      ...(oldest.length > 0 ? { oldestAt: Math.min(...oldest) } : {}),
    };
  }

  async recordResult(uid: PushUid, result: ResultRecord, nextAttemptAt?: number): Promise<void> {
    const { recipient, ...record } = result;
    await recordResult.run(
      this.#redis,
      [keys.pushKey(uid), keys.owedKey(keys.pushBucket(uid))],
      [uid, recipient, JSON.stringify(record), nextAttemptAt ?? ''],
    );
  }

  async forgetResult(uid: PushUid, recipient: number): Promise<void> {
    await this.#redis.zrem(keys.owedKey(keys.pushBucket(uid)), `${uid}:${recipient}`);
  }

  async owedResults(now: number, limit: number): Promise<readonly { uid: PushUid; recipient: number }[]> {
    const found = await dueMembers(this.#redis, keys.PUSH_BUCKETS.map(keys.owedKey), now, limit);
    return found.map((member) => {
      const [uid = '', recipient] = member.split(':');
      return { uid: uid as PushUid, recipient: Number(recipient) };
    });
  }

  async removeEnded(now: number, limit: number): Promise<number> {
    const before = now - this.#options.retentionMs;
    let removed = 0;
    for (const bucket of keys.PUSH_BUCKETS) {
      const uids = await this.#redis.zrangebyscore(keys.endedKey(bucket), '-inf', before, 'LIMIT', 0, limit);
      for (const uid of uids as PushUid[]) {
        const story = await this.story(uid);
        if (story?.results.some(({ state }) => state === 'owed')) {
          await this.#redis.zadd(keys.endedKey(bucket), 'XX', before + LOOK_AGAIN_MS, uid);
          continue;
        }
        await this.#removeBlob(uid);
        await this.#redis.unlink(keys.pushKey(uid), keys.bodyKey(uid));
        await Promise.all([
          this.#redis.zrem(keys.acceptedKey(bucket), uid),
          this.#redis.zrem(keys.endedKey(bucket), uid),
        ]);
        removed += 1;
      }
    }
    return removed;
  }
}
