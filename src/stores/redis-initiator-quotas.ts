/**
 * What push initiators with limits use, in Redis: the next moment that the rate allows, and the pushes that are held, each as one
 * member of a sorted set with the sum of their octets beside it. Taking and giving back are scripts over the initiator's keys
 * alone, so they are exact on one Redis and on a cluster alike, however many gateways count.
 *
 * The push itself lies elsewhere. A crash between counting and storing, or between the end of a push and giving back, leaves a
 * member that stands for nothing; `verify` compares what is counted with what is held, a bounded number at a time.
 */
import type {
  Admission,
  CountedLimits,
  CountedPush,
  InitiatorQuotas,
  InitiatorUsage,
} from '../push/initiator-quota.js';
import type { PushUid } from '../push/push-message.js';
import { scored } from './due-members.js';
import * as keys from './keys.js';
import { admitPush } from './lua/admit-push.js';
import { releasePush } from './lua/release-push.js';
import type { RedisClient } from './redis-connection.js';

const MICROSECONDS = 1_000_000;

/** How far verifying has come: the initiator, by name, and the place among what is counted for it. */
interface Position {
  readonly initiator: string;
  readonly offset: number;
}

const START: Position = { initiator: '', offset: 0 };

export class RedisInitiatorQuotas implements InitiatorQuotas {
  readonly #redis: RedisClient;
  readonly #now: () => number;
  #position = START;

  constructor(redis: RedisClient, options: { readonly now: () => number }) {
    this.#redis = redis;
    this.#now = options.now;
  }

  async admit(push: CountedPush, limits: CountedLimits): Promise<Admission> {
    const { initiator, bytes } = push;
    const { pushesPerSecond, pendingPushes = '', pendingBytes = '' } = limits;
    const { intervalUs, toleranceUs } = pace(limits);
    const [kind, retryAfterMs] = (await admitPush.run(
      this.#redis,
      [
        keys.rateKey(initiator),
        keys.pendingKey(initiator),
        keys.pendingBytesKey(initiator),
        keys.countedKey(keys.quotaBucket(initiator)),
      ],
      [
        initiator,
        memberOf(push),
        bytes,
        this.#now(),
        pendingPushes,
        pendingBytes,
        pushesPerSecond === undefined ? '' : intervalUs,
        toleranceUs,
      ],
    )) as [Admission['kind'], number?];
    return kind === 'rate' ? { kind, retryAfterMs: retryAfterMs ?? 0 } : { kind };
  }

  async release(push: CountedPush): Promise<void> {
    await this.#release(push.initiator, memberOf(push), push.bytes);
  }

  async #release(initiator: string, member: string, bytes: number): Promise<void> {
    await releasePush.run(
      this.#redis,
      [
        keys.pendingKey(initiator),
        keys.pendingBytesKey(initiator),
        keys.countedKey(keys.quotaBucket(initiator)),
      ],
      [initiator, member, bytes],
    );
  }

  async usage(initiator: string): Promise<InitiatorUsage> {
    const [pushes, bytes] = await Promise.all([
      this.#redis.zcard(keys.pendingKey(initiator)),
      this.#redis.get(keys.pendingBytesKey(initiator)),
    ]);
    return { pendingPushes: pushes, pendingBytes: Number(bytes ?? 0) };
  }

  /**
   * Gives back what is counted for pushes that are over or never came to be. Looks at `limit` pushes at most and goes on there the
   * next time. `olderThan` (ms epoch) must lie further back than an acceptance can take. Returns how many it gave back.
   */
  async verify(olderThan: number, limit: number): Promise<number> {
    const sets = keys.QUOTA_BUCKETS.map((bucket) => this.#redis.smembers(keys.countedKey(bucket)));
    const counted = (await Promise.all(sets)).flat().sort();
    let released = 0;
    for (let left = limit; left > 0; ) {
      const { initiator, offset } = this.#position;
      const current = counted.find((id) => id >= initiator);
      if (current === undefined) {
        this.#position = START;
        break;
      }
      const from = current === initiator ? offset : 0;
      const seen = await this.#verifyPage(current, { from, limit: left, olderThan });
      released += seen.released;
      this.#position =
        seen.count < left
          ? { initiator: `${current}\0`, offset: 0 } // sorts right behind it
          : { initiator: current, offset: from + seen.count - seen.released };
      left -= Math.max(1, seen.count);
    }
    return released;
  }

  async #verifyPage(
    initiator: string,
    page: { readonly from: number; readonly limit: number; readonly olderThan: number },
  ): Promise<{ readonly count: number; readonly released: number }> {
    const key = keys.pendingKey(initiator);
    const last = page.from + page.limit - 1;
    const reply = await this.#redis.zrange(key, String(page.from), String(last), 'WITHSCORES');
    const members = scored(reply);
    const verdicts = await Promise.all(
      members.map(async ({ member, score }) => {
        if (score >= page.olderThan || (await this.#isHeld(member))) return false;
        await this.#release(initiator, member, bytesOf(member));
        return true;
      }),
    );
    return { count: members.length, released: verdicts.filter(Boolean).length };
  }

  async #isHeld(member: string): Promise<boolean> {
    const [uid = '', acceptance = ''] = member.split(':');
    const [stored, open] = await this.#redis.hmget(keys.pushKey(uid as PushUid), 'acceptance', 'open');
    return stored === acceptance && Number(open) > 0;
  }
}

/** Two submissions of one push-id are two members, of which the one that came second is given back. */
function memberOf({ uid, acceptance, bytes }: CountedPush): string {
  return `${uid}:${acceptance}:${bytes}`;
}

function bytesOf(member: string): number {
  return Number(member.slice(member.lastIndexOf(':') + 1));
}

function pace({ pushesPerSecond = 1, burst }: CountedLimits): { intervalUs: number; toleranceUs: number } {
  const intervalUs = Math.round(MICROSECONDS / pushesPerSecond);
  const together = burst ?? Math.max(1, Math.floor(pushesPerSecond));
  return { intervalUs, toleranceUs: (together - 1) * intervalUs };
}
