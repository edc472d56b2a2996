import { Script } from '../script.js';

/**
 * Writes a push initiator when nobody has changed it since it was read, and keeps the index of its certificates in step.
 * KEYS  initiators, certificates
 * ARGV  id, what was read ('' = nothing), what is to be stored ('' = remove it), number of names to give up, then those
 *       names, then the names to take
 * Returns {'done'}, {'stale'} when it is not what was read, or {'taken', id} when another initiator has one of the names.
 */
export const changeInitiator = new Script(
  'change-initiator',
  `
local id = ARGV[1]
if (redis.call('HGET', KEYS[1], id) or '') ~= ARGV[2] then return {'stale'} end
local firstTaken = 5 + tonumber(ARGV[4])
for index = firstTaken, #ARGV do
  local owner = redis.call('HGET', KEYS[2], ARGV[index])
  if owner and owner ~= id then return {'taken', owner} end
end
for index = 5, firstTaken - 1 do redis.call('HDEL', KEYS[2], ARGV[index]) end
for index = firstTaken, #ARGV do redis.call('HSET', KEYS[2], ARGV[index], id) end
if ARGV[3] == '' then redis.call('HDEL', KEYS[1], id) else redis.call('HSET', KEYS[1], id, ARGV[3]) end
return {'done'}
`,
);
