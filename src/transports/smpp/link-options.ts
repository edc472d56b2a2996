/** What a link to an SMSC is told, what it tells, and what becomes of a message that it is given. Times are milliseconds. */
import type { Clock } from '../../kernel/clock.js';
import type { BodyOf, Parameters, Refusal } from '../../protocols/smpp/index.js';
import type { Delivered } from './smpp-connection.js';

export const BIND_MODES = ['transceiver', 'transmitter', 'receiver'] as const;
export type BindMode = (typeof BIND_MODES)[number];

export interface SmppLinkOptions {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly bind: BindMode;
  readonly systemId: string;
  readonly password: string;
  readonly systemType: string;
  readonly addressRange: string;
  /** Over TLS; everything in PEM. */
  readonly tls?: LinkTls;
  /** Messages without a response, at most. */
  readonly window: number;
  /** Messages that wait for their turn, at most, and how long each may. */
  readonly maxQueued: number;
  readonly maxWaitMs: number;
  readonly segmentsPerSecond?: number;
  readonly connectTimeoutMs: number;
  readonly responseTimeoutMs: number;
  readonly enquireLinkMs: number;
  /** Waits before the first, second, … attempt to connect again; the last one repeats. */
  readonly reconnectMs: readonly number[];
  /** Waits after the first, second, … time that the SMSC says that it is too much; the last one repeats. */
  readonly throttleMs: readonly number[];
}

export interface LinkTls {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  /** Name that the certificate has to have; absent: the host. */
  readonly serverName?: string;
}

export interface SmppLinkPorts {
  readonly clock: Clock;
  /** Resolves with the status of the answer, when what was delivered is safe. Never rejects. */
  readonly delivered: (message: Delivered, link: string) => Promise<number>;
  readonly observe: (fact: LinkFact) => void;
}

export type LinkFact =
  | { readonly kind: 'state'; readonly link: string; readonly state: LinkState; readonly reason: string }
  /** An operator told it so, here or on another node. */
  | { readonly kind: 'mode'; readonly link: string; readonly mode: LinkMode; readonly reason: string }
  | { readonly kind: 'throttled'; readonly link: string; readonly status: string; readonly forMs: number }
  | { readonly kind: 'broken'; readonly link: string; readonly reason: string; readonly until: number }
  /** One message was answered, or will not be. */
  | {
      readonly kind: 'submitted';
      readonly link: string;
      readonly result: Submitted['kind'];
      readonly latencyMs: number;
    };

/** `waiting`: for the next attempt to connect. */
export type LinkState = 'connecting' | 'bound' | 'waiting' | 'closed';

/** What an operator has told it: `draining` sends what it has and takes nothing more, `paused` sends nothing. It stays bound in each. */
export const LINK_MODES = ['running', 'draining', 'paused'] as const;
export type LinkMode = (typeof LINK_MODES)[number];

/** What an operator has told a link that is not to run. */
export interface LinkOrder {
  readonly mode: Exclude<LinkMode, 'running'>;
  /** ms epoch. */
  readonly since: number;
  /** In words for people. */
  readonly reason?: string;
}

/** One segment, or a whole message that is one. */
export interface Submission {
  readonly message: BodyOf<'submit_sm'>;
  readonly parameters: Parameters;
}

export type Submitted =
  | { readonly kind: 'accepted'; readonly messageId: string }
  /** The SMSC does not take it. */
  | { readonly kind: 'refused'; readonly meaning: Exclude<Refusal, 'later'>; readonly detail: string }
  /** It did not go out, or the SMSC had no room for it: another link may take it, this one not before `retryAt` (ms epoch). */
  | { readonly kind: 'notSent'; readonly detail: string; readonly retryAt?: number }
  /** It went out and was not answered. */
  | { readonly kind: 'unknown'; readonly detail: string };

export interface LinkView {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly bind: BindMode;
  readonly state: LinkState;
  /** Since when, ms epoch. */
  readonly since: number;
  readonly mode: LinkMode;
  /** Since when, and why: of a link that an operator has paused or drains. */
  readonly hold?: Omit<LinkOrder, 'mode'>;
  /** Why it is not bound, or what went wrong last. */
  readonly reason?: string;
  readonly window: number;
  readonly underWay: number;
  readonly queued: number;
  /** How long the first that waits has waited. */
  readonly queueAgeMs: number;
  readonly breaker: 'closed' | 'open' | 'trying';
  /** The SMSC asked for a pause until then (ms epoch). */
  readonly throttledUntil?: number;
  readonly segmentsPerSecond?: number;
}
