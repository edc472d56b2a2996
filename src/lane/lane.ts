/**
 * The lane: the ordered set of deliveries held for one terminal. Values and the state table; `run-lane.ts` drains it.
 */
import type { TransitionTable } from '../kernel/transition-table.js';
import type { TerminalId } from '../registry/terminal-id.js';

/** 0 goes first. */
export type LaneRank = 0 | 1 | 2;

/**
 * How many earlier arrivals an entry may overtake for each step of rank. Within this distance priority decides, beyond it
 * arrival does, so that a flood of high priority does not keep the rest waiting for ever.
 */
export const MOST_OVERTAKEN = 1000;

/** The place of an entry among those that can be handed over: lowest first. `arrival` counts the arrivals of the lane. */
export function lanePlace(rank: LaneRank, arrival: number): number {
  return rank * MOST_OVERTAKEN + arrival;
}

/** One delivery in a lane. `id` names it for the system that put it there (a push uid). */
export interface LaneEntry {
  readonly id: string;
  readonly rank: LaneRank;
}

/** Where the lane stands, derived from its record: shown to operators, counted by metrics. */
export type LaneState = 'empty' | 'waiting' | 'initiated' | 'connected' | 'onHold';
export type LaneEvent =
  | 'place'
  | 'wake'
  | 'giveUpWake'
  | 'connect'
  | 'disconnect'
  | 'drain'
  | 'hold'
  | 'release';

export const LANE = {
  empty: { place: 'waiting', connect: 'connected', hold: 'onHold' },
  waiting: { place: 'waiting', wake: 'initiated', connect: 'connected', drain: 'empty', hold: 'onHold' },
  initiated: {
    place: 'initiated',
    wake: 'initiated',
    giveUpWake: 'waiting',
    connect: 'connected',
    drain: 'empty',
    hold: 'onHold',
  },
  connected: {
    place: 'connected',
    connect: 'connected',
    drain: 'connected',
    disconnect: 'waiting',
    hold: 'onHold',
  },
  // The operator's word stands above everything: terminals come and go, pushes arrive and expire, nothing goes out.
  onHold: {
    place: 'onHold',
    connect: 'onHold',
    disconnect: 'onHold',
    drain: 'onHold',
    hold: 'onHold',
    release: 'waiting', // the run that follows at once finds it empty or connected
  },
} as const satisfies TransitionTable<LaneState, LaneEvent>;

/** An operator holds the lane: pushes are accepted for it and expire, but none is delivered and nobody is woken. */
export interface LaneHold {
  /** In words for people. */
  readonly reason: string;
  readonly since: number;
}

/** How a terminal is connected: a push session on some node, or registered for content by SIP MESSAGE. */
export interface LaneConnections {
  /** The terminal's push session and the node that holds it. */
  readonly session?: { readonly id: string; readonly node: string };
  /** The terminal takes small content by SIP MESSAGE until this instant. */
  readonly messageUntil?: number;
}

/** The current wake-up of a terminal. */
export interface WakeState {
  /** How often the terminal has connected or registered anew: a wake-up that began before the last time is history. */
  readonly epoch: number;
  /** SIRs sent since the terminal was last connected. */
  readonly sent: number;
  /** Index of the next activation method to try. */
  readonly method: number;
  /** No SIR before this instant. */
  readonly notBefore: number;
  /** Id of the last SIR that was handed over since the terminal was last connected. */
  readonly sirId?: string;
}

export interface WakeRecord {
  readonly sirId: string;
  readonly at: number;
  readonly bearer: string;
  readonly address?: string;
  /** `deferred`: nothing was sent, because the terminal does not want to be disturbed yet. */
  readonly outcome: 'handed' | 'failed' | 'refused' | 'deferred';
  readonly detail: string;
  /** How the SIR was to find the terminal, and why. */
  readonly mode?: string;
  readonly reasons?: readonly string[];
  /** What a network said later of the SIR that it took. */
  readonly receipt?: WakeReceipt;
}

/** `delivered`: the terminal has the SIR, says the network; whether it comes, it shows itself. */
export interface WakeReceipt {
  readonly outcome: 'delivered' | 'failed';
  readonly at: number;
  readonly detail: string;
}

/** A lane as an operator sees it. */
export interface LaneView {
  readonly terminal: TerminalId;
  readonly state: LaneState;
  readonly held: number;
  readonly deferred: number;
  /** Set aside: a network has the content, its receipt has not come. */
  readonly parked: number;
  readonly connections: LaneConnections;
  readonly wake: WakeState;
  readonly hold?: LaneHold;
  /** When somebody will look at it again; absent when it is empty. */
  readonly dueAt?: number;
  readonly wakes: readonly WakeRecord[];
}

export function laneState(
  view: Pick<LaneView, 'held' | 'deferred' | 'parked' | 'connections' | 'wake' | 'hold'>,
  now: number,
): LaneState {
  if (view.hold !== undefined) return 'onHold';
  const { session, messageUntil } = view.connections;
  if (session !== undefined || (messageUntil ?? 0) > now) return 'connected';
  if (view.held + view.deferred + view.parked === 0) return 'empty';
  return view.wake.sent > 0 ? 'initiated' : 'waiting';
}

export interface NamedReceipt extends WakeReceipt {
  readonly sirId: string;
}

/** The wake-ups with what networks said of them. Who has a SIR has not lost it again, whatever was said before. */
export function withReceipts(
  wakes: readonly WakeRecord[],
  receipts: readonly NamedReceipt[],
): readonly WakeRecord[] {
  return wakes.map((wake) => {
    const own = receipts.filter(({ sirId }) => sirId === wake.sirId && wake.outcome === 'handed');
    const told = own.find(({ outcome }) => outcome === 'delivered') ?? own[0];
    if (told === undefined) return wake;
    const { sirId: _, ...receipt } = told;
    return { ...wake, receipt };
  });
}
