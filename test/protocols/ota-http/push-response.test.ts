/** What terminals answer: the maker's own sample, every status of the table, plain HTTP, and nonsense. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { HttpResponseReader } from '../../../src/protocols/http/index.js';
import {
  PUSH_STATUS,
  parsePushStatus,
  pushResponseHeaders,
  readPushResponse,
} from '../../../src/protocols/ota-http/index.js';

const VECTORS = JSON.parse(
  readFileSync(new URL('../../vectors/push.json', import.meta.url), 'utf8'),
) as readonly { readonly name: string; readonly hex: string }[];

const answered = (value: string, status = 204) =>
  readPushResponse({ status, headers: [{ name: 'X-WAP-Push-Status', value }] });

it('the sample of a maker is an acceptance', () => {
  const reader = new HttpResponseReader();
  reader.push(Buffer.from(VECTORS.find(({ name }) => name === 'symbian-ota-http-rsp')?.hex ?? '', 'hex'));
  // It ends with its last field, before the ends of that line and of the head.
  reader.push(Buffer.from('\r\n\r\n'));
  const response = reader.next();
  expect(response && readPushResponse(response)).toMatchObject({ meaning: 'accepted' });
});

describe('a push status', () => {
  it.each([
    ['400 Accepted', 'accepted', undefined],
    ['400', 'accepted', undefined],
    [' 234', 'aborted', 5026],
    ['235 USERRFS', 'aborted', 5027],
    ['236', 'notNow', 5028],
    ['237', 'aborted', 5029],
    ['238 no reader', 'unknownMediaType', 5030],
    ['256', 'capabilitiesChanged', undefined],
    ['500', 'capabilitiesConfirmed', undefined],
    ['501', 'capabilitiesTold', undefined],
    ['224', 'failed', undefined],
    ['999', 'failed', undefined],
  ])('%j means %s', (value, meaning, papCode) => {
    const response = answered(value);
    expect(response.meaning).toBe(meaning);
    expect(response.papCode).toBe(papCode);
    expect(response.detail).toContain(value.trim().slice(0, 3));
  });

  it.each(['', 'Accepted', '4000', '40', '-400', 'x400'])('%j is none', (value) => {
    expect(parsePushStatus(value)).toBeUndefined();
  });

  it('of every row of the table is written and read as itself', () => {
    for (const [status, { meaning }] of PUSH_STATUS) {
      const headers = pushResponseHeaders(status, '1a2b');
      expect(readPushResponse({ status: 204, headers })).toMatchObject({ meaning, cpiTag: '1a2b' });
    }
  });

  it('comes with the reason in the words of the terminal, cut to what fits a line', () => {
    const told = (reason: string) =>
      readPushResponse({
        status: 204,
        headers: [...pushResponseHeaders(235), { name: 'X-Push-Reason', value: reason }],
      }).detail;
    expect(told('The user declined')).toMatch(/235.*: The user declined$/);
    expect(told('a\tb\u00e9c')).toMatch(/: a b c$/);
    expect(told('x'.repeat(5000)).length).toBeLessThan(300);
  });

  it('counts for nothing when HTTP itself says no', () => {
    expect(answered('400 Accepted', 404)).toMatchObject({ meaning: 'failed' });
  });
});

describe('an answer without a push status', () => {
  it.each([
    [200, 'taken'],
    [204, 'taken'],
    [301, 'failed'],
    [400, 'failed'],
    [404, 'failed'],
    [405, 'failed'],
    [406, 'unknownMediaType'],
    [413, 'tooLarge'],
    [415, 'unknownMediaType'],
    [429, 'notNow'],
    [500, 'failed'],
    [503, 'notNow'],
  ])('%i is %s', (status, meaning) => {
    expect(readPushResponse({ status, headers: [] })).toMatchObject({ meaning });
  });
});
