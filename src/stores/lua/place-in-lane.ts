import { MOST_OVERTAKEN } from '../../lane/lane.js';
import { Script } from '../script.js';

/**
 * Lua: `place` puts one entry into a lane, once, and says who has to act on it. Returns kick (0/1) and the instant to
 * which the lane's alarm has moved forward, or 0. While a lease is held its holder acts; the due moment is there
 * all the same, for the case that the holder dies. While the lane is on hold there is nothing to do but to expire.
 */
export const PLACE = `
local function place(lane, queue, deferred, deadlines, due, terminal, member, now, notBefore, deadline)
  if not redis.call('ZSCORE', deadlines, member) then
    redis.call('ZADD', deadlines, deadline, member)
    if notBefore > now then
      redis.call('ZADD', deferred, notBefore, member)
    else
      local order = redis.call('HINCRBY', lane, 'order', 1)
      redis.call('ZADD', queue, tonumber(string.sub(member, 1, 1)) * ${MOST_OVERTAKEN} + order, member)
    end
    redis.call('HINCRBY', lane, 'version', 1)
  end
  local state = redis.call('HMGET', lane, 'leasedUntil', 'session', 'messageUntil', 'wakeNotBefore', 'holdSince')
  local leasedUntil = tonumber(state[1] or 0)
  if leasedUntil > now then
    redis.call('ZADD', due, 'LT', leasedUntil, terminal)
    return 1, 0
  end
  local wakeNotBefore = tonumber(state[4] or 0)
  local isReachable = state[2] or tonumber(state[3] or 0) > now or wakeNotBefore <= now
  local at = deadline
  if notBefore > now then
    at = math.min(at, notBefore)
  elseif state[5] then
    at = deadline
  elseif isReachable then
    at = now
  else
    at = math.min(at, wakeNotBefore)
  end
  local hasMoved = redis.call('ZADD', due, 'LT', 'CH', at, terminal) == 1
  if at <= now then return 1, 0 end
  return 0, hasMoved and at or 0
end
`;

/**
 * Puts an entry into one lane, when that cannot be done in the script that accepts the push.
 * KEYS  lane, queue, deferred, deadlines, due
 * ARGV  terminal, member (rank and id), now, notBefore (0 = at once), deadline
 * Returns {kick (0/1), instant to which the lane's alarm has moved forward or 0}.
 */
export const placeInLane = new Script(
  'place-in-lane',
  `${PLACE}
return {place(KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]))}
`,
);
