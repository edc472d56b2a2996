/** What the push journey needs from outside. `app/` fills these; tests fill them with twins in memory. */
import type { LaneEntry, WakeReceipt } from '../lane/lane.js';
import type { ConnectionItem, ConnectionOutcome } from '../lane/ports.js';
import type { TerminalId } from '../registry/terminal-id.js';
import type { Terminal } from '../registry/user.js';
import type { DeliveryState, SettlingEvent } from './journey.js';
import type { PushFilter } from './push-filter.js';
import type { Push, PushHead, PushStory, PushUid, RecipientStory, ResultRecord } from './push-message.js';
import type { Sir } from './sir.js';
import type { SipPresence } from './sir-plan.js';

export interface PushStore {
  /**
   * Makes the push durable and places it in the lane of each of its terminals. Resolves only when both are durable. A push
   * that replaces another one is not placed yet: `place` does that when the other one has been taken back.
   * `duplicate`: the initiator has used the push-id before; the first push and its place in the lanes are untouched.
   * Safe to repeat with the same `acceptance` (a repeat after a lost answer is `accepted` again).
   */
  accept(push: Push, content: Uint8Array, acceptance: string): Promise<Acceptance>;

  /**
   * Starts an attempt to deliver to one terminal: counts it and returns what is to be sent. `handed` when a network has it
   * already, `settled` when the delivery is final (the lane entry is a left-over), `fenced` when the lane has a newer lease, `onHold` while an
   * operator holds the lane, `missing` when the push is no longer kept.
   */
  begin(
    uid: PushUid,
    terminal: TerminalId,
    attempt: { token: number; bearer: string; at: number },
  ): Promise<Begun>;

  /**
   * Notes that a network has the content and will say what becomes of it, and sets its lane entry aside until then: it takes no more part in
   * draining and keeps its deadline. Safe to repeat.
   */
  handOver(uid: PushUid, terminal: TerminalId, by: { bearer: string; at: number }): Promise<HandedOver>;
  /**
   * Notes that this bearer has given the push up: nothing goes out by it any more. What it was handed is `held` again for other
   * bearers, and in line behind what waits. Gives the state that the delivery is in now; undefined when it is not kept. Safe to repeat.
   */
  giveUp(
    uid: PushUid,
    terminal: TerminalId,
    by: { bearer: string; at: number },
  ): Promise<DeliveryState | undefined>;

  /**
   * Ends one delivery and takes it out of its lane; one that is final, or too far for the event, keeps its state. Owed results are
   * recorded in the same step.
   */
  settle(uid: PushUid, terminal: TerminalId, settlement: Settlement): Promise<Settled>;

  story(uid: PushUid): Promise<PushStory | undefined>;
  /** One address of a push. Undefined when the push is no longer kept or has no such address. */
  recipientStory(uid: PushUid, recipient: number): Promise<RecipientStory | undefined>;
  /** Newest first. */
  list(options: ListOptions): Promise<{ stories: readonly PushStory[]; cursor?: string }>;

  /** How many deliveries are held, and when the push of the oldest was accepted. Cheap: for metrics. */
  totals(): Promise<{ held: number; oldestAt?: number }>;

  /** Updates the report of one address; ends the obligation when its state is final. */
  recordResult(uid: PushUid, result: ResultRecord, nextAttemptAt?: number): Promise<void>;

  /** Ends an obligation that nothing is left of: the push is gone, or its report has ended. */
  forgetResult(uid: PushUid, recipient: number): Promise<void>;

  /** Reports whose next attempt is due, for the sweeper. */
  owedResults(now: number, limit: number): Promise<readonly { uid: PushUid; recipient: number }[]>;
  /** Pushes accepted before `olderThan` that are stored and not yet placed: a crash came in between. */
  unplaced(olderThan: number, limit: number): Promise<readonly PushUid[]>;
  /** Places what is held of a stored push in the lanes. Safe to repeat: what was placed before stays where it is. */
  place(uid: PushUid): Promise<readonly Placement[]>;
  /** Removes pushes that ended before `now` minus the retention and of which no report is owed any more. Returns how many. */
  removeEnded(now: number, limit: number): Promise<number>;
}

export type Acceptance =
  | { readonly kind: 'accepted'; readonly placed: readonly Placement[] }
  | { readonly kind: 'duplicate' };

/** Where the push was placed and whether somebody has to look at that lane now. */
export interface Placement {
  readonly terminal: TerminalId;
  readonly kick: boolean;
  /** The lane's alarm moved forward to this instant. */
  readonly alarmAt?: number;
}

/** `givenUp`: the network has said already that it does not arrive by this bearer; it stays `held`. `ended`: the delivery is final, or not kept. */
export type HandedOver = 'handed' | 'givenUp' | 'ended';

export type Begun =
  /** `content` gives undefined when the octets are lost. */
  | {
      readonly kind: 'begun';
      readonly push: PushHead;
      /** Bearers that took it before and gave it up. */
      readonly failedBearers: readonly string[];
      content(): Promise<ContentSource | undefined>;
    }
  | { readonly kind: 'handed' }
  | { readonly kind: 'settled' }
  | { readonly kind: 'fenced' }
  | { readonly kind: 'onHold' }
  | { readonly kind: 'missing' };

export type ContentSource =
  | Uint8Array
  | { readonly size: number; read(offset: number, length: number): Promise<Uint8Array> };

export interface Settlement {
  readonly event: SettlingEvent;
  readonly at: number;
  readonly code?: number;
  readonly reason?: string;
  /** Of `deliver`: a network has it, nobody confirmed that the terminal has. */
  readonly isUnconfirmed?: boolean;
  /** When a report becomes due because of this settlement. */
  readonly notifyAt: number;
}

/**
 * `moved` is false when the delivery kept the state it had; `state` is the one it is in, absent for a push that is not kept. `owed` lists
 * the addresses whose report is now due.
 */
export interface Settled {
  readonly moved: boolean;
  readonly state?: DeliveryState;
  /** Terminals from which the push was taken back in the same step, because the first one that has it is enough. */
  readonly takenBack: readonly TerminalId[];
  readonly owed: readonly number[];
}

export interface ListOptions extends PushFilter {
  readonly limit: number;
  readonly cursor?: string;
}

/** One way to reach a terminal that has no push session. Never throws. `address` is that of the activation method. */
export interface Bearer {
  /** Sends a SIR. */
  wake(terminal: Terminal, sir: Sir, address: string | undefined): Promise<BearerOutcome>;
  /** Hands the push itself over, without a session (a unit push). Absent: this bearer only wakes. */
  carry?(terminal: Terminal, item: CarriedItem, address: string | undefined): Promise<ConnectionOutcome>;
  /** Where the terminal is to be found by this bearer. Absent: an address is the terminal's own. Never rejects. */
  presence?(terminal: Terminal, address: string | undefined): Promise<SipPresence>;
  /** Known to lead nowhere now: other ways are tried first. Cheap. Absent: never known. */
  isDown?(address: string | undefined): boolean;
  /** Does the terminal take the text of a document of this media type by this way? Absent: its binary form is what it reads. */
  readsText?(terminal: Terminal, mediaType: string): boolean;
}

/** What a bearer carries: its headers are the push headers as text, Content-Type not among them. */
export interface CarriedItem extends ConnectionItem {
  readonly content: Uint8Array;
}

/**
 * `handed`: the next hop has it, which says nothing about the terminal. `refused`: the terminal itself said no; `deferred`: it said not now, and
 * `retryAt` is when it wants to be asked again.
 */
export interface BearerOutcome {
  readonly kind: 'handed' | 'failed' | 'refused' | 'deferred';
  /** For the operator: the answer, or what went wrong. */
  readonly detail: string;
  /** Where it went. */
  readonly address?: string;
  /** Nothing was sent: only this node holds the connection to the terminal. */
  readonly elsewhere?: string;
  /** Of `handed`: the network has said already that the terminal has it. */
  readonly receipt?: WakeReceipt;
  /** Of a SIR to all terminals of the user: those that said no for good, whatever the others said. */
  readonly refusals?: readonly { readonly terminal: TerminalId; readonly detail: string }[];
  /** Of `failed` and `deferred`: whoever was asked wants to be left alone until then (ms epoch). */
  readonly retryAt?: number;
}

/** The far end of a result notification. Resolves when the initiator acknowledged; rejects with a DeliveryError. */
export interface InitiatorEndpoint {
  notify(url: string, document: Uint8Array): Promise<void>;
}

/** The same for an initiator that speaks JSON. */
export interface WebhookEndpoint {
  send(url: string, webhook: Webhook): Promise<void>;
}

/** A webhook before it is signed: what does not change from one attempt to the next. */
export interface Webhook {
  readonly id: string;
  readonly body: Uint8Array;
  /** `whsec_…` (Standard Webhooks). */
  readonly secret: string;
}

/**
 * The alarm clock (BullMQ). An alarm for a moment that passed fires at once; alarms may fire twice or late. Setting one
 * never rejects: what could not be set is found by the sweeper, so nobody's answer has to wait for it.
 */
export interface Alarms {
  laneDue(terminal: TerminalId, at: number): Promise<void>;
  /** The terminal connected: what waits for a later moment is due now. */
  promoteLane(terminal: TerminalId, at: number): Promise<void>;
  resultDue(uid: PushUid, recipient: number, at: number): Promise<void>;
}

/** Starts `runLane` for a terminal soon, here or on the node that holds its connection. Never throws. */
export type LaneKick = (terminal: TerminalId) => void;

export type { LaneEntry };
