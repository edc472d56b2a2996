/**
 * What a terminal tells after a SIR (SIR-62 … SIR-66, SIR-134 … SIR-136): a JSON object that cites the SIR, by whichever carrier it comes.
 * Information that was asked for is kept with the terminal and counts in the next decision; a rejection gives up what the lane holds for
 * the application of the SIR, or, when it says for how long it holds, makes the next SIR wait until then. Whether the sender is who it says it is, is the carrier's affair, except for what is signed.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../kernel/clock.js';
import { DecodeError, RefusedError } from '../kernel/errors.js';
import { DAY_MS, HOUR_MS, KIB, SECOND_MS } from '../kernel/units.js';
import type { LaneEntry } from '../lane/lane.js';
import type { LaneStore } from '../lane/ports.js';
import { RETURN_FLAGS, type ReturnFlag } from '../protocols/sia/index.js';
import { matchesAny, parseDeviceIdentity } from '../registry/device-identity.js';
import type { Registry } from '../registry/ports.js';
import type { PublicUserIdentity } from '../registry/public-user-identity.js';
import type { ReturnedKind } from '../registry/returned.js';
import { withReturned } from '../registry/returned-information.js';
import type { TerminalId } from '../registry/terminal-id.js';
import type { Terminal } from '../registry/user.js';
import type { Refusal } from './refusal.js';
import type { SirRecord, SirStore } from './sir.js';

export const SIR_RETURN_LIMITS = { bodyBytes: 16 * KIB, idLength: 256, identityLength: 512 } as const;

export interface SirReturn {
  /** Id of the SIR that asked. */
  readonly sir: string;
  readonly kind: ReturnFlag;
  /** A device identity of the terminal; may be absent when only one terminal can be meant. */
  readonly device?: string;
  readonly information: unknown;
}

/** Who sent it, as far as the carrier knows. */
export interface ReturnSender {
  /** Authenticated or vouched for. */
  readonly user?: PublicUserIdentity;
  /** Over the octets of the body, base64url: proves a sender that the carrier does not know. */
  readonly signature?: string;
}

export interface SirReturnPorts {
  readonly sirs: Pick<SirStore, 'find'>;
  readonly registry: Pick<Registry, 'findUser' | 'changeTerminal'>;
  readonly lanes: Pick<LaneStore, 'entries' | 'postpone'>;
  readonly refused: (terminal: TerminalId, refusal: Refusal) => Promise<void>;
  readonly clock: Clock;
}

/** Of one lane, that a rejection may give up at a time. */
const MAX_REFUSED = 10_000;
/** Whatever a terminal asks for, it is looked at again within a day; for somebody who only knows its SIR, within an hour. */
const MAX_PAUSE_MS = { proven: DAY_MS, unproven: HOUR_MS } as const;
/** Of a reason, characters. */
const MAX_REASON_LENGTH = 200;

/** Throws DecodeError: `limitExceeded` for a body that is too large, `malformed` for everything else. */
export function decodeSirReturn(body: Uint8Array): SirReturn {
  if (body.length > SIR_RETURN_LIMITS.bodyBytes) {
    throw new DecodeError(`a return of more than ${SIR_RETURN_LIMITS.bodyBytes} octets`, {
      code: 'limitExceeded',
    });
  }
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (cause) {
    throw new DecodeError('a return is a JSON object in UTF-8', { cause });
  }
  if (typeof json !== 'object' || json === null) throw new DecodeError('a return is a JSON object');
  const { sir, kind: name, device, information = null } = json as Record<string, unknown>;
  const kind = RETURN_FLAGS.find((flag) => flag === name);
  if (kind === undefined) throw new DecodeError(`kind: has to be one of ${RETURN_FLAGS.join(', ')}`);
  if (!isWord(sir, SIR_RETURN_LIMITS.idLength)) throw new DecodeError('sir: has to be the id of the request');
  if (device === undefined) return { sir, kind, information };
  if (!isWord(device, SIR_RETURN_LIMITS.identityLength))
    throw new DecodeError('device: has to be an identity');
  return { sir, kind, device, information };
}

function isWord(value: unknown, maxLength: number): value is string {
  return typeof value === 'string' && value !== '' && value.length <= maxLength;
}

/** What was done, for the log. */
export interface TakenReturn {
  readonly terminal: TerminalId;
  readonly kind: ReturnFlag;
  /** Deliveries that a rejection gave up are gone; information has its version. */
  readonly version?: number;
  /** A rejection that holds only for now: nothing was given up, and no SIR goes out until then. */
  readonly isPostponed?: true;
}

/**
 * Resolves when it is durable. Throws RefusedError `notFound` when the SIR is not known (any more), `forbidden` when it was not for the sender
 * or did not ask for this.
 */
export async function takeSirReturn(
  body: Uint8Array,
  sender: ReturnSender,
  ports: SirReturnPorts,
): Promise<TakenReturn> {
  const told = decodeSirReturn(body);
  const sir = await ports.sirs.find(told.sir);
  if (!sir) throw RefusedError.telling('notFound', 'there is no such session initiation request');
  const terminal = await senderOf(told, sir, ports);
  const isProven = await checkSender(terminal, sir, body, sender, ports);
  const { kind, information } = told;
  if (kind === 'rejection') {
    const retryAfter = retryAfterIn(information);
    if (retryAfter !== undefined) {
      await postpone(terminal.id, sir, retryAfter, isProven, reasonIn(information), ports);
      return { terminal: terminal.id, kind, isPostponed: true };
    }
    const entries = await heldFor(terminal.id, ports);
    const detail = reasonIn(information);
    await ports.refused(terminal.id, { entries, applicationId: sir.applicationId, detail });
    return { terminal: terminal.id, kind };
  }
  if (!wasAsked(kind, sir)) throw RefusedError.telling('forbidden', `the request did not ask for ${kind}`);
  const at = ports.clock.now();
  const { terminal: changed } = await ports.registry.changeTerminal(terminal.user, terminal.id, (before) =>
    withReturned(before ?? terminal, kind, information, at),
  );
  return { terminal: terminal.id, kind, version: changed.returned?.[kind]?.version ?? 0 };
}

/** The terminal that tells: the one with the device identity, else the only one that the SIR was for. */
async function senderOf(
  { device }: SirReturn,
  sir: SirRecord,
  { registry }: SirReturnPorts,
): Promise<Terminal> {
  const user = await registry.findUser(sir.user);
  const meant = user?.terminals.filter(({ id }) => sir.mayOpen.includes(id)) ?? [];
  const [only] = meant;
  if (device === undefined) {
    if (only && meant.length === 1) return only;
    throw RefusedError.telling(
      'forbidden',
      'a device identity is needed: the request went to several terminals',
    );
  }
  const identity = parseDeviceIdentity(device);
  const named = meant.find(({ identities }) => matchesAny([identity], identities));
  if (!named) throw RefusedError.telling('forbidden', 'the request was not for this terminal');
  return named;
}

/** A user that the carrier knows must be the one of the SIR. Of anybody else the signature speaks, or without a key that it knows the SIR, which proves little. */
async function checkSender(
  terminal: Terminal,
  sir: SirRecord,
  body: Uint8Array,
  { user, signature }: ReturnSender,
  { registry }: SirReturnPorts,
): Promise<boolean> {
  if (user !== undefined) {
    if (user !== sir.user) throw RefusedError.telling('forbidden', 'the request was for another user');
    return true;
  }
  const key = terminal.sirKey ?? (await registry.findUser(sir.user))?.sirKey;
  if (key === undefined) return false;
  if (signature === undefined || !isSignedBy(key, body, signature)) {
    throw RefusedError.telling('forbidden', 'the signature is missing or wrong');
  }
  return true;
}

/** HMAC-SHA-256 over the body. */
export function signReturn(key: string, body: Uint8Array): string {
  return createHmac('sha256', key).update(body).digest('base64url');
}

function isSignedBy(key: string, body: Uint8Array, signature: string): boolean {
  const [expected, given] = [Buffer.from(signReturn(key, body)), Buffer.from(signature.replace(/=+$/, ''))];
  return expected.length === given.length && timingSafeEqual(expected, given);
}

function wasAsked(kind: ReturnedKind, sir: SirRecord): boolean {
  return sir.return.includes(kind) || (kind === 'capability' && sir.send.includes(kind));
}

async function heldFor(terminal: TerminalId, { lanes }: SirReturnPorts): Promise<readonly LaneEntry[]> {
  return lanes.entries(terminal, MAX_REFUSED);
}

/** `{"retryAfter": <seconds>}`: the terminal does not want it now. Undefined when it does not want it at all. */
function retryAfterIn(information: unknown): number | undefined {
  const { retryAfter } = (
    typeof information === 'object' && information !== null ? information : {}
  ) as Record<string, unknown>;
  return typeof retryAfter === 'number' && retryAfter > 0 ? retryAfter : undefined;
}

/** No SIR to the terminal until then, which the story of its lane says. */
async function postpone(
  terminal: TerminalId,
  { id: sirId, bearer }: SirRecord,
  retryAfterSeconds: number,
  isProven: boolean,
  reason: string,
  { lanes, clock }: SirReturnPorts,
): Promise<void> {
  const at = clock.now();
  const waitMs = Math.min(
    retryAfterSeconds * SECOND_MS,
    isProven ? MAX_PAUSE_MS.proven : MAX_PAUSE_MS.unproven,
  );
  const until = Math.ceil(at + waitMs);
  const detail = `the terminal wants no request before ${new Date(until).toISOString()}: ${reason}`;
  await lanes.postpone(terminal, until, { sirId, at, bearer, outcome: 'deferred', detail });
}

/** `{"reason", "text"}`, or whatever else was told, in one line. */
function reasonIn(information: unknown): string {
  const { reason, text } = (
    typeof information === 'object' && information !== null ? information : {}
  ) as Record<string, unknown>;
  const parts = [reason, text].filter((part): part is string => typeof part === 'string' && part !== '');
  const told = parts.length > 0 ? parts.join(': ') : 'no reason given';
  return told.replace(/[\0-\x1f\x7f]+/g, ' ').slice(0, MAX_REASON_LENGTH);
}
