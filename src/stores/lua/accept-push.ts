import { Script } from '../script.js';
import { PLACE } from './place-in-lane.js';

/**
 * Writes a push that is not there yet and, when lane keys are given, puts it into the lanes of its terminals in the same step.
 * Without lane keys the push is noted as not yet placed.
 * KEYS  push, body, accepted, placing, owed, held, then for each terminal (or for none): lane, queue, deferred, deadlines, due
 * ARGV  acceptance, uid, acceptedAt, head, recipients, body ('' = none), wantsResult (0/1),
 *       digest of the blob ('' = none), lane member, now, notBefore (0 = at once), deadline,
 *       number of recipients, then for each how many terminals it stands for,
 *       number of terminals, then for each its id, the indexes of its recipients ("0" or "0,3") and its own notBefore (0 = that of
 *       the push),
 *       number of recipients for which the first terminal is enough, then for each its index and its terminals ("a,b"),
 *       what settle-delivery says when the push is over, for the quota that it is counted in ('' = none)
 * Returns {} when the push-id was used before by another acceptance, else {1 (2 for a repeat), and for each lane kick,
 * alarm} as place-in-lane gives them.
 */
export const acceptPush = new Script(
  'accept-push',
  `${PLACE}
local uid, at = ARGV[2], ARGV[3]
local recipients = tonumber(ARGV[13])
local firstTerminal = 14 + recipients
local terminals = tonumber(ARGV[firstTerminal])
local function terminalAt(index) return ARGV[firstTerminal + 1 + 3 * index] end
local firstAny = firstTerminal + 1 + 3 * terminals

local acceptance = redis.call('HGET', KEYS[1], 'acceptance')
if acceptance and acceptance ~= ARGV[1] then return {} end
if not acceptance then
  local fields = {'acceptance', ARGV[1], 'head', ARGV[4], 'recipients', ARGV[5], 'wantsResult', ARGV[7], 'rank', string.sub(ARGV[9], 1, 1)}
  for index = 0, recipients - 1 do
    local open = ARGV[14 + index]
    fields[#fields + 1] = 'open:' .. index
    fields[#fields + 1] = open
    if open == '0' and ARGV[7] == '1' then
      redis.call('ZADD', KEYS[5], at, uid .. ':' .. index)
    end
  end
  for index = 0, terminals - 1 do
    fields[#fields + 1] = 'state:' .. terminalAt(index)
    fields[#fields + 1] = 'held'
    fields[#fields + 1] = 'for:' .. terminalAt(index)
    fields[#fields + 1] = ARGV[firstTerminal + 2 + 3 * index]
    redis.call('ZADD', KEYS[6], at, uid .. ':' .. terminalAt(index))
  end
  for index = 1, tonumber(ARGV[firstAny]) do
    fields[#fields + 1] = 'any:' .. ARGV[firstAny + 2 * index - 1]
    fields[#fields + 1] = ARGV[firstAny + 2 * index]
  end
  if ARGV[8] ~= '' then
    fields[#fields + 1] = 'blob'
    fields[#fields + 1] = ARGV[8]
  end
  if ARGV[#ARGV] ~= '' then
    fields[#fields + 1] = 'counted'
    fields[#fields + 1] = ARGV[#ARGV]
  end
  fields[#fields + 1] = 'open'
  fields[#fields + 1] = tostring(terminals)
  for first = 1, #fields, 500 do
    redis.call('HSET', KEYS[1], unpack(fields, first, math.min(first + 499, #fields)))
  end
  if ARGV[6] ~= '' then redis.call('SET', KEYS[2], ARGV[6]) end
  redis.call('ZADD', KEYS[3], at, uid)
end

local reply = {acceptance and 2 or 1}
if #KEYS == 6 then
  if not acceptance then redis.call('ZADD', KEYS[4], at, uid) end
  return reply
end
local now, notBefore, deadline = tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12])
for index = 0, terminals - 1 do
  local terminal, kick, alarm = terminalAt(index), 0, 0
  if redis.call('HGET', KEYS[1], 'state:' .. terminal) == 'held' then
    local key = 7 + 5 * index
    local start = math.max(notBefore, tonumber(ARGV[firstTerminal + 3 + 3 * index]))
    kick, alarm = place(KEYS[key], KEYS[key + 1], KEYS[key + 2], KEYS[key + 3], KEYS[key + 4],
      terminal, ARGV[9], now, start, deadline)
  end
  reply[#reply + 1] = kick
  reply[#reply + 1] = alarm
end
return reply
`,
);
