import { Script } from '../script.js';

/**
 * Keeps what a source said of a user, as long as the user exists: a notification that comes after the user was removed leaves nothing behind.
 * KEYS  user, sources
 * ARGV  source, record, seconds to keep it
 */
export const saveSource = new Script(
  'save-source',
  `
if redis.call('HEXISTS', KEYS[1], 'user') == 0 then return 0 end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[3])
return 1
`,
);
