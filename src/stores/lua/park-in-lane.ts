import { MOST_OVERTAKEN } from '../../lane/lane.js';
import { Script } from '../script.js';

/**
 * Lua: `setAside` keeps an entry out of draining; its deadline stays, and so does the due moment: somebody looks when the deadline
 * comes. `backInLine` puts it behind those that wait and makes the lane due; an entry that is gone, or in line already, stays so.
 */
export const PARK = `
local function setAside(queue, deferred, member)
  redis.call('ZREM', queue, member)
  redis.call('ZREM', deferred, member)
end

local function backInLine(lane, queue, deferred, deadlines, due, terminal, member, now)
  if not redis.call('ZSCORE', deadlines, member) then return end
  if redis.call('ZSCORE', queue, member) or redis.call('ZSCORE', deferred, member) then return end
  local order = redis.call('HINCRBY', lane, 'order', 1)
  redis.call('ZADD', queue, tonumber(string.sub(member, 1, 1)) * ${MOST_OVERTAKEN} + order, member)
  redis.call('HINCRBY', lane, 'version', 1)
  redis.call('ZADD', due, 'LT', now, terminal)
end
`;

/**
 * Sets an entry aside or puts it back in line, when that cannot be done in the script that moves its delivery.
 * KEYS  lane, queue, deferred, deadlines, due
 * ARGV  terminal, member, now, 'aside' or 'inLine'
 */
export const parkInLane = new Script(
  'park-in-lane',
  `${PARK}
if ARGV[4] == 'aside' then
  setAside(KEYS[2], KEYS[3], ARGV[2])
else
  backInLine(KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], ARGV[1], ARGV[2], ARGV[3])
end
return 1
`,
);
