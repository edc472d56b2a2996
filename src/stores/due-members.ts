/** What is due in sorted sets that are spread over buckets: members by the moment somebody must look at them. */
import type { RedisClient } from './redis-connection.js';

/** Members of the sets whose score is `now` or earlier, the longest due first, at most `limit` of them. */
export async function dueMembers(
  redis: RedisClient,
  sets: readonly string[],
  now: number,
  limit: number,
): Promise<readonly string[]> {
  const found = await Promise.all(
    sets.map((key) => redis.zrangebyscore(key, '-inf', now, 'WITHSCORES', 'LIMIT', 0, limit)),
  );
  return found
    .flatMap(scored)
    .sort((a, b) => a.score - b.score)
    .slice(0, limit)
    .map(({ member }) => member);
}

/** The members of a reply WITHSCORES. */
export function scored(reply: readonly string[]): { readonly member: string; readonly score: number }[] {
  const members: { member: string; score: number }[] = [];
  for (let index = 0; index + 1 < reply.length; index += 2) {
    members.push({ member: reply[index] ?? '', score: Number(reply[index + 1]) });
  }
  return members;
}
