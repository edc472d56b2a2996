import { Script } from '../script.js';

/**
 * Keeps a wake-up with the lane, while the lease is held. A terminal that was reached anew meanwhile keeps its fresh state.
 * KEYS  lane, wakes
 * ARGV  token, epoch, sent, method, notBefore, sir id, woken at (0 = nothing went out), record, how many records to keep, their life in seconds
 * Returns 1, or 0 when the lease was lost.
 */
export const recordWake = new Script(
  'record-wake',
  `
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
if (redis.call('HGET', KEYS[1], 'epoch') or '0') == ARGV[2] then
  redis.call('HSET', KEYS[1], 'wakeSent', ARGV[3], 'wakeMethod', ARGV[4], 'wakeNotBefore', ARGV[5], 'sirId', ARGV[6])
end
if ARGV[7] ~= '0' then redis.call('HSET', KEYS[1], 'wokenAt', ARGV[7]) end
redis.call('LPUSH', KEYS[2], ARGV[8])
redis.call('LTRIM', KEYS[2], 0, tonumber(ARGV[9]) - 1)
redis.call('EXPIRE', KEYS[2], ARGV[10])
return 1
`,
);
