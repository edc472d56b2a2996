import { Script } from '../script.js';

/**
 * Takes a place for one push within the quotas and the rate of its initiator, or none at all.
 * KEYS  rate, pending, pending bytes, counted
 * ARGV  initiator, member, octets, now (ms), quota of pushes ('' = none), quota of octets ('' = none),
 *       microseconds between two pushes ('' = no rate), how much earlier than that one may come (µs)
 * Returns {'admitted'}, {'pendingPushes'}, {'pendingBytes'}, or {'rate', milliseconds until there is room}.
 *
 * The rate is counted as in GCRA (ITU-T I.371): one instant says it all, the theoretical arrival of the next push. Redis gives
 * the time, so that the clocks of several gateways do not matter.
 */
export const admitPush = new Script(
  'admit-push',
  `
local bytes = tonumber(ARGV[3])
local isNew = not redis.call('ZSCORE', KEYS[2], ARGV[2])
if ARGV[5] ~= '' and isNew and redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[5]) then return {'pendingPushes'} end
if ARGV[6] ~= '' and isNew then
  local held = tonumber(redis.call('GET', KEYS[3]) or '0')
  if held + bytes > tonumber(ARGV[6]) then return {'pendingBytes'} end
end
if ARGV[7] ~= '' then
  local time = redis.call('TIME')
  local now = time[1] * 1000000 + time[2]
  local arrival = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
  local early = arrival - now - tonumber(ARGV[8])
  if early > 0 then return {'rate', math.ceil(early / 1000)} end
  local nextArrival = arrival + tonumber(ARGV[7])
  redis.call('SET', KEYS[1], string.format('%.0f', nextArrival), 'PX', math.ceil((nextArrival - now) / 1000))
end
if (ARGV[5] ~= '' or ARGV[6] ~= '') and isNew then
  redis.call('ZADD', KEYS[2], ARGV[4], ARGV[2])
  redis.call('INCRBY', KEYS[3], bytes)
  redis.call('SADD', KEYS[4], ARGV[1])
end
return {'admitted'}
`,
);
