/** Instants as the push formats write them (PAP §9.2, SI, EMN): `YYYY-MM-DDThh:mm:ssZ`, UTC, no other form. */

const SHAPE = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})Z$/;

/** Milliseconds since the epoch, or undefined when the text has another form or names a moment that does not exist. */
export function parseTimestamp(text: string): number | undefined {
  if (!SHAPE.test(text)) return undefined;
  const instant = Date.parse(text);
  // The engine takes 24:00:00 and, for some months, the 31st; what it read must be what was written.
  return !Number.isNaN(instant) && formatTimestamp(instant) === text ? instant : undefined;
}

/** The text of an instant; fractions of a second are dropped. The instant lies in the years 0000 to 9999. */
export function formatTimestamp(instant: number): string {
  return `${new Date(instant).toISOString().slice(0, 19)}Z`;
}
