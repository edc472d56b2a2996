import { Script } from '../script.js';

/**
 * Updates the report of one address together with the obligation. A report that has ended stays as it is, and a push
 * that is gone is not brought back.
 * KEYS  push, owed
 * ARGV  uid, recipient, record, next attempt ('' = no more)
 * Returns 1 when the record was taken.
 */
export const recordResult = new Script(
  'record-result',
  `
local field, member = 'result:' .. ARGV[2], ARGV[1] .. ':' .. ARGV[2]
local before = redis.call('HGET', KEYS[1], field)
local hasEnded = before and cjson.decode(before).state ~= 'owed'
if hasEnded or redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('ZREM', KEYS[2], member)
  return 0
end
redis.call('HSET', KEYS[1], field, ARGV[3])
if ARGV[4] == '' then
  redis.call('ZREM', KEYS[2], member)
else
  redis.call('ZADD', KEYS[2], ARGV[4], member)
end
return 1
`,
);
