import { Script } from '../script.js';

/**
 * Gives a lease back, unless the lane changed since its holder looked.
 * KEYS  lane, deadlines, due
 * ARGV  terminal, token, version seen, due moment
 * Returns 'again' when the holder must look again and keeps the lease, 'lost' when it had none any more,
 * 'due' or 'empty' for a lane with and without entries.
 */
export const releaseLane = new Script(
  'release-lane',
  `
local lane = redis.call('HMGET', KEYS[1], 'token', 'version')
if lane[1] ~= ARGV[2] then return 'lost' end
if (lane[2] or '0') ~= ARGV[3] then return 'again' end
redis.call('HSET', KEYS[1], 'leasedUntil', 0)
if redis.call('EXISTS', KEYS[2]) == 0 then
  redis.call('ZREM', KEYS[3], ARGV[1])
  return 'empty'
end
redis.call('ZADD', KEYS[3], ARGV[4], ARGV[1])
return 'due'
`,
);
