/** Holds `docs/errors.md` to the list of error codes, and to what each edge answers, in both directions. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PROBLEM, problemType } from '../../src/endpoints/http/problem-table.js';
import { ERROR_CODES, RefusedError } from '../../src/kernel/errors.js';
import { PAP_CODE } from '../../src/protocols/pap/pap-error-table.js';
import { statusOfError } from '../../src/transports/msrp-connections/status-of-error.js';

const text = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');

interface Row {
  readonly code: string;
  readonly anchor: string;
  readonly faces: readonly number[];
}

const rows: readonly Row[] = [...text.matchAll(/^\| \[`(\w+)`\]\(#(\w+)\) \| (.+) \|$/gm)].map((match) => ({
  code: match[1] ?? '',
  anchor: match[2] ?? '',
  faces: (match[3] ?? '').split(' | ').map(Number),
}));

const sections = new Map(
  text
    .split(/^## /m)
    .slice(1)
    .map((section) => [section.split('\n', 1)[0] ?? '', section] as const),
);

describe('the list of errors', () => {
  it('has every code of the gateway, and no other, in the same order', () => {
    expect(rows.map(({ code }) => code)).toEqual([...ERROR_CODES]);
  });

  it('has a section for every code, and for no other', () => {
    expect([...sections.keys()]).toEqual([...ERROR_CODES]);
  });

  it.each([...ERROR_CODES])('tells the meaning and the remedy of %s', (code) => {
    expect(sections.get(code)).toMatch(/^\*\*Meaning\.\*\* .{20}/m);
    expect(sections.get(code)).toMatch(/^\*\*Remedy\.\*\* .{5}/m);
  });

  it.each([...ERROR_CODES])('tells what is answered for %s', (code) => {
    const row = rows.find((candidate) => candidate.code === code);
    const msrp = statusOfError(new RefusedError(code, ''));
    expect(row?.faces).toEqual([PROBLEM[code].status, PAP_CODE[code], msrp]);
  });

  it('links every code to its section', () => {
    expect(rows.map(({ anchor }) => anchor)).toEqual(rows.map(({ code }) => code.toLowerCase()));
  });
});

describe('problem documents', () => {
  it('have a type of their own for every code', () => {
    expect(new Set(ERROR_CODES.map(problemType)).size).toBe(ERROR_CODES.length);
  });

  it('have a title of their own for every code', () => {
    expect(new Set(ERROR_CODES.map((code) => PROBLEM[code].title)).size).toBe(ERROR_CODES.length);
  });

  it('are errors of HTTP', () => {
    expect(ERROR_CODES.filter((code) => PROBLEM[code].status < 400 || PROBLEM[code].status > 599)).toEqual(
      [],
    );
  });
});
