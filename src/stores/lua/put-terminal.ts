import { Script } from '../script.js';

/**
 * Creates or replaces one terminal of a user, unless an identity of it belongs to another terminal of the user.
 * KEYS  user, identities
 * ARGV  terminal id, record, the record that it takes the place of ('' = none, '*' = whichever), canonical identity …
 * Returns 'stored', 'unknown user', 'changed' when another record is there, or 'conflict:' followed by the canonical identity.
 */
export const putTerminal = new Script(
  'put-terminal',
  `
if redis.call('HEXISTS', KEYS[1], 'user') == 0 then return 'unknown user' end
if ARGV[3] ~= '*' and (redis.call('HGET', KEYS[1], 'terminal:' .. ARGV[1]) or '') ~= ARGV[3] then return 'changed' end
for index = 4, #ARGV do
  local owner = redis.call('HGET', KEYS[2], ARGV[index])
  if owner and owner ~= ARGV[1] then return 'conflict:' .. ARGV[index] end
end
local known = redis.call('HGETALL', KEYS[2])
for index = 1, #known, 2 do
  if known[index + 1] == ARGV[1] then redis.call('HDEL', KEYS[2], known[index]) end
end
for index = 4, #ARGV do redis.call('HSET', KEYS[2], ARGV[index], ARGV[1]) end
redis.call('HSET', KEYS[1], 'terminal:' .. ARGV[1], ARGV[2])
return 'stored'
`,
);

/**
 * Removes one terminal and its identities.
 * KEYS  user, identities
 * ARGV  terminal id
 * Returns 1 when there was one.
 */
export const deleteTerminal = new Script(
  'delete-terminal',
  `
local known = redis.call('HGETALL', KEYS[2])
for index = 1, #known, 2 do
  if known[index + 1] == ARGV[1] then redis.call('HDEL', KEYS[2], known[index]) end
end
return redis.call('HDEL', KEYS[1], 'terminal:' .. ARGV[1])
`,
);
