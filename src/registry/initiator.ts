/**
 * Push initiators: who may submit pushes, known by an id that is also the user name of HTTP Basic on PAP (SIR-169); how each
 * proves who it is, what it may do, and how much of it. Values and the directory port. Secrets exist here only as hashes
 * (`initiator-password.ts`, `initiator-token.ts`); who is let in is decided by `initiator-authenticator.ts`, what a push may do
 * by `push/initiator-rights.ts`.
 */
import { DecodeError } from '../kernel/errors.js';
import type { CertificateName, ClientCertificate } from './initiator-certificate.js';

/** What is kept of an initiator under its id. Whatever is absent is not restricted, or cannot be used to get in. */
export interface InitiatorAttributes {
  /** Made by `hashPassword()`. A secret: it is never shown and never logged. */
  readonly passwordHash?: string;
  readonly tokens?: readonly InitiatorToken[];
  /** Client certificates that stand for the initiator on TLS. Each belongs to one initiator. */
  readonly certificates?: readonly CertificateName[];
  readonly rights?: InitiatorRights;
  readonly limits?: InitiatorLimits;
  readonly trust?: InitiatorTrust;
  /** Networks that it may call from, as `canonicalNetwork()` writes them. Looked at before any secret is. */
  readonly sourceNetworks?: readonly string[];
}

export interface Initiator extends InitiatorAttributes {
  readonly id: string;
  readonly origin: InitiatorOrigin;
}

/** A bearer token as it is kept. */
export interface InitiatorToken {
  readonly id: string;
  /** SHA-256 of the token's text, base64url. */
  readonly sha256: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

/** Patterns of what the initiator may use (`initiator-pattern.ts`); an absent list allows everything. */
export interface InitiatorRights {
  /** Recipients in canonical form: `tel:+43*`, `sip:*@example.test`. */
  readonly addresses?: readonly string[];
  /** Application ids, in full or by their last part: `x-wap-application:mms.ua`, `mms.ua`. */
  readonly applicationIds?: readonly string[];
}

/** What terminals are told of the initiator's pushes (Push-Flag, `push/push-flag.ts`), when they came over TLS. */
export interface InitiatorTrust {
  /** Patterns of URIs that are the initiator's own. Absent: those whose host is its id. */
  readonly initiatorUris?: readonly string[];
  /** The operator answers for the content. */
  readonly content?: boolean;
}

/** An absent limit does not exist for the initiator; those of the gateway hold for everybody. */
export interface InitiatorLimits {
  readonly pushesPerSecond?: number;
  /** Pushes that may come at once within the rate; absent: as many as one second allows, and one at least. */
  readonly burst?: number;
  /** Pushes and octets of content held at the same time. */
  readonly pendingPushes?: number;
  readonly pendingBytes?: number;
  /** Of one push. */
  readonly maxContentBytes?: number;
  readonly maxAddresses?: number;
}

/** An initiator as a list shows it. `configured` ones stand in the configuration and cannot be changed while it runs. */
export interface InitiatorEntry {
  readonly id: string;
  readonly origin: InitiatorOrigin;
}

export const INITIATOR_ORIGINS = ['configured', 'stored'] as const;
export type InitiatorOrigin = (typeof INITIATOR_ORIGINS)[number];

/** How an initiator proved who it is. */
export const AUTHENTICATION_METHODS = ['password', 'token', 'certificate'] as const;
export type AuthenticationMethod = (typeof AUTHENTICATION_METHODS)[number];

/** An initiator that was let in, with what it may do. */
export interface AuthenticatedInitiator extends Pick<Initiator, 'id' | 'rights' | 'limits' | 'trust'> {
  readonly method: AuthenticationMethod;
  /** The request came over TLS that ends in this gateway. */
  readonly isEncrypted: boolean;
}

/**
 * Whether a terminal may be told that the initiator is authenticated (the first bit of Push-Flag, WAP-235 §8.2.1): nobody on
 * the way could have read or replayed what proved it.
 */
export function isStronglyAuthenticated({
  isEncrypted,
}: Pick<AuthenticatedInitiator, 'isEncrypted'>): boolean {
  return isEncrypted;
}

/** Where initiators are kept. Adapters: `stores/` (Redis); `withConfigured()` puts the configured ones in front. */
export interface InitiatorDirectory {
  /** Called for every initiator that was not seen within the last seconds: has to be one round trip. */
  find(id: string): Promise<Initiator | undefined>;

  /** The initiator that one of the certificate's names belongs to; the more exact name first. */
  findByCertificate(certificate: ClientCertificate): Promise<Initiator | undefined>;

  /**
   * Creates or changes: `edit` gets what is stored, undefined for a new initiator, and says what is to be stored. It may be
   * called again when somebody else changed the initiator meanwhile, and what it throws is passed on. Durable when it
   * resolves. Refuses (`conflict`) an id that the configuration holds and a certificate that another initiator has.
   */
  change(
    id: string,
    edit: (before: InitiatorAttributes | undefined) => InitiatorAttributes,
  ): Promise<{ readonly outcome: 'created' | 'replaced'; readonly initiator: Initiator }>;

  /** True when there was one. Refuses (`conflict`) an id that the configuration holds. */
  remove(id: string): Promise<boolean>;

  /** All of them, ordered by id. */
  list(): Promise<readonly InitiatorEntry[]>;
}

/** Longest id, in characters. */
export const MAX_INITIATOR_ID_LENGTH = 128;

/** Longest password, in octets of UTF-8. */
export const MAX_INITIATOR_PASSWORD_BYTES = 1024;

/**
 * The id when it can be one: 1 to 128 characters, no control character and no space at either end; no colon, because HTTP
 * Basic ends the user name at the first one (RFC 7617 §2). Throws DecodeError.
 */
export function initiatorId(text: string): string {
  if (text.length === 0 || text.length > MAX_INITIATOR_ID_LENGTH) {
    throw new DecodeError(`id: has to have 1 to ${MAX_INITIATOR_ID_LENGTH} characters`);
  }
  if (/[\p{Cc}\p{Cs}:]/u.test(text) || text.trim() !== text) {
    throw new DecodeError('id: control characters, colons and outer spaces are not allowed', {
      clause: 'RFC 7617 §2',
    });
  }
  return text;
}

/** The password when HTTP Basic can carry it: 1 to 1024 octets without control characters (RFC 7617 §2). Throws DecodeError. */
export function initiatorPassword(text: string): string {
  const bytes = Buffer.byteLength(text, 'utf8');
  if (bytes === 0 || bytes > MAX_INITIATOR_PASSWORD_BYTES) {
    throw new DecodeError(`password: has to have 1 to ${MAX_INITIATOR_PASSWORD_BYTES} octets`);
  }
  if (/[\p{Cc}\p{Cs}]/u.test(text)) {
    throw new DecodeError('password: control characters are not allowed', { clause: 'RFC 7617 §2' });
  }
  return text;
}
