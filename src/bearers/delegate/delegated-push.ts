/**
 * Names of a push that was handed to another gateway (mode D, SIR-78): the push-id under which it went there, and a proof that only we can
 * have written it, which its result has to bring back.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { PushUid } from '../../push/push-message.js';
import type { TerminalId } from '../../registry/terminal-id.js';

export interface DelegatedPush {
  readonly uid: PushUid;
  readonly terminal: TerminalId;
}

/** The same for every repetition, so that the other gateway knows one when it sees it. */
export function delegatedPushId({ uid, terminal }: DelegatedPush, domain: string): string {
  return `${uid}.${terminal}@${domain}`;
}

/** Last segment of the path to which the result is posted. */
export function delegatedPath(push: DelegatedPush, key: Uint8Array): string {
  return `${push.uid}.${push.terminal}.${proof(push, key)}`;
}

/** Undefined for a path that we did not write. */
export function readDelegatedPath(segment: string, key: Uint8Array): DelegatedPush | undefined {
  const [, uid, terminal, given] =
    /^([0-9a-f]{32})\.([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{22})$/.exec(segment) ?? [];
  if (uid === undefined || terminal === undefined || given === undefined) return undefined;
  const push = { uid: uid as PushUid, terminal: terminal as TerminalId };
  return timingSafeEqual(Buffer.from(given), Buffer.from(proof(push, key))) ? push : undefined;
}

function proof({ uid, terminal }: DelegatedPush, key: Uint8Array): string {
  return createHmac('sha256', key)
    .update(`delegated ${uid} ${terminal}`)
    .digest()
    .subarray(0, 16)
    .toString('base64url');
}
