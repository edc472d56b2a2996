import { Script } from '../script.js';
import { PARK } from './park-in-lane.js';

/**
 * Moves one delivery between the two states that are not final, and its lane entry with it: aside while a network has the content,
 * back in line when the network gave it up. What is `handed` already is set aside again.
 * KEYS  push, and the lane unless it lies in another slot: lane, queue, deferred, deadlines, due
 * ARGV  terminal, state it has to be in, new state, now, bearer that it is not to go out by any more ('' = none), uid
 * Returns 1, or 0 when it is in another state.
 */
export const moveDelivery = new Script(
  'move-delivery',
  `${PARK}
local terminal = ARGV[1]
local isHandOver = ARGV[3] == 'handed'
local found = redis.call('HMGET', KEYS[1], 'state:' .. terminal, 'rank')
if found[1] == ARGV[2] then
  redis.call('HSET', KEYS[1], 'state:' .. terminal, ARGV[3], 'at:' .. terminal, ARGV[4])
  if ARGV[5] ~= '' then
    local before = redis.call('HGET', KEYS[1], 'failed:' .. terminal)
    redis.call('HSET', KEYS[1], 'failed:' .. terminal, before and before .. ',' .. ARGV[5] or ARGV[5])
  end
elseif not (isHandOver and found[1] == 'handed') then
  return 0
end
if not KEYS[2] then return 1 end
local member = found[2] .. ARGV[6]
if isHandOver then
  setAside(KEYS[3], KEYS[4], member)
else
  backInLine(KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], terminal, member, ARGV[4])
end
return 1
`,
);
