import { Script } from '../script.js';

/**
 * What is known of a message of several parts; made with this reference when nothing is.
 * KEYS  parts
 * ARGV  reference, total, life in milliseconds
 * Returns every field and value.
 */
export const openParts = new Script(
  'open-parts',
  `
if redis.call('HSETNX', KEYS[1], 'total', ARGV[2]) == 1 then
  redis.call('HSET', KEYS[1], 'reference', ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return redis.call('HGETALL', KEYS[1])
`,
);

/**
 * Raises the state of one part; states are written as their rank.
 * KEYS  parts
 * ARGV  number, rank, total, life in milliseconds, sender or ''
 * Returns the ranks of all parts.
 */
export const raisePart = new Script(
  'raise-part',
  `
local before = tonumber(redis.call('HGET', KEYS[1], 'p' .. ARGV[1]) or '0')
if tonumber(ARGV[2]) > before then redis.call('HSET', KEYS[1], 'p' .. ARGV[1], ARGV[2]) end
if ARGV[5] ~= '' then redis.call('HSETNX', KEYS[1], 'sender', ARGV[5]) end
redis.call('HSETNX', KEYS[1], 'total', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
local ranks = {}
for number = 1, tonumber(ARGV[3]) do
  ranks[number] = tonumber(redis.call('HGET', KEYS[1], 'p' .. number) or '0')
end
return ranks
`,
);

/**
 * Notes under which name a network has a part, and takes what came early under one of its aliases.
 * KEYS  name, early receipts …
 * ARGV  part, life in milliseconds
 */
export const notePart = new Script(
  'note-part',
  `
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
local found = false
for index = 2, #KEYS do
  local early = redis.call('GET', KEYS[index])
  if early then
    redis.call('DEL', KEYS[index])
    found = found or early
  end
end
return found
`,
);

/**
 * The part with one of these names; when there is none and something is to be kept, that is kept.
 * KEYS  early receipt, name …
 * ARGV  receipt or '', its life in milliseconds
 */
export const findPart = new Script(
  'find-part',
  `
for index = 2, #KEYS do
  local part = redis.call('GET', KEYS[index])
  if part then return part end
end
if ARGV[1] ~= '' then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
return false
`,
);
