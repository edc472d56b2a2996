/**
 * Bearer choice: the ways to reach a terminal for what its lane holds, in the order in which they are tried, and what each of
 * them is for (SIR-29, SIR-92). A terminal that opens push sessions is woken by a SIR; to one that does not, a plain
 * handset, a bearer carries the push itself. An activation method may say otherwise of itself. Pure.
 */
import type { QualityOfService } from '../protocols/pap/index.js';
import type { BearerName } from '../registry/bearer-name.js';
import type { ActivationMethod, Terminal } from '../registry/user.js';
import type { Bearer } from './ports.js';
import { bearersMeant } from './quality-of-service.js';

/** An activation method and what goes out by it: a request to open a session, or the push itself. */
export interface Way extends ActivationMethod {
  readonly carries: 'sir' | 'content';
}

/** What rules and preferences say of the bearers. */
export interface BearerWishes {
  /** The only ones, the first choice first. */
  readonly only?: readonly BearerName[];
  /** The dearest to the terminal first; the others after them. */
  readonly liked?: readonly BearerName[];
  readonly costs?: BearerCosts;
}

/** What a message by a bearer costs, in any unit; one that is not named costs nothing. */
export type BearerCosts = Readonly<Partial<Record<BearerName, number>>>;

/**
 * Ways by a bearer that this gateway does not have are among them, so that an operator sees why they fail; ways that the push must not
 * take are not. What the initiator wishes goes first, what is known to be down goes last; else the order of a rule counts, else that
 * of the terminal's preferences, else what is cheapest, else that in which its activation methods stand.
 */
export function waysTo(
  terminal: Pick<Terminal, 'activation'>,
  quality: Pick<QualityOfService, 'bearer' | 'bearerRequired'> | undefined,
  bearers: ReadonlyMap<BearerName, Bearer>,
  { only, liked = [], costs = {} }: BearerWishes = {},
): readonly Way[] {
  const wanted = bearersMeant(quality?.bearer);
  const isWanted = ({ bearer }: ActivationMethod) => wanted?.includes(bearer) ?? false;
  const hasSessions = terminal.activation.some(({ bearer }) => bearer === 'sip');
  const ways = terminal.activation
    .filter((method) => !quality?.bearerRequired || wanted === undefined || isWanted(method))
    .filter(({ bearer }) => only === undefined || only.includes(bearer))
    .map((method): Way => {
      const canCarry = bearers.get(method.bearer)?.carry !== undefined;
      const usual = canCarry && !hasSessions ? 'content' : 'sir';
      return { ...method, carries: canCarry ? (method.carries ?? usual) : 'sir' };
    });
  const rank = (way: Way) =>
    (bearers.get(way.bearer)?.isDown?.(way.address) ? 2 : 0) + (isWanted(way) ? 0 : 1);
  const order = only ?? liked;
  const place = ({ bearer }: Way) => (order.includes(bearer) ? order.indexOf(bearer) : order.length);
  const cost = ({ bearer }: Way) => costs[bearer] ?? 0;
  return [...ways].sort((a, b) => rank(a) - rank(b) || place(a) - place(b) || cost(a) - cost(b));
}
