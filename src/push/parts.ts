/**
 * Parts: a push, or a SIR, that a network carries in several messages, each of which it takes, and reports on, by itself (short messages). What is known
 * of a part only ever grows: taken, given up, delivered; a report that comes late, twice, or behind its own contradiction lowers nothing. The
 * state of the whole follows from those of its parts, whatever the order in which they became known.
 */
import type { BearerName } from '../registry/bearer-name.js';
import type { TerminalId } from '../registry/terminal-id.js';

/** In the order in which knowledge grows. Who has it has not lost it again, so `delivered` goes above `failed`. */
export const PART_STATES = ['open', 'accepted', 'failed', 'delivered'] as const;
export type PartState = (typeof PART_STATES)[number];

/** What is known after both are known. Commutative, associative, idempotent. */
export function joinPart(a: PartState, b: PartState): PartState {
  return PART_STATES.indexOf(a) >= PART_STATES.indexOf(b) ? a : b;
}

/** The whole: delivered when all parts are, failed when one is; accepted when the network has all of them. */
export function wholeOf(parts: readonly PartState[]): PartState {
  if (parts.includes('failed')) return 'failed';
  if (parts.every((part) => part === 'delivered')) return 'delivered';
  return parts.includes('open') ? 'open' : 'accepted';
}

/** A message on its way to one terminal: a push, by its uid, or a session initiation request, by its id. */
export interface CarriedMessage {
  readonly what: 'push' | 'sir';
  readonly id: string;
  readonly terminal: TerminalId;
  readonly total: number;
}

/** One part of it, counted from 1. */
export interface CarriedPart extends CarriedMessage {
  readonly bearer: BearerName;
  readonly number: number;
}

export interface PartsRecord {
  /** The same for every attempt, so that parts of several attempts are parts of one message. */
  readonly reference: number;
  /** Who the parts that the network has came from; a terminal puts together only what has one sender. */
  readonly sender?: string;
  readonly parts: readonly PartState[];
}

/** What a network said of a part. */
export interface PartReceipt {
  readonly state: Extract<PartState, 'failed' | 'delivered'>;
  readonly detail: string;
}

/**
 * Where the names under which a network has a part are found again: after a restart, on another connection, on another node. A name is what
 * the network calls it, and where it went to: `names` of one call are about one address.
 */
export interface PartsLedger {
  /** What is known of a message of several parts. The first time it gets a reference that no other to this address has at the moment. */
  open(
    message: CarriedMessage,
    at: { readonly address: string; readonly until: number },
  ): Promise<PartsRecord>;
  /** Raises the state of a part of such a message; gives those of all. Safe to repeat. */
  raise(
    part: CarriedPart,
    state: PartState,
    known: { readonly until: number; readonly sender?: string },
  ): Promise<readonly PartState[]>;
  /** The network has the part under this name. Gives what was kept of an early receipt under one of `aliases`. Safe to repeat. */
  note(
    part: CarriedPart,
    name: PartName,
    aliases: readonly PartName[],
    until: number,
  ): Promise<PartReceipt | undefined>;
  /** The part that has one of these names, the first that is known. */
  find(names: readonly PartName[]): Promise<CarriedPart | undefined>;
  /** The same, in one step with keeping the receipt under `early` until then when none is known. */
  findOrKeep(
    names: readonly PartName[],
    early: { readonly name: PartName; readonly receipt: PartReceipt; readonly until: number },
  ): Promise<CarriedPart | undefined>;
}

export interface PartName {
  /** Whose name it is: message centres give the same ids to different messages. */
  readonly centre: string;
  readonly id: string;
  readonly address: string;
}
