import { Script } from '../script.js';
import { LEAVE } from './remove-from-lane.js';

/**
 * Ends one delivery, takes it out of its lane, and works out what follows: where the first terminal that has the content is enough, the others are taken back;
 * addresses that are finished owe a report; a push that is finished gives up its octets and starts its retention.
 * KEYS  push, body, owed, ended, held, and the lane unless it lies in another slot: lane, queue, deferred, deadlines, due
 * ARGV  terminal, state now when it is held and when it is handed ('' = too late), now, code, reason, notifyAt, uid, 1 when nobody
 *       confirmed it, 1 when the terminal has it, state and reason of those that are taken back
 * Returns {moved (0/1), the state it is in now or '', digest of the blob that nobody needs any more or '', what accept-push was told of
 * a quota that the push leaves or '', number of terminals taken back, these terminals …, index of each address whose report is now
 * owed …}.
 */
export const settleDelivery = new Script(
  'settle-delivery',
  `${LEAVE}
local before = redis.call('HGET', KEYS[1], 'state:' .. ARGV[1])
local state = (before == 'held' and ARGV[2]) or (before == 'handed' and ARGV[3]) or ''
local now, notifyAt, uid = ARGV[4], ARGV[7], ARGV[8]
local isOver = state ~= '' or (before and before ~= 'held' and before ~= 'handed')
if isOver and KEYS[6] then
  leaveLane(KEYS[7], KEYS[8], KEYS[9], KEYS[10], ARGV[1], redis.call('HGET', KEYS[1], 'rank') .. uid)
end
if state == '' then return {0, before or '', '', '', 0} end
local wantsResult = redis.call('HGET', KEYS[1], 'wantsResult') == '1'
local owed = {}

local function finish(terminal, newState, code, reason)
  redis.call('HSET', KEYS[1], 'state:' .. terminal, newState, 'at:' .. terminal, now)
  redis.call('ZREM', KEYS[5], uid .. ':' .. terminal)
  if code ~= '' then redis.call('HSET', KEYS[1], 'code:' .. terminal, code) end
  if reason ~= '' then redis.call('HSET', KEYS[1], 'reason:' .. terminal, reason) end
  for index in string.gmatch(redis.call('HGET', KEYS[1], 'for:' .. terminal), '%d+') do
    if redis.call('HINCRBY', KEYS[1], 'open:' .. index, -1) == 0 and wantsResult then
      redis.call('ZADD', KEYS[3], notifyAt, uid .. ':' .. index)
      owed[#owed + 1] = tonumber(index)
    end
  end
  return redis.call('HINCRBY', KEYS[1], 'open', -1)
end

local open = finish(ARGV[1], state, ARGV[5], ARGV[6])
if ARGV[9] == '1' then redis.call('HSET', KEYS[1], 'unconfirmed:' .. ARGV[1], '1') end

local takenBack = {}
if ARGV[10] == '1' then
  for index in string.gmatch(redis.call('HGET', KEYS[1], 'for:' .. ARGV[1]), '%d+') do
    for other in string.gmatch(redis.call('HGET', KEYS[1], 'any:' .. index) or '', '[^,]+') do
      local found = redis.call('HMGET', KEYS[1], 'state:' .. other, 'for:' .. other)
      -- A terminal that another address of the push stands for as well keeps it.
      if found[1] == 'held' and found[2] == index then
        open = finish(other, ARGV[11], '', ARGV[12])
        takenBack[#takenBack + 1] = other
      end
    end
  end
end

local reply = {1, state, '', '', #takenBack}
if open == 0 then
  redis.call('DEL', KEYS[2])
  redis.call('ZADD', KEYS[4], now, uid)
  local left = redis.call('HMGET', KEYS[1], 'blob', 'counted')
  reply[3], reply[4] = left[1] or '', left[2] or ''
end
for _, terminal in ipairs(takenBack) do reply[#reply + 1] = terminal end
for _, index in ipairs(owed) do reply[#reply + 1] = index end
return reply
`,
);
