import { Script } from '../script.js';

/**
 * An operator holds a lane. Its version moves, so that whoever runs it looks again.
 * KEYS  lane
 * ARGV  now, reason
 * Returns 1, or 0 when the lane was on hold before: then only the reason is new.
 */
export const holdLane = new Script(
  'hold-lane',
  `
redis.call('HSET', KEYS[1], 'holdReason', ARGV[2])
if redis.call('HSETNX', KEYS[1], 'holdSince', ARGV[1]) == 0 then return 0 end
redis.call('HINCRBY', KEYS[1], 'version', 1)
return 1
`,
);
