/**
 * The coverage table of the targeting requirements in docs/specifications.md, held to the tests: every requirement has its row, once and in
 * order; what counts as built names tests, which exist and quote it; what is left out is no claim of the patent, and says why.
 */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const REQUIREMENTS = 176;
const LEVELS = ['claim', 'embodiment', 'option', 'added'];

interface Row {
  readonly number: number;
  readonly requirement: string;
  readonly level: string;
  readonly state: string;
  readonly tests: readonly string[];
  readonly remarks: string;
}

const path = (name: string) => new URL(`../../${name}`, import.meta.url);
const page = readFileSync(path('docs/specifications.md'), 'utf8');

const rows = page
  .split('\n')
  .filter((line) => /^\| SIR-\d+ \|/.test(line))
  .map((line): Row => {
    const [id = '', requirement = '', level = '', state = '', tests = '', remarks = ''] = line
      .split('|')
      .slice(1)
      .map((cell) => cell.trim());
    return {
      number: Number(id.replace('SIR-', '')),
      ...{ requirement, level, state, remarks },
      tests: [...tests.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
    };
  });

/** The requirements that a text quotes: `SIR-7`, and everything in `SIR-62 … SIR-66`. */
function quotedIn(text: string): ReadonlySet<number> {
  const quoted = new Set<number>();
  for (const [, first = '', last = first] of text.matchAll(/SIR-(\d+)(?:\s*…\s*SIR-(\d+))?/g)) {
    for (let number = Number(first); number <= Number(last); number += 1) quoted.add(number);
  }
  return quoted;
}

const fileOf = (test: string) =>
  [path(`test/${test}.test.ts`), path(`test/${test}.ts`)].find((file) => existsSync(file));

describe('the coverage table of the targeting requirements', () => {
  it('has every requirement once, in order', () => {
    expect(rows.map(({ number }) => number)).toEqual(
      Array.from({ length: REQUIREMENTS }, (_, index) => index + 1),
    );
  });

  it('names the level and the state of each', () => {
    const odd = rows.filter(
      ({ requirement, level, state }) =>
        requirement === '' || !LEVELS.includes(level) || !['built', 'partial', 'left out'].includes(state),
    );
    expect(odd).toEqual([]);
  });

  it('names tests that exist and quote the requirement', () => {
    const wrong = rows.flatMap(({ number, tests }) =>
      tests.flatMap((test) => {
        const file = fileOf(test);
        if (file === undefined) return [`SIR-${number}: there is no test ${test}`];
        return quotedIn(readFileSync(file, 'utf8')).has(number)
          ? []
          : [`SIR-${number}: ${test} does not quote it`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  it('shows whatever it calls built, in part or whole, by a test', () => {
    expect(rows.filter(({ state, tests }) => state !== 'left out' && tests.length === 0)).toEqual([]);
  });

  it('says what is missing where something is, and leaves out options only', () => {
    expect(rows.filter(({ state, remarks }) => state !== 'built' && remarks === '')).toEqual([]);
    expect(rows.filter(({ state, level }) => state === 'left out' && level !== 'option')).toEqual([]);
  });
});
