import { Script } from '../script.js';

/**
 * Keeps a wake-up with the lane, while the lease is held. A terminal that was reached anew meanwhile keeps its fresh state; one that wants to be
 * left alone longer is; and a SIR that is known not to have arrived already is not waited for when there is a next method.
 * KEYS  lane, wakes
 * ARGV  token, epoch, sent, method, notBefore, sir id, woken at (0 = nothing went out), record, how many records to keep, their life in seconds,
 *       1 when the round has further methods
 * Returns the moment before which there is to be no SIR, or false when the lease was lost.
 */
export const recordWake = new Script(
  'record-wake',
  `
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return false end
local lane = redis.call('HMGET', KEYS[1], 'epoch', 'failedSir', 'postponedUntil')
local notBefore = tonumber(ARGV[5])
if ARGV[11] == '1' and ARGV[6] ~= '' and lane[2] == ARGV[6] then notBefore = tonumber(ARGV[7]) end
notBefore = math.max(notBefore, tonumber(lane[3] or 0))
if (lane[1] or '0') == ARGV[2] then
  redis.call('HSET', KEYS[1], 'wakeSent', ARGV[3], 'wakeMethod', ARGV[4], 'wakeNotBefore', string.format('%.0f', notBefore), 'sirId', ARGV[6], 'wakeHasNext', ARGV[11])
end
if ARGV[7] ~= '0' then redis.call('HSET', KEYS[1], 'wokenAt', ARGV[7]) end
redis.call('LPUSH', KEYS[2], ARGV[8])
redis.call('LTRIM', KEYS[2], 0, tonumber(ARGV[9]) - 1)
redis.call('EXPIRE', KEYS[2], ARGV[10])
return string.format('%.0f', notBefore)
`,
);

/**
 * Keeps what a network says of a SIR. When it did not arrive the next method of the round is due now.
 * KEYS  lane, receipts, deadlines, due
 * ARGV  terminal, sir id, outcome, receipt, now, how many receipts to keep, their life in seconds
 * Returns false when nothing follows from it, else the due moment there was or 0.
 */
export const noteReceipt = new Script(
  'note-receipt',
  `
for _, text in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do
  local known = cjson.decode(text)
  if known.sirId == ARGV[2] and (known.outcome == ARGV[3] or known.outcome == 'delivered') then return false end
end
redis.call('LPUSH', KEYS[2], ARGV[4])
redis.call('LTRIM', KEYS[2], 0, tonumber(ARGV[6]) - 1)
redis.call('EXPIRE', KEYS[2], ARGV[7])
if ARGV[3] ~= 'failed' then return false end
-- The record of the SIR may be yet to come, and whoever makes it has to look again.
redis.call('HSET', KEYS[1], 'failedSir', ARGV[2])
redis.call('HINCRBY', KEYS[1], 'version', 1)
local lane = redis.call('HMGET', KEYS[1], 'sirId', 'wakeHasNext', 'wakeNotBefore', 'postponedUntil')
local notBefore = math.max(tonumber(ARGV[5]), tonumber(lane[4] or 0))
if lane[1] ~= ARGV[2] or lane[2] ~= '1' or tonumber(lane[3] or 0) <= notBefore then return false end
redis.call('HSET', KEYS[1], 'wakeNotBefore', string.format('%.0f', notBefore))
if redis.call('EXISTS', KEYS[3]) == 0 then return false end
local before = redis.call('ZSCORE', KEYS[4], ARGV[1])
redis.call('ZADD', KEYS[4], 'LT', string.format('%.0f', notBefore), ARGV[1])
return before or '0'
`,
);

/**
 * The terminal does not want to be woken before a moment; a later wish takes the place of an earlier one.
 * KEYS  lane, wakes
 * ARGV  until, record, how many records to keep, their life in seconds
 */
export const postponeWake = new Script(
  'postpone-wake',
  `
redis.call('HSET', KEYS[1], 'postponedUntil', ARGV[1])
if tonumber(redis.call('HGET', KEYS[1], 'wakeNotBefore') or 0) < tonumber(ARGV[1]) then
  redis.call('HSET', KEYS[1], 'wakeNotBefore', ARGV[1])
end
redis.call('HINCRBY', KEYS[1], 'version', 1)
redis.call('LPUSH', KEYS[2], ARGV[2])
redis.call('LTRIM', KEYS[2], 0, tonumber(ARGV[3]) - 1)
redis.call('EXPIRE', KEYS[2], ARGV[4])
return 1
`,
);
