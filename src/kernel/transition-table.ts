/**
 * State machines as literal tables. A row is a state, a column an event, a cell the next state; a final state is a
 * row without cells. A move that is not in the table throws, so an illegal step is found where it is made.
 */
import { InvariantError } from './errors.js';

export type TransitionTable<State extends string, Event extends string> = {
  readonly [S in State]: { readonly [E in Event]?: State };
};

/** The state after `event` in `state`. Throws InvariantError when the table has no such move. */
export function advance<State extends string, Event extends string>(
  table: TransitionTable<State, Event>,
  state: State,
  event: Event,
): State {
  const next = table[state][event];
  if (next === undefined) throw new InvariantError(`no move "${event}" from state "${state}"`);
  return next;
}

/** True when no event leads out of the state. */
export function isFinal<State extends string, Event extends string>(
  table: TransitionTable<State, Event>,
  state: State,
): boolean {
  return Object.keys(table[state]).length === 0;
}
