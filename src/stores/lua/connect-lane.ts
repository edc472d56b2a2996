import { Script } from '../script.js';

/**
 * Lua: `reachedAnew` ends the wake-up and makes the lane due when it holds anything; what the terminal has said of when to wake it stands. Returns {entries held, the due moment there was or 0}.
 */
const REACHED_ANEW = `
local function reachedAnew(lane, deadlines, due, terminal, now, leastSirInterval)
  local known = redis.call('HMGET', lane, 'wokenAt', 'postponedUntil')
  local notBefore = math.max(tonumber(known[1] or 0) + leastSirInterval, tonumber(known[2] or 0))
  redis.call('HSET', lane, 'wakeSent', 0, 'wakeMethod', 0, 'wakeNotBefore', string.format('%.0f', notBefore))
  redis.call('HDEL', lane, 'sirId', 'failedSir', 'wakeHasNext')
  redis.call('HINCRBY', lane, 'epoch', 1)
  redis.call('HINCRBY', lane, 'version', 1)
  local held = redis.call('ZCARD', deadlines)
  local before = redis.call('ZSCORE', due, terminal)
  if held > 0 then redis.call('ZADD', due, 'LT', now, terminal) end
  return {held, before or '0'}
end
`;

/**
 * The terminal connected: remembers how, ends the wake-up, and makes the lane due when it holds anything.
 * KEYS  lane, deadlines, due
 * ARGV  terminal, now, session id or '', node or '', messageUntil or 0, least time between two SIRs in ms
 * Returns {entries held, the due moment there was or 0}.
 */
export const connectLane = new Script(
  'connect-lane',
  `${REACHED_ANEW}
if ARGV[3] ~= '' then
  redis.call('HSET', KEYS[1], 'session', ARGV[3], 'sessionNode', ARGV[4])
  redis.call('HDEL', KEYS[1], 'postponedUntil')
end
if ARGV[5] ~= '0' then redis.call('HSET', KEYS[1], 'messageUntil', ARGV[5]) end
return reachedAnew(KEYS[1], KEYS[2], KEYS[3], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[6]))
`,
);

/**
 * The operator lets go of a lane: the terminal is woken as if it had never been.
 * KEYS  lane, deadlines, due
 * ARGV  terminal, now, least time between two SIRs in ms
 * Returns false when the lane was not on hold, else {entries held, the due moment there was or 0}.
 */
export const unholdLane = new Script(
  'unhold-lane',
  `${REACHED_ANEW}
if redis.call('HDEL', KEYS[1], 'holdSince', 'holdReason') == 0 then return false end
redis.call('HDEL', KEYS[1], 'postponedUntil')
return reachedAnew(KEYS[1], KEYS[2], KEYS[3], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]))
`,
);

/**
 * A session ended. Ignored unless it is the one that the lane knows.
 * KEYS  lane, deadlines, due
 * ARGV  terminal, now, session id
 * Returns entries held.
 */
export const disconnectLane = new Script(
  'disconnect-lane',
  `
if redis.call('HGET', KEYS[1], 'session') ~= ARGV[3] then return 0 end
redis.call('HDEL', KEYS[1], 'session', 'sessionNode')
redis.call('HINCRBY', KEYS[1], 'version', 1)
local held = redis.call('ZCARD', KEYS[2])
if held > 0 then redis.call('ZADD', KEYS[3], 'LT', ARGV[2], ARGV[1]) end
return held
`,
);
