/**
 * Who can be reached: a user, known by its public user identity, and the terminals bound to it.
 * Values only; canonical forms and equality of device identities are in `device-identity.ts`.
 */
import type { BearerName } from './bearer-name.js';
import type { DeviceIdentity } from './device-identity.js';
import type { PublicUserIdentity } from './public-user-identity.js';
import type { Returned } from './returned.js';
import type { CapabilityReport, ReportSource } from './stated-capabilities.js';
import type { TargetingRule, TargetPolicy } from './targeting-rule.js';
import type { TerminalId } from './terminal-id.js';

/** One way to wake a terminal. Methods are tried in the order in which the terminal lists them. */
export interface ActivationMethod {
  readonly bearer: BearerName;
  /**
   * SIP: a SIP URI, else the registered contact is used. SMS: E.164. WSP: host:port. OTA-HTTP: URL of the terminal's listener.
   * Call-back: URL, else the configured one is used. Web Push: URL of the subscription, else that of the registered contact
   * (`pn-prid`, RFC 8599).
   */
  readonly address?: string;
  /** Web Push: the keys of the subscription. Absent: nothing can be encrypted for it, so that it can only be woken. */
  readonly keys?: SubscriptionKeys;
  /** What goes out by it: a SIR, or the push itself. Absent: a SIR when the terminal is reached by SIP too, else the push. */
  readonly carries?: Carried;
}

/** Of a browser's subscription (Push API, RFC 8291), in base64url. */
export interface SubscriptionKeys {
  /** Its public key on P-256. */
  readonly p256dh: string;
  /** Its authentication secret. */
  readonly auth: string;
}

export const CARRIED = ['sir', 'content'] as const;
export type Carried = (typeof CARRIED)[number];

export interface Terminal {
  readonly id: TerminalId;
  readonly user: PublicUserIdentity;
  /** Unique within the user: the name given through the admin API, or the instance URN of the REGISTER that created it. */
  readonly name: string;
  readonly identities: readonly DeviceIdentity[];
  readonly activation: readonly ActivationMethod[];
  /** Application ids it takes. Absent: everything. */
  readonly subscriptions?: readonly string[];
  readonly preferences: Readonly<Record<string, unknown>>;
  /** Signs the SIRs that go to this terminal alone. A secret: never shown, never logged. */
  readonly sirKey?: string;
  /** As provisioned: what `stated-capabilities.ts` knows, and anything else beside it. */
  readonly capabilities: Readonly<Record<string, unknown>>;
  /** What the terminal itself reported, by the way in which it did. */
  readonly reported?: Readonly<Partial<Record<ReportSource, CapabilityReport>>>;
  /** What it returned after session initiation requests. */
  readonly returned?: Returned;
  readonly origin: 'provisioned' | 'registered';
}

export interface UserPolicy {
  /** Absent: what the operator has decided. */
  readonly target?: TargetPolicy;
  /** For some applications or kinds of content something else, and how they are woken. The first rule that says anything counts. */
  readonly rules?: readonly TargetingRule[];
}

export interface User {
  readonly id: PublicUserIdentity;
  /** Other addresses of the same user, canonical: `tel:+43…`, `mailto:…`, `sip:…`. */
  readonly aliases: readonly string[];
  /** Digest credentials of the built-in registrar; never the password itself. */
  readonly sip?: SipCredentials;
  readonly policy: UserPolicy;
  /** Signs the SIRs that go to all terminals, and to those that have no key of their own. A secret. */
  readonly sirKey?: string;
  readonly terminals: readonly Terminal[];
}

/** H(A1) of RFC 7616 for each algorithm that we offer, over username, realm and password. */
export interface SipCredentials {
  readonly username: string;
  readonly realm: string;
  readonly ha1: { readonly md5: string; readonly sha256: string };
}
