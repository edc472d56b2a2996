import { Script } from '../script.js';

/**
 * Keeps one part of a message of a subscriber. Of one sender only so many messages may be incomplete: the oldest make room.
 * KEYS  parts of the message, incomplete messages of the sender
 * ARGV  number, total, part, now, life in milliseconds, how many may be incomplete
 * Returns the parts in their order when all are there, else false.
 */
export const addIncomingPart = new Script(
  'add-incoming-part',
  `
redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('ZADD', KEYS[2], 'NX', ARGV[4], KEYS[1])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
local most = tonumber(ARGV[6])
for _, oldest in ipairs(redis.call('ZRANGE', KEYS[2], 0, -most - 1)) do
  redis.call('DEL', oldest)
  redis.call('ZREM', KEYS[2], oldest)
end
local total = tonumber(ARGV[2])
if redis.call('HLEN', KEYS[1]) < total then return false end
local parts = {}
for number = 1, total do
  local part = redis.call('HGET', KEYS[1], tostring(number))
  if not part then return false end
  parts[number] = part
end
return parts
`,
);

/**
 * KEYS  parts of the message, incomplete messages of the sender
 */
export const forgetIncomingParts = new Script(
  'forget-incoming-parts',
  `
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], KEYS[1])
return 1
`,
);
