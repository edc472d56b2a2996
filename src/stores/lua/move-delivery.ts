import { Script } from '../script.js';

/**
 * Moves one delivery between two states that are not final.
 * KEYS  push
 * ARGV  terminal, state it has to be in, new state, now, bearer that it is not to go out by any more ('' = none)
 * Returns 1, or 0 when it is in another state.
 */
export const moveDelivery = new Script(
  'move-delivery',
  `
local terminal = ARGV[1]
if redis.call('HGET', KEYS[1], 'state:' .. terminal) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'state:' .. terminal, ARGV[3], 'at:' .. terminal, ARGV[4])
if ARGV[5] ~= '' then
  local before = redis.call('HGET', KEYS[1], 'failed:' .. terminal)
  redis.call('HSET', KEYS[1], 'failed:' .. terminal, before and before .. ',' .. ARGV[5] or ARGV[5])
end
return 1
`,
);
