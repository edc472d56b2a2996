/**
 * Why a session, a method or a push is given up (WAP-230 §8.2.2; octets E0 to EE of a WTP Abort by its user). PushOTA sends the same
 * numbers in decimal as status of OTA-HTTP. The PAP code of an abort is 5026 plus its distance from EA (PAP §9.14.5, as the
 * one implementation that is known reads it; whether the other reading, 5000 plus the octet, was meant is not known).
 */

/** What a reason means to whoever sent the push. */
export type AbortMeaning =
  | 'aborted' // the terminal will not take it
  | 'notNow' // it may take it later
  | 'unknownMediaType' // it has nothing that reads it
  | 'failed'; // something went wrong on the way; says nothing about the content

export interface AbortReason {
  readonly meaning: AbortMeaning;
  /** For people. */
  readonly name: string;
  /** What an initiator is told. */
  readonly papCode?: number;
}

export const ABORT_REASONS: ReadonlyMap<number, AbortReason> = new Map<number, AbortReason>([
  [0xe0, { meaning: 'failed', name: 'PROTOERR' }],
  [0xe1, { meaning: 'failed', name: 'DISCONNECT' }],
  [0xe2, { meaning: 'notNow', name: 'SUSPEND' }],
  [0xe3, { meaning: 'failed', name: 'RESUME' }],
  [0xe4, { meaning: 'notNow', name: 'CONGESTION' }],
  [0xe5, { meaning: 'failed', name: 'CONNECTERR' }],
  [0xe6, { meaning: 'failed', name: 'MRUEXCEEDED' }],
  [0xe7, { meaning: 'notNow', name: 'MOREXCEEDED' }],
  [0xe8, { meaning: 'failed', name: 'PEERREQ' }],
  [0xe9, { meaning: 'failed', name: 'NETERR' }],
  [0xea, { meaning: 'aborted', name: 'USERREQ', papCode: 5026 }],
  [0xeb, { meaning: 'aborted', name: 'USERRFS', papCode: 5027 }],
  [0xec, { meaning: 'notNow', name: 'USERPND', papCode: 5028 }],
  [0xed, { meaning: 'aborted', name: 'USERDCR', papCode: 5029 }],
  [0xee, { meaning: 'unknownMediaType', name: 'USERDCU', papCode: 5030 }],
]);

export const ABORT = {
  protocolError: 0xe0,
  disconnect: 0xe1,
  suspend: 0xe2,
  resume: 0xe3,
  congestion: 0xe4,
  connectError: 0xe5,
  tooLarge: 0xe6,
  tooMany: 0xe7,
  peerRequest: 0xe8,
  network: 0xe9,
  userRequest: 0xea,
  userRefused: 0xeb,
  userPending: 0xec,
  userDiscarded: 0xed,
  userUnknownType: 0xee,
} as const;

/** For people. */
export function abortName(reason: number): string {
  return ABORT_REASONS.get(reason)?.name ?? `0x${reason.toString(16).padStart(2, '0')}`;
}
