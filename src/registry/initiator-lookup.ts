/**
 * What the directory said of an initiator, believed for a moment: requests come many in a second, changes come seldom. Requests
 * that come together ask once. Names that nobody has are remembered apart from the others, so that a flood of them
 * pushes out no initiator that exists.
 */
export interface LookupOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** How long an answer is believed, milliseconds. */
  readonly freshMs: number;
  /** Answers kept at most, found and not found each. */
  readonly maxEntries: number;
}

interface Entry<Value> {
  readonly value: Value | undefined;
  readonly freshUntil: number;
}

/** Gives the value, or a promise of it when the directory has to be asked. Rejects with what asking rejects with. */
export type Lookup<Value> = (
  key: string,
  ask: () => Promise<Value | undefined>,
) => Value | undefined | Promise<Value | undefined>;

export function createLookup<Value>({ now, freshMs, maxEntries }: LookupOptions): Lookup<Value> {
  const found = new Map<string, Entry<Value>>();
  const missing = new Map<string, Entry<Value>>();
  const underWay = new Map<string, Promise<Value | undefined>>();

  const remember = (key: string, value: Value | undefined): Value | undefined => {
    found.delete(key);
    missing.delete(key);
    const entries = value === undefined ? missing : found;
    entries.set(key, { value, freshUntil: now() + freshMs });
    const oldest = entries.keys().next();
    if (entries.size > maxEntries && !oldest.done) entries.delete(oldest.value);
    return value;
  };

  return (key, ask) => {
    const known = found.get(key) ?? missing.get(key);
    if (known && now() < known.freshUntil) return known.value;
    let pending = underWay.get(key);
    if (pending === undefined) {
      pending = ask()
        .then((value) => remember(key, value))
        .finally(() => underWay.delete(key));
      underWay.set(key, pending);
    }
    return pending;
  };
}
