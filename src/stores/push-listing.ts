/**
 * The pages of the push list: the newest pushes first, merged from all buckets. Redis finds an instant, not a place among the
 * pushes of one instant, so a cursor names both. A page costs a bounded number of looks, whatever the filter.
 */
import type { ListOptions } from '../push/ports.js';
import { passesFilter } from '../push/push-filter.js';
import type { PushStory, PushUid } from '../push/push-message.js';
import { scored } from './due-members.js';
import * as keys from './keys.js';
import { storyFrom } from './push-record.js';
import type { RedisClient } from './redis-connection.js';

/** Pushes that one call of `list` looks at, at most; the cursor goes on from there. */
const LIST_SCAN_LIMIT = 2000;

/** Looks at a bounded number of pushes: a page may hold fewer than `limit` stories and still have a cursor. */
export async function listPushes(
  redis: RedisClient,
  options: ListOptions,
): Promise<{ stories: readonly PushStory[]; cursor?: string }> {
  const stories: PushStory[] = [];
  const { since, until } = options;
  const start = until === undefined ? undefined : { at: until, uid: '' as PushUid };
  let position = options.cursor === undefined ? start : parseCursor(options.cursor);
  const limit = Math.max(1, options.limit);
  const page = Math.min(Math.max(limit, 50), LIST_SCAN_LIMIT);
  for (let seen = 0; ; ) {
    const next = await newest(redis, { before: position, since, limit: page });
    const found = await Promise.all(
      next.map(async ({ uid }) => storyFrom(await redis.hgetall(keys.pushKey(uid)))),
    );
    for (const [index, story] of found.entries()) {
      seen += 1;
      position = next[index];
      if (story && passesFilter(story, options)) stories.push(story);
      const isEnough = stories.length === limit || seen >= LIST_SCAN_LIMIT;
      if (isEnough && position) return { stories, cursor: `${position.at}.${position.uid}` };
    }
    if (next.length < page) return { stories };
  }
}

/** The newest pushes before a position, merged from all buckets. */
async function newest(redis: RedisClient, range: Range): Promise<readonly Position[]> {
  const pages = await Promise.all(
    keys.PUSH_BUCKETS.map((bucket) => newestOf(redis, keys.acceptedKey(bucket), range)),
  );
  return pages.flat().sort(compare).slice(0, range.limit);
}

/** Redis finds an instant, not a place among the pushes of one instant: those before the position are passed over. */
async function newestOf(
  redis: RedisClient,
  key: string,
  { before, since, limit }: Range,
): Promise<readonly Position[]> {
  const max = before ? before.at : '+inf';
  const found: Position[] = [];
  for (let offset = 0; ; offset += limit) {
    const reply = await redis.zrange(
      key,
      max,
      since === undefined ? '-inf' : String(since),
      'BYSCORE',
      'REV',
      'LIMIT',
      offset,
      limit,
      'WITHSCORES',
    );
    const page = scored(reply).map(({ member, score }) => ({ uid: member as PushUid, at: score }));
    found.push(...page.filter((position) => !before || compare(position, before) > 0));
    if (page.length < limit || found.length >= limit) return found.slice(0, limit);
  }
}

/** Pushes older than a position and not older than an instant. */
interface Range {
  readonly before: Position | undefined;
  readonly since: number | undefined;
  readonly limit: number;
}

interface Position {
  readonly at: number;
  readonly uid: PushUid;
}

/** Newest first; among pushes of one instant the order in which Redis gives them backwards. */
function compare(a: Position, b: Position): number {
  if (a.at !== b.at) return b.at - a.at;
  return a.uid < b.uid ? 1 : a.uid > b.uid ? -1 : 0;
}

function parseCursor(cursor: string): Position | undefined {
  const [at, uid] = cursor.split('.');
  return uid === undefined || !/^\d+$/.test(at ?? '') ? undefined : { at: Number(at), uid: uid as PushUid };
}
