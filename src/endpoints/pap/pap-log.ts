/** What the PAP endpoint reports to the operator: one entry for each request, never a body. */
import { GatewayError } from '../../kernel/errors.js';
import type { PapCode, PapOperationKind } from '../../protocols/pap/index.js';

export interface PapLogEntry {
  /** Follows the fault: the initiator's own is `info`, of something behind us `warn`, ours `error`. */
  readonly level: 'info' | 'warn' | 'error';
  readonly initiator?: string;
  readonly operation: PapOperationKind | 'unreadable' | 'unauthenticated' | 'unfinished';
  readonly pushId?: string;
  /** What was answered; absent when nothing in PAP was. */
  readonly code?: PapCode;
  /** Why, when it was a refusal. */
  readonly detail?: string;
  readonly error?: unknown;
  /** From the request being read to its answer being known. */
  readonly elapsedMs?: number;
}
export type PapLog = (entry: PapLogEntry) => void;

const LEVEL = { peer: 'info', downstream: 'warn', us: 'error' } as const;

/** The level of an entry about something thrown; what is unknown is ours. */
export function levelOf(error: unknown): PapLogEntry['level'] {
  return error instanceof GatewayError ? LEVEL[error.fault] : 'error';
}
