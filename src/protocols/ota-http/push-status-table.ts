/**
 * `X-Wap-Push-Status`: what a terminal says became of a push, or of our look at its capabilities. 224 to 238 are the abort reasons of
 * WSP in decimal (WAP-235), with the PAP codes that stand there.
 */
import { ABORT_REASONS, type AbortMeaning } from '../wsp/index.js';

/** What a status means to whoever sent the push. */
export type PushStatusMeaning =
  | AbortMeaning
  | 'accepted' // the terminal has it
  | 'capabilitiesChanged' // it is not what we take it for: ask anew
  | 'capabilitiesConfirmed' // it is what we take it for
  | 'capabilitiesTold'; // it is not, and the answer says what it is

export interface PushStatusEntry {
  readonly meaning: PushStatusMeaning;
  /** For people. */
  readonly name: string;
  /** What an initiator is told of an abort. */
  readonly papCode?: number;
}

export const PUSH_STATUS: ReadonlyMap<number, PushStatusEntry> = new Map<number, PushStatusEntry>([
  ...ABORT_REASONS,
  [256, { meaning: 'capabilitiesChanged', name: 'CPITag mismatch' }],
  [400, { meaning: 'accepted', name: 'Accepted' }],
  [500, { meaning: 'capabilitiesConfirmed', name: 'CPITag matched' }],
  [501, { meaning: 'capabilitiesTold', name: 'CPITag did not match' }],
]);

/** The number in front, whatever text follows it (`400 Accepted`); undefined when there is none. */
export function parsePushStatus(value: string): number | undefined {
  const [, digits] = /^\s*([0-9]{3})(?![0-9])/.exec(value) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

export function formatPushStatus(status: number): string {
  const entry = PUSH_STATUS.get(status);
  return entry === undefined ? String(status) : `${status} ${entry.name}`;
}
