import { Script } from '../script.js';

/**
 * Gives back what admit-push took for one push. Does nothing the second time.
 * KEYS  pending, pending bytes, counted
 * ARGV  initiator, member, octets
 */
export const releasePush = new Script(
  'release-push',
  `
if redis.call('ZREM', KEYS[1], ARGV[2]) == 0 then return 0 end
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('DEL', KEYS[2])
  redis.call('SREM', KEYS[3], ARGV[1])
else
  redis.call('DECRBY', KEYS[2], ARGV[3])
end
return 1
`,
);
