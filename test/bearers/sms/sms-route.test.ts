/** Which links lead to a number, as a table, and how weights share numbers out. */
import { describe, expect, it } from 'vitest';
import { type Route, routesTo } from '../../../src/bearers/sms/sms-route.js';

const route = (name: string, more: Partial<Route> = {}): Route => ({
  name,
  prefixes: [],
  operators: [],
  weight: 1,
  ...more,
});
const names = (routes: readonly Route[]) => routes.map(({ name }) => name);

const ALL = [
  route('any'),
  route('austria', { prefixes: ['+43'] }),
  route('mobile', { prefixes: ['+43664', '+43660'] }),
  route('germany', { prefixes: ['+49'] }),
  route('alpha', { operators: ['Alpha'] }),
];

it.each([
  ['+436641234567', undefined, ['mobile', 'austria', 'any']],
  ['+431234567', undefined, ['austria', 'any']],
  ['+49301234567', undefined, ['germany', 'any']],
  ['+15551234567', undefined, ['any']],
  ['+436641234567', 'Alpha', ['alpha', 'mobile', 'austria', 'any']],
  ['+436641234567', 'Beta', ['mobile', 'austria', 'any']],
])('to %s of operator %s lead, in this order, %j', (address, operator, expected) => {
  expect(names(routesTo(ALL, address, operator))).toEqual(expected);
});

describe('links that lead to a number equally', () => {
  const equals = [route('one', { weight: 1 }), route('three', { weight: 3 }), route('spare', { weight: 0 })];
  const numbers = Array.from({ length: 4000 }, (_, index) => `+43664${String(index).padStart(7, '0')}`);
  const firsts = (routes: readonly Route[]) => numbers.map((number) => routesTo(routes, number)[0]?.name);

  it('share the numbers by their weights, and the one without weight comes last', () => {
    const share = firsts(equals).filter((name) => name === 'three').length / numbers.length;
    expect(share).toBeGreaterThan(0.72);
    expect(share).toBeLessThan(0.78);
    expect(numbers.every((number) => routesTo(equals, number).at(-1)?.name === 'spare')).toBe(true);
  });

  it('keep their numbers when another one comes', () => {
    const before = firsts(equals);
    const after = firsts([...equals, route('new', { weight: 2 })]);
    expect(after.every((name, index) => name === 'new' || name === before[index])).toBe(true);
  });
});
