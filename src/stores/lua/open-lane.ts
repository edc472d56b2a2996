import { MOST_OVERTAKEN } from '../../lane/lane.js';
import { Script } from '../script.js';

/**
 * Takes or prolongs the lease of a lane and reads what its holder needs.
 * KEYS  lane, queue, deferred, deadlines, due
 * ARGV  terminal, now, lease in ms, how many entries, token to prolong ('' = take the lease), node that takes it,
 *       1 when every other node is dead
 * Entries whose deadline passed come a hundred at a time, and no other entries while there are more of them.
 * Returns false when the lease is not to be had, else
 * {token, version, next deadline or 0, next start or 0, session id or '', session node or '', messageUntil, wakeSent, wakeMethod,
 *  wakeNotBefore, sir id or '', epoch, on hold since or 0, number of expired members, expired members …, entries …}.
 */
export const openLane = new Script(
  'open-lane',
  `
local terminal, now, limit = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[4])
local token
if ARGV[5] == '' then
  local lease = redis.call('HMGET', KEYS[1], 'leasedUntil', 'leaseNode')
  local isLeftOver = ARGV[7] == '1' and lease[2] ~= ARGV[6]
  if tonumber(lease[1] or 0) > now and not isLeftOver then return false end
  token = redis.call('HINCRBY', KEYS[1], 'token', 1)
  redis.call('HSET', KEYS[1], 'leaseNode', ARGV[6])
else
  if redis.call('HGET', KEYS[1], 'token') ~= ARGV[5] then return false end
  token = tonumber(ARGV[5])
end
local untilAt = now + tonumber(ARGV[3])
redis.call('HSET', KEYS[1], 'leasedUntil', untilAt)

for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now, 'LIMIT', 0, 500)) do
  redis.call('ZREM', KEYS[3], member)
  local order = redis.call('HINCRBY', KEYS[1], 'order', 1)
  redis.call('ZADD', KEYS[2], tonumber(string.sub(member, 1, 1)) * ${MOST_OVERTAKEN} + order, member)
end

local expired = redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', now, 'LIMIT', 0, 100)
local isExpired = {}
for _, member in ipairs(expired) do isExpired[member] = true end
local entries = #expired < 100 and redis.call('ZRANGE', KEYS[2], 0, limit - 1) or {}

local nextDeadline = redis.call('ZRANGEBYSCORE', KEYS[4], '(' .. now, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
local nextStart = redis.call('ZRANGE', KEYS[3], 0, 0, 'WITHSCORES')

if redis.call('EXISTS', KEYS[4]) == 1 then
  redis.call('ZADD', KEYS[5], untilAt, terminal)
else
  redis.call('ZREM', KEYS[5], terminal)
end

local lane = redis.call('HMGET', KEYS[1], 'version', 'session', 'sessionNode', 'messageUntil', 'wakeSent', 'wakeMethod', 'wakeNotBefore', 'sirId', 'epoch', 'holdSince')
local reply = {
  token, lane[1] or '0', nextDeadline[2] or '0', nextStart[2] or '0', lane[2] or '', lane[3] or '', lane[4] or '0',
  lane[5] or '0', lane[6] or '0', lane[7] or '0', lane[8] or '', lane[9] or '0', lane[10] or '0', #expired,
}
for _, member in ipairs(expired) do reply[#reply + 1] = member end
for _, member in ipairs(entries) do
  if not isExpired[member] then reply[#reply + 1] = member end
end
return reply
`,
);
