/**
 * A registration: the contact under which one terminal of a user can be reached now (RFC 3261 §10, RFC 5626, RFC 5627).
 */
import type { PublicUserIdentity } from './public-user-identity.js';
import type { TerminalId } from './terminal-id.js';

/** A resource of a push notification service, values unescaped. */
export interface PushResource {
  readonly provider: string;
  readonly prid: string;
  readonly param?: string;
}

export interface Binding {
  readonly user: PublicUserIdentity;
  /** The terminal that it belongs to; absent for a contact without `+sip.instance`. */
  readonly terminal?: TerminalId;
  /** Identifies the binding within the user: instance and reg-id, or the contact URI. */
  readonly key: string;
  readonly contact: string;
  /** Path header values, topmost first (RFC 3327). */
  readonly path: readonly string[];
  /** `+sip.instance` as received, without the quotes and angle brackets. */
  readonly instance?: string;
  readonly regId?: number;
  readonly callId: string;
  readonly cseq: number;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  readonly registeredAt: number;
  /** Contact feature parameters other than the ones above, e.g. `+g.oma.pusheventapp`. */
  readonly features: Readonly<Record<string, string>>;
  readonly q?: number;
  /** Where the REGISTER came from; requests go back there (symmetric routing), on the same connection when `node` is ours. */
  readonly flow: {
    readonly transport: 'udp' | 'tcp' | 'tls' | 'ws' | 'wss';
    readonly address: string;
    readonly port: number;
    readonly connectionId?: string;
    readonly node: string;
  };
  /** How the client is woken when it sleeps: `pn-provider`, `pn-prid` and `pn-param` of its contact (RFC 8599 §4.1). */
  readonly push?: PushResource;
  readonly publicGruu?: string;
  readonly temporaryGruu?: string;
}
