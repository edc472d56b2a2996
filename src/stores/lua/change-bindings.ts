import { Script } from '../script.js';

/**
 * Applies one REGISTER as a whole or not at all (RFC 3261 §10.3 step 7).
 * KEYS  bindings
 * ARGV  now, number of puts, then for each: key, Call-ID, CSeq, record; then for each removal: key, Call-ID, CSeq
 * Returns the live records afterwards, or {'conflict'} when a stored binding of the same Call-ID has a CSeq as high.
 */
export const changeBindings = new Script(
  'change-bindings',
  `
local now = tonumber(ARGV[1])
local stored = redis.call('HGETALL', KEYS[1])
local live = {}
for index = 1, #stored, 2 do
  local binding = cjson.decode(stored[index + 1])
  if binding.expiresAt > now then
    live[stored[index]] = binding
  else
    redis.call('HDEL', KEYS[1], stored[index])
  end
end
local function isStale(key, callId, cseq)
  local before = live[key]
  return before and before.callId == callId and before.cseq >= tonumber(cseq)
end
local puts = tonumber(ARGV[2])
local removals = 3 + puts * 4
for index = 3, removals - 1, 4 do
  if isStale(ARGV[index], ARGV[index + 1], ARGV[index + 2]) then return {'conflict'} end
end
for index = removals, #ARGV, 3 do
  if isStale(ARGV[index], ARGV[index + 1], ARGV[index + 2]) then return {'conflict'} end
end
for index = 3, removals - 1, 4 do redis.call('HSET', KEYS[1], ARGV[index], ARGV[index + 3]) end
for index = removals, #ARGV, 3 do redis.call('HDEL', KEYS[1], ARGV[index]) end
return redis.call('HVALS', KEYS[1])
`,
);
