import { MOST_OVERTAKEN } from '../../lane/lane.js';
import { Script } from '../script.js';

/**
 * Sets entries aside: they keep their deadline and take no more part in draining. The due moment stays: somebody looks when
 * the deadline comes.
 * KEYS  queue, deferred
 * ARGV  member …
 */
export const parkInLane = new Script(
  'park-in-lane',
  `
for index = 1, #ARGV do
  redis.call('ZREM', KEYS[1], ARGV[index])
  redis.call('ZREM', KEYS[2], ARGV[index])
end
return 1
`,
);

/**
 * Puts a parked entry back in line and makes the lane due. An entry that is gone, or in line already, stays so.
 * KEYS  lane, queue, deferred, deadlines, due
 * ARGV  terminal, member, now
 */
export const resumeInLane = new Script(
  'resume-in-lane',
  `
local member = ARGV[2]
if not redis.call('ZSCORE', KEYS[4], member) then return 0 end
if redis.call('ZSCORE', KEYS[2], member) or redis.call('ZSCORE', KEYS[3], member) then return 0 end
local order = redis.call('HINCRBY', KEYS[1], 'order', 1)
redis.call('ZADD', KEYS[2], tonumber(string.sub(member, 1, 1)) * ${MOST_OVERTAKEN} + order, member)
redis.call('HINCRBY', KEYS[1], 'version', 1)
redis.call('ZADD', KEYS[5], 'LT', ARGV[3], ARGV[1])
return 1
`,
);
