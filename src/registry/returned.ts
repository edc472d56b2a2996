/** What a terminal returned when a session initiation request asked for it, as it is kept with the terminal (SIR-135). */

const RETURNED_KINDS = ['capability', 'preference', 'security', 'subscription'] as const;
export type ReturnedKind = (typeof RETURNED_KINDS)[number];

/** The latest return of one kind. */
export interface ReturnedInformation {
  /** Counts the returns of this kind from 1. */
  readonly version: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** As the terminal sent it: a JSON value. */
  readonly information: unknown;
}

export type Returned = { readonly [Kind in ReturnedKind]?: ReturnedInformation };
