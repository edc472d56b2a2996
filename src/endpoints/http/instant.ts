/** Instants in JSON: ISO 8601 in UTC with milliseconds. */
import { DecodeError } from '../../kernel/errors.js';

const LAST_INSTANT = 8.64e15;

/** The text of an instant, milliseconds since the epoch; undefined for one beyond any calendar, which means "never" inside the gateway. */
export function formatInstant(at: number): string | undefined {
  return at > LAST_INSTANT ? undefined : new Date(at).toISOString();
}

/** RFC 3339 §5.6, with any offset: what we write, and what other people's clocks write. */
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/i;

/** Milliseconds since the epoch. `where` names it in the refusal. Throws DecodeError. */
export function parseInstant(text: string, where: string): number {
  const at = RFC_3339.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) throw new DecodeError(`${where}: has to be an instant like 2026-03-01T08:00:00Z`);
  return at;
}

/** `{ [name]: text }`, or nothing when there is no such instant. */
export function instant<Name extends string>(name: Name, at: number | undefined): { [N in Name]?: string } {
  const text = at === undefined ? undefined : formatInstant(at);
  return (text === undefined ? {} : { [name]: text }) as { [N in Name]?: string };
}
