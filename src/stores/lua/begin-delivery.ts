import { Script } from '../script.js';

/**
 * Starts an attempt to deliver a push to one terminal and reads what is to be sent. A lease token that is not the lane's
 * newest is refused, also when the newer holder has not come to this push yet: else both would send it. Nothing begins
 * while the lane is on hold.
 * KEYS  push, body, and the lane unless it lies in another slot
 * ARGV  terminal, lease token, bearer, now
 * Returns {'begun', head, body or nothing, bearers that failed or nothing}, or one of {'missing'}, {'handed'}, {'settled'},
 * {'fenced'}, {'onHold'}.
 */
export const beginDelivery = new Script(
  'begin-delivery',
  `
local terminal = ARGV[1]
local found = redis.call('HMGET', KEYS[1], 'head', 'state:' .. terminal, 'token:' .. terminal, 'failed:' .. terminal)
if not found[1] then return {'missing'} end
if found[2] == 'handed' then return {'handed'} end
if found[2] ~= 'held' then return {'settled'} end
if found[3] and tonumber(found[3]) > tonumber(ARGV[2]) then return {'fenced'} end
if KEYS[3] then
  local lane = redis.call('HMGET', KEYS[3], 'token', 'holdSince')
  if lane[1] ~= ARGV[2] then return {'fenced'} end
  if lane[2] then return {'onHold'} end
end
redis.call('HSET', KEYS[1], 'token:' .. terminal, ARGV[2], 'bearer:' .. terminal, ARGV[3], 'tried:' .. terminal, ARGV[4])
redis.call('HINCRBY', KEYS[1], 'attempts:' .. terminal, 1)
return {'begun', found[1], redis.call('GET', KEYS[2]), found[4]}
`,
);
