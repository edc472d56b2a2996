import { Script } from '../script.js';

/** Lua: `leaveLane` takes one entry out of a lane. The last one takes the due moment with it. Nothing happens to one that is gone. */
export const LEAVE = `
local function leaveLane(queue, deferred, deadlines, due, terminal, member)
  redis.call('ZREM', queue, member)
  redis.call('ZREM', deferred, member)
  redis.call('ZREM', deadlines, member)
  if redis.call('EXISTS', deadlines) == 0 then redis.call('ZREM', due, terminal) end
end
`;

/**
 * Takes entries out of a lane, when that is not done in the script that settles their delivery.
 * KEYS  queue, deferred, deadlines, due
 * ARGV  terminal, member …
 */
export const removeFromLane = new Script(
  'remove-from-lane',
  `${LEAVE}
for index = 2, #ARGV do
  leaveLane(KEYS[1], KEYS[2], KEYS[3], KEYS[4], ARGV[1], ARGV[index])
end
return 1
`,
);
