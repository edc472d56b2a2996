/**
 * Tells which push initiator a request comes from: by password (HTTP Basic), token (Bearer) or client certificate. A password is
 * hashed slowly (`initiator-password.ts`), which nobody can afford for every request: a verdict, right or wrong, is kept
 * for as long as the stored hash stays the same. What the directory says is believed for a moment (`initiator-lookup.ts`), so a
 * change counts on every process within that time. Credentials are remembered only as a digest salted for this process.
 */
import { createHash } from 'node:crypto';
import type { RandomBytes } from '../kernel/clock.js';
import { RefusedError } from '../kernel/errors.js';
import { SECOND_MS } from '../kernel/units.js';
import {
  type AuthenticatedInitiator,
  type AuthenticationMethod,
  type Initiator,
  type InitiatorDirectory,
  MAX_INITIATOR_ID_LENGTH,
  MAX_INITIATOR_PASSWORD_BYTES,
} from './initiator.js';
import type { ClientCertificate } from './initiator-certificate.js';
import { createLookup } from './initiator-lookup.js';
import { networkTest } from './initiator-networks.js';
import { SCRYPT_COST, verifyPassword } from './initiator-password.js';
import { isTokenOf, parseToken } from './initiator-token.js';
import { type VerificationLimits, VerificationQueue } from './initiator-verification-queue.js';

/** What a request shows. Where it shows several, the first of password, token and certificate decides alone. */
export interface PresentedCredentials {
  readonly basic?: { readonly username: string; readonly password: string };
  readonly bearer?: string;
  /** Verified by TLS against our own CAs. */
  readonly certificate?: ClientCertificate;
  /** Address of the caller, when it is known: the end of the connection, whatever a header may say. */
  readonly peer?: string;
  readonly isEncrypted: boolean;
}

/**
 * The initiator that the credentials belong to; undefined when they are missing or wrong. Rejects with RefusedError `forbidden`
 * when that initiator may not call from the peer's network, which is told before any secret is looked at: from there the
 * answer could not have been another. Rejects with RefusedError `busy` when too many passwords are being checked, and
 * with whatever the directory rejects with. The peer also keeps guessing from one address out of the way of others.
 */
export type AuthenticateInitiator = (
  presented: PresentedCredentials,
) => Promise<AuthenticatedInitiator | undefined>;

export interface AuthenticatorOptions extends Partial<VerificationLimits> {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly random: RandomBytes;
  /** How long the directory is believed, milliseconds. */
  readonly freshMs?: number;
  /** Initiators and verdicts kept at most; good and bad ones each. */
  readonly maxVerdicts?: number;
}

interface Verdict {
  readonly isRight: boolean;
  /** The stored hash that it was reached against; undefined when there was none. */
  readonly passwordHash: string | undefined;
}

/** An initiator as it is remembered: its networks are read once. */
interface Known {
  readonly initiator: Initiator;
  readonly mayCallFrom: ((peer: string | undefined) => boolean) | undefined;
}

const DEFAULTS = {
  freshMs: 2 * SECOND_MS,
  maxVerdicts: 4096,
  maxRunning: 2,
  maxWaitingEach: 4,
  maxWaiting: 64,
} as const;

/** Nobody's password: an unknown id costs as much time as a wrong password, so that ids cannot be found out by the clock. */
const DECOY_HASH = `$scrypt$ln=${SCRYPT_COST.logN},r=${SCRYPT_COST.r},p=${SCRYPT_COST.p}$${'A'.repeat(22)}$${'A'.repeat(43)}`;

export function createInitiatorAuthenticator(
  directory: Pick<InitiatorDirectory, 'find' | 'findByCertificate'>,
  options: AuthenticatorOptions,
): AuthenticateInitiator {
  const { now, freshMs, maxVerdicts, random, ...limits } = { ...DEFAULTS, ...options };
  const lookup = createLookup<Known>({ now, freshMs, maxEntries: maxVerdicts });
  const judge = createPasswordJudge(random(32), maxVerdicts, new VerificationQueue(limits));

  const byId = (id: string) => lookup(`id:${id}`, async () => knownFrom(await directory.find(id)));
  const byCertificate = (certificate: ClientCertificate) =>
    lookup(`certificate:${certificate.sha256}`, async () =>
      knownFrom(await directory.findByCertificate(certificate)),
    );

  const letIn = (known: Known, method: AuthenticationMethod, { isEncrypted }: PresentedCredentials) => {
    const { id, rights, limits, trust } = known.initiator;
    return {
      id,
      method,
      isEncrypted,
      ...(rights === undefined ? {} : { rights }),
      ...(limits === undefined ? {} : { limits }),
      ...(trust === undefined ? {} : { trust }),
    };
  };

  return async (presented) => {
    const { basic, bearer, certificate, peer } = presented;
    if (basic !== undefined) {
      const { username, password } = basic;
      if (username.length > MAX_INITIATOR_ID_LENGTH || password.length > MAX_INITIATOR_PASSWORD_BYTES) return;
      const known = await byId(username);
      checkNetwork(known, peer);
      const isRight = await judge(username, password, known?.initiator.passwordHash, peer ?? '');
      return known !== undefined && isRight ? letIn(known, 'password', presented) : undefined;
    }
    if (bearer !== undefined) {
      const token = parseToken(bearer);
      const known = token && (await byId(token.initiator));
      checkNetwork(known, peer);
      const isRight = token && known && isTokenOf(token, known.initiator.tokens ?? []);
      return known && isRight ? letIn(known, 'token', presented) : undefined;
    }
    const known = certificate && (await byCertificate(certificate));
    checkNetwork(known, peer);
    return known && letIn(known, 'certificate', presented);
  };
}

function knownFrom(initiator: Initiator | undefined): Known | undefined {
  if (initiator === undefined) return undefined;
  const { sourceNetworks } = initiator;
  return { initiator, mayCallFrom: sourceNetworks && networkTest(sourceNetworks) };
}

function checkNetwork(known: Known | undefined, peer: string | undefined): void {
  if (known?.mayCallFrom?.(peer) !== false) return;
  throw new RefusedError(
    'forbidden',
    `the push initiator ${known.initiator.id} may not call from ${peer ?? 'an unknown address'}`,
  );
}

type PasswordJudge = (
  username: string,
  password: string,
  passwordHash: string | undefined,
  peer: string,
) => Promise<boolean>;

/** Right or wrong, by the stored hash; undefined is the hash of nobody, and every password is wrong. */
function createPasswordJudge(salt: Uint8Array, maxVerdicts: number, queue: VerificationQueue): PasswordJudge {
  const right = new Map<string, Verdict>();
  const wrong = new Map<string, Verdict>();
  const underWay = new Map<string, Promise<boolean>>();

  const remember = (key: string, verdict: Verdict): void => {
    right.delete(key);
    wrong.delete(key);
    const verdicts = verdict.isRight ? right : wrong;
    verdicts.set(key, verdict); // at the end: the first is the one not reached again for longest
    const oldest = verdicts.keys().next();
    if (verdicts.size > maxVerdicts && !oldest.done) verdicts.delete(oldest.value);
  };

  return async (username, password, passwordHash, peer) => {
    const key = verdictKey(salt, username, password);
    const known = right.get(key) ?? wrong.get(key);
    if (known && known.passwordHash === passwordHash) return known.isRight;
    let pending = underWay.get(key);
    if (pending === undefined) {
      const applicant = `${passwordHash === undefined ? '' : username}\0${peer}`;
      pending = queue
        .run(applicant, () => verifyPassword(password, passwordHash ?? DECOY_HASH))
        .then((matches) => {
          const isRight = matches && passwordHash !== undefined;
          remember(key, { isRight, passwordHash });
          return isRight;
        })
        .finally(() => underWay.delete(key));
      underWay.set(key, pending);
    }
    return pending;
  };
}

function verdictKey(salt: Uint8Array, username: string, password: string): string {
  return createHash('sha256')
    .update(salt)
    .update(`${username.length}:${username}`, 'utf8') // the length keeps the border between the two
    .update(password, 'utf8')
    .digest('base64');
}
