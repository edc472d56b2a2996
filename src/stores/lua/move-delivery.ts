import { Script } from '../script.js';
import { PARK } from './park-in-lane.js';

/** Lua: `failedOf` gives the bearers that have given a push up, and whether this one is among them. */
const FAILED = `
local function failedOf(push, terminal, bearer)
  local failed = redis.call('HGET', push, 'failed:' .. terminal)
  return failed, failed and string.find(',' .. failed .. ',', ',' .. bearer .. ',', 1, true)
end
`;

/**
 * Notes that a network has the content of a push, and sets its lane entry aside. Whoever has given it up meanwhile does not have it. What is
 * handed over already is set aside again.
 * KEYS  push, and the lane unless it lies in another slot: lane, queue, deferred, deadlines, due
 * ARGV  terminal, bearer, state it has to be in, new state, now, uid
 * Returns 'handed', 'givenUp', or 'ended'.
 */
export const handOverDelivery = new Script(
  'hand-over-delivery',
  `${PARK}${FAILED}
local terminal = ARGV[1]
local state, rank = unpack(redis.call('HMGET', KEYS[1], 'state:' .. terminal, 'rank'))
if state ~= ARGV[3] and state ~= ARGV[4] then return 'ended' end
if state == ARGV[3] then
  local _, isGivenUp = failedOf(KEYS[1], terminal, ARGV[2])
  if isGivenUp then return 'givenUp' end
  redis.call('HSET', KEYS[1], 'state:' .. terminal, ARGV[4], 'at:' .. terminal, ARGV[5], 'bearer:' .. terminal, ARGV[2])
end
if KEYS[2] then setAside(KEYS[3], KEYS[4], rank .. ARGV[6]) end
return 'handed'
`,
);

/**
 * Notes that a bearer has given a push up, takes back what it was handed, and puts the lane entry back in line. What another bearer has been
 * handed since stays with that.
 * KEYS  push, and the lane unless it lies in another slot: lane, queue, deferred, deadlines, due
 * ARGV  terminal, bearer, state of what is handed, state of what is taken back, now, uid
 * Returns the state it is in now, or false when it is not kept.
 */
export const giveUpDelivery = new Script(
  'give-up-delivery',
  `${PARK}${FAILED}
local terminal = ARGV[1]
local state, by, rank = unpack(redis.call('HMGET', KEYS[1], 'state:' .. terminal, 'bearer:' .. terminal, 'rank'))
if not state then return false end
if state ~= ARGV[3] and state ~= ARGV[4] then return state end
local failed, isGivenUp = failedOf(KEYS[1], terminal, ARGV[2])
if not isGivenUp then
  redis.call('HSET', KEYS[1], 'failed:' .. terminal, failed and failed .. ',' .. ARGV[2] or ARGV[2])
end
if state == ARGV[3] and by == ARGV[2] then
  state = ARGV[4]
  redis.call('HSET', KEYS[1], 'state:' .. terminal, state, 'at:' .. terminal, ARGV[5])
end
if state == ARGV[4] and KEYS[2] then
  backInLine(KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], terminal, rank .. ARGV[6], ARGV[5])
end
return state
`,
);
