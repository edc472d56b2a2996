/** One outcome of a SIR that went out in several copies. */
import { describe, expect, it } from 'vitest';
import { together } from '../../src/push/bearer-outcome.js';
import type { BearerOutcome } from '../../src/push/ports.js';

const outcome = (kind: BearerOutcome['kind'], retryAt?: number): BearerOutcome => ({
  kind,
  detail: kind,
  ...(retryAt === undefined ? {} : { retryAt }),
});

describe('several outcomes together', () => {
  it.each([
    ['handed when any was', ['refused', 'deferred', 'handed'], 'handed'],
    ['deferred when one was and none was handed', ['refused', 'failed', 'deferred'], 'deferred'],
    ['refused when all were', ['refused', 'refused'], 'refused'],
    ['failed otherwise', ['refused', 'failed'], 'failed'],
    ['failed when there were none', [], 'failed'],
  ] as const)('are %s', (_, kinds, kind) => {
    expect(
      together(
        kinds.map((one) => outcome(one)),
        [],
      ).kind,
    ).toBe(kind);
  });

  it('ask again when the first of those that want it later does', () => {
    expect(together([outcome('deferred', 500), outcome('deferred', 200)], ['a', 'b'])).toEqual({
      kind: 'deferred',
      detail: 'a: deferred; b: deferred',
      retryAt: 200,
    });
  });
});
