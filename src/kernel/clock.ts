/** Time and chance as ports, so that tests decide both. Instants are milliseconds since the Unix epoch. */

export interface Clock {
  /** Now, in milliseconds since the epoch. */
  now(): number;
  /** Runs `task` once after `delayMs`; the returned timer can be cancelled. */
  after(delayMs: number, task: () => void): Timer;
}

export interface Timer {
  cancel(): void;
}

/** `size` random octets, unguessable. */
export type RandomBytes = (size: number) => Uint8Array;
