/**
 * Which links lead to a number, in the order in which they are tried: those of its operator first, then those with the longest prefix that
 * it begins with; among equals by weight, the same number always in the same order. Pure.
 */
import { createHash } from 'node:crypto';

export interface Route {
  readonly name: string;
  /** Beginnings of numbers in E.164, `+` in front. None: every number. */
  readonly prefixes: readonly string[];
  /** Operators whose subscribers it is for, whatever their numbers. None: those of every operator. */
  readonly operators: readonly string[];
  /** Its share of the numbers, against those of its equals. 0: only when all others fail. */
  readonly weight: number;
}

/** `operator`: that of the terminal, where it is known. */
export function routesTo<Each extends Route>(
  routes: readonly Each[],
  address: string,
  operator?: string,
): readonly Each[] {
  return routes
    .flatMap((route) => {
      const fit = fitOf(route, address, operator);
      return fit === undefined ? [] : [{ route, fit, place: placeOf(route, address) }];
    })
    .sort((a, b) => b.fit - a.fit || b.place - a.place)
    .map(({ route }) => route);
}

/** Longer than any prefix: an operator says more than a number, which may have been taken along from another one. */
const OPERATOR = 100;

/** How well the route fits; undefined when it does not lead there. */
function fitOf(
  { prefixes, operators }: Route,
  address: string,
  operator: string | undefined,
): number | undefined {
  const isOfOperator = operator !== undefined && operators.includes(operator);
  if (isOfOperator) return OPERATOR;
  if (operators.length > 0 && prefixes.length === 0) return undefined;
  if (prefixes.length === 0) return 0;
  const lengths = prefixes.filter((prefix) => address.startsWith(prefix)).map(({ length }) => length);
  return lengths.length === 0 ? undefined : Math.max(...lengths);
}

/** Rendezvous hashing with weights: a link that comes or goes moves no numbers but its own. */
function placeOf({ name, weight }: Route, address: string): number {
  if (weight <= 0) return 0;
  const draw = createHash('sha256').update(`${name} ${address}`).digest().readUInt32BE(0);
  return -weight / Math.log((draw + 1) / 0x1_0000_0001);
}
