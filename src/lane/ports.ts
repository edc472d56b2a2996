/** What the lane needs from outside: its store, what it delivers, how it wakes, who is connected here. */
import type { BearerName } from '../registry/bearer-name.js';
import type { TerminalId } from '../registry/terminal-id.js';
import type {
  LaneConnections,
  LaneEntry,
  LaneHold,
  LaneView,
  WakeReceipt,
  WakeRecord,
  WakeState,
} from './lane.js';

/** The right to deliver to one terminal, until `until`. The token grows with every lease of the lane. */
export interface Lease {
  readonly terminal: TerminalId;
  readonly token: number;
  readonly until: number;
}

/** What a lease holder sees of the lane. `version` changes when anything happened that a runner must look at. */
export interface LaneSnapshot {
  readonly version: number;
  readonly entries: readonly LaneEntry[];
  /** Entries whose deadline passed, some at a time: look again when they are removed. */
  readonly expired: readonly LaneEntry[];
  /** Next instant at which an entry expires. */
  readonly nextDeadline?: number;
  /** Next instant at which an entry becomes deliverable. */
  readonly nextStart?: number;
  readonly connections: LaneConnections;
  readonly wake: WakeState;
  /** Nothing may be started: an operator holds the lane. */
  readonly isOnHold: boolean;
}

/** For how long, and how many of the first entries. */
export interface LaneWindow {
  readonly now: number;
  readonly leaseMs: number;
  readonly limit: number;
}

export type Released = 'due' | 'empty' | 'lost' | 'again';

export interface LaneStore {
  /**
   * Takes the lease and reads the lane in one step. Undefined while another runner has it; a runner that is alone takes it from
   * one of another node, because that is dead.
   */
  open(
    terminal: TerminalId,
    window: LaneWindow,
    runner: Pick<Nodes, 'self' | 'isAlone'>,
  ): Promise<{ lease: Lease; lane: LaneSnapshot } | undefined>;
  /** Prolongs the lease and reads on. Undefined when the lease was lost: stop at once. */
  renew(lease: Lease, window: LaneWindow): Promise<{ lease: Lease; lane: LaneSnapshot } | undefined>;
  /** Takes left-overs out of the lane. An emptied lane has no due moment. Safe to repeat. */
  remove(terminal: TerminalId, entries: readonly LaneEntry[]): Promise<void>;
  /**
   * Gives the lease back and sets the lane's due moment, unless something happened since `version`: then the lease
   * stays and the answer is `again`. A lane without entries gets no due moment (`empty`); a lease that was `lost` before
   * changes nothing.
   */
  release(lease: Lease, version: number, dueAt: number): Promise<Released>;
  /**
   * Keeps a wake-up with the lane: the state for the next decision, unless its epoch is over, and the record for people. `hasNext`: its round has
   * further methods, so that the next one need not wait when a receipt says that the SIR did not arrive. Gives the moment before which there is
   * to be no SIR, which differs from that of `wake` when somebody has said something meanwhile; undefined when the lease was lost.
   */
  recordWake(
    lease: Lease,
    wake: WakeState,
    record: WakeRecord,
    round?: { readonly hasNext: boolean },
  ): Promise<number | undefined>;
  /**
   * Keeps with the lane what a network says of a SIR. One that did not arrive ends the wait for its terminal, when it was the last and its round
   * has further methods: then there is an answer, with the due moment whose alarm can be promoted. Safe to repeat.
   */
  noteReceipt(
    terminal: TerminalId,
    sirId: string,
    receipt: WakeReceipt,
  ): Promise<{ readonly dueAt?: number } | undefined>;
  /** The terminal does not want to be woken before: no SIR until then, unless it opens a session or the operator releases the lane. */
  postpone(terminal: TerminalId, until: number, record: WakeRecord): Promise<void>;

  /** The terminal connected or, with no connection named, can be reached anew: ends its wake-up. Returns the due moment whose alarm can be promoted. */
  connected(terminal: TerminalId, connection: LaneConnections): Promise<{ held: number; dueAt?: number }>;
  /** The session ended; ignored when a newer session has taken its place. */
  disconnected(terminal: TerminalId, session: string): Promise<void>;
  /**
   * Holds the lane: from now on no attempt begins (`PushStore.begin` answers `onHold`). A lane that is on hold already
   * gets the new reason and keeps its `since`. Says whether it was put on hold now.
   */
  hold(terminal: TerminalId, hold: LaneHold): Promise<boolean>;
  /**
   * Ends the hold and the wake-up, as if the terminal could be reached anew. Returns the due moment whose alarm can be
   * promoted; undefined when the lane was not on hold.
   */
  unhold(terminal: TerminalId): Promise<{ dueAt?: number } | undefined>;
  view(terminal: TerminalId): Promise<LaneView>;
  /** Some of what the lane holds, deferred entries included, earliest deadline first. */
  entries(terminal: TerminalId, limit: number): Promise<readonly LaneEntry[]>;
  /** Lanes whose due moment has passed, for the sweeper. */
  due(now: number, limit: number): Promise<readonly TerminalId[]>;
  /** Deliveries held in all lanes, and since when the longest-due lane has been due (ms epoch), for metrics. */
  totals(now: number): Promise<{ lanes: number; oldestDueAt?: number }>;
}

/**
 * What a lane carries. The system that placed an entry hands it over, learns what became of it, and takes it out of the lane or sets
 * it aside in the step that records it.
 */
export interface LaneCargo {
  /** Delivers one entry on a connection. Never throws. */
  deliver(terminal: TerminalId, id: string, connection: TerminalConnection, token: number): Promise<Delivery>;
  /** The deadline of the entry passed. */
  expire(terminal: TerminalId, id: string): Promise<void>;
}

/** `done`: final, and out of the lane. `stop`: keep it, and this connection is of no more use. */
export type Delivery =
  | { readonly kind: 'done' }
  | { readonly kind: 'leftOver' } // it has ended before: take it out of the lane
  | { readonly kind: 'parked' } // a network has it and will say what becomes of it; it is set aside
  | { readonly kind: 'onHold' } // nothing was sent: keep it, and look at the lane
  | { readonly kind: 'unfit'; readonly reason: string } // this connection cannot carry it; another way may
  | { readonly kind: 'givenUp'; readonly reason: string } // this bearer has failed with it for good: on to the next one
  | { readonly kind: 'stop'; readonly reason: string; readonly retryAt?: number };

/** How content goes out: in a push session, by SIP MESSAGE, or without a session by the bearer of that name. */
export type ConnectionBearer = 'msrp' | 'sip-message' | 'wsp-session' | 'ota-session' | BearerName;

/** A terminal that content can be sent to. */
export interface TerminalConnection {
  readonly bearer: ConnectionBearer;
  /** How many deliveries may be under way on it at once. */
  readonly window: number;
  readonly isOpen: boolean;
  /** Does the terminal take content of this type? Absent: it has not said. */
  accepts?(contentType: string): boolean;
  deliver(item: ConnectionItem): Promise<ConnectionOutcome>;
}

export interface ConnectionItem {
  /** Same id for every attempt: the terminal tells a repetition by it. */
  readonly id: string;
  readonly contentType: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly content:
    | Uint8Array
    | { readonly size: number; read(offset: number, length: number): Promise<Uint8Array> };
  /** When the content is of no more use (ms epoch). */
  readonly expiresAt: number;
  /** Whether the initiator wants to know that the terminal has it (PAP delivery-method). */
  readonly confirmation: Confirmation;
}

export type Confirmation = 'required' | 'wanted' | 'unwanted';

export type ConnectionOutcome =
  /** The terminal has it. */
  | { readonly kind: 'confirmed' }
  /** A network has it, and nobody will say what becomes of it. */
  | { readonly kind: 'handed'; readonly detail: string }
  /** A network has it, and a receipt will say what becomes of it (`push/receipt.ts`). */
  | { readonly kind: 'awaited'; readonly detail: string }
  /** The terminal answered that it will not take this content, whatever we do. `code`: what the initiator is told (PAP 5xxx). */
  | {
      readonly kind: 'refused';
      readonly why: 'mediaType' | 'size' | 'declined';
      readonly detail: string;
      readonly code?: number;
    }
  /** The network does not take it, whenever it is asked: by this bearer it will not arrive. Another one may bring it. */
  | { readonly kind: 'givenUp'; readonly detail: string }
  /** This way cannot carry it (too large, no confirmation to be had); another one may. */
  | { readonly kind: 'unfit'; readonly detail: string }
  /** Nobody knows whether it arrived, or it could not be sent now: it may be sent again, by this way not before `retryAt` (ms epoch). */
  | { readonly kind: 'lost'; readonly detail: string; readonly retryAt?: number };

export interface TerminalConnections {
  /** The push session of the terminal on this node. */
  session(terminal: TerminalId): TerminalConnection | undefined;
  /** A way to send small content to its registered contact, when there is one now. */
  message(terminal: TerminalId, connections: LaneConnections): Promise<TerminalConnection | undefined>;
  /** The terminal's activation method number `method`, when that carries content without a session. */
  direct(terminal: TerminalId, request: WakeRequest): Promise<DirectWay | undefined>;
}

export interface DirectWay {
  readonly connection: TerminalConnection;
  /** Number of activation methods the terminal has. */
  readonly methods: number;
}

/** Sends one SIR. */
export interface Waker {
  /**
   * Wakes the terminal by its activation method number `method` (taken modulo their number) for what its lane holds.
   * Never throws.
   */
  wake(terminal: TerminalId, request: WakeRequest): Promise<WakeOutcome>;
}

export interface WakeRequest {
  readonly method: number;
  readonly entries: readonly LaneEntry[];
  readonly now: number;
}

export interface WakeOutcome {
  readonly record: WakeRecord;
  /** Number of activation methods the terminal has; 0 when it has none or is gone. */
  readonly methods: number;
  /** Not before then (ms epoch): by this method, or for a wake-up that was deferred by any. */
  readonly retryAt?: number;
  /** Only this node can reach the terminal (it holds the connection that the terminal registered on): nothing was sent. */
  readonly elsewhere?: string;
}

/** Other gateway processes on the same store. */
export interface Nodes {
  readonly self: string;
  /** Nobody else can be on this store: whatever another node has left there, it has left for good. */
  readonly isAlone: boolean;
  isAlive(node: string): Promise<boolean>;
  /** Asks the node to run the lane. */
  kick(node: string, terminal: TerminalId): Promise<void>;
  /** Asks every node, this one included: whichever has the lane's lease looks at the lane. */
  kickAll(terminal: TerminalId): Promise<void>;
}
