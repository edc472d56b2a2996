import { Script } from '../script.js';

/**
 * Takes entries out of a lane. The last one takes the due moment with it.
 * KEYS  queue, deferred, deadlines, due
 * ARGV  terminal, member …
 */
export const removeFromLane = new Script(
  'remove-from-lane',
  `
for index = 2, #ARGV do
  redis.call('ZREM', KEYS[1], ARGV[index])
  redis.call('ZREM', KEYS[2], ARGV[index])
  redis.call('ZREM', KEYS[3], ARGV[index])
end
if redis.call('EXISTS', KEYS[3]) == 0 then redis.call('ZREM', KEYS[4], ARGV[1]) end
return 1
`,
);
