/** The state of a push in parts is a join: every order of the same news ends in the same state, and nothing known is lost. */
import { describe, expect, it } from 'vitest';
import { joinPart, PART_STATES, wholeOf } from '../../src/push/parts.js';

describe('what is known of a part', () => {
  const all = PART_STATES.flatMap((a) =>
    PART_STATES.flatMap((b) => PART_STATES.map((c) => [a, b, c] as const)),
  );

  it('does not depend on the order of the news, on repetitions, or on what was told together', () => {
    for (const [a, b, c] of all) {
      expect(joinPart(a, b)).toBe(joinPart(b, a));
      expect(joinPart(a, joinPart(b, c))).toBe(joinPart(joinPart(a, b), c));
      expect(joinPart(a, a)).toBe(a);
      expect(joinPart(a, joinPart(a, b))).toBe(joinPart(a, b));
    }
  });
});

it.each([
  [['open', 'accepted'], 'open'],
  [['accepted', 'delivered'], 'accepted'],
  [['delivered', 'delivered'], 'delivered'],
  [['delivered', 'failed'], 'failed'],
  [['open', 'failed'], 'failed'],
] as const)('a push whose parts are %j is %s', (parts, whole) => {
  expect(wholeOf(parts)).toBe(whole);
});
