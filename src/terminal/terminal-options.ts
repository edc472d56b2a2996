/**
 * What a reference terminal is told at the start: who it is, where its registrar is, and the own information by which it
 * judges a SIR (SIR-115, SIR-149, SIR-150, SIR-157). Times are milliseconds unless the name says otherwise.
 */
import type { Clock, RandomBytes } from '../kernel/clock.js';
import type { ReturnFlag } from '../protocols/sia/index.js';
import type { QuietHours } from '../registry/stated-preferences.js';
import type { MsrpLimits } from '../transports/msrp-connections/msrp-connections.js';
import type { SipTransportName } from '../transports/sip-stack/sip-stack.js';
import type { ReceivedContent } from './content.js';
import { SESSION_WAYS, type SessionWay } from './session-offer.js';
import type { ShortMessage } from './short-message.js';
import type { PushApplication, ReceivedSir } from './sir.js';
import type { SmscOptions } from './sms-network.js';

export interface TerminalOptions {
  /** Public user identity, `sip:…` or `tel:…`. */
  readonly user: string;
  /** Further public user identities of the same user; those that the registrar names (P-Associated-URI) are added. */
  readonly aliases?: readonly string[];
  /** URN of this terminal, `urn:uuid:…` or `urn:gsma:imei:…`: the value of `+sip.instance`. The same after every restart. */
  readonly instance: string;
  /** Further device identities in any spelling that the registry reads. */
  readonly identities?: readonly string[];
  /** Domain to register at. Absent: the host of `user`; a `tel:` user needs it. */
  readonly domain?: string;
  /** Registrar or outbound proxy: next hop of every request. */
  readonly registrar: { readonly host: string; readonly port: number; readonly transport: SipTransportName };
  /**
   * Over TLS and WebSocket the terminal only connects: requests reach it on the connection on which it registered. `ca`: PEM, whoever
   * may have issued the registrar's certificate; absent: the CAs that Node knows.
   */
  readonly tls?: { readonly ca?: Buffer };
  /** Ask for sessions over TLS (MSRP, RFC 4975 §14): the gateway's certificate is known by its fingerprint. */
  readonly secureSessions?: boolean;
  /** Path of the WebSocket URL; default `/sip`. */
  readonly webSocketPath?: string;
  readonly credentials?: { readonly username: string; readonly password: string };
  /** Where to listen. Absent host: the address from which the registrar is reached; absent port: a free one. */
  readonly local?: { readonly host?: string; readonly port?: number };
  /** Feature parameters of the Contact, as they stand on the wire: `+g.oma.pusheventapp="push.sia"`. */
  readonly features?: readonly string[];
  /** `reg-id` of the Contact (RFC 5626): the registrar then answers on the flow of the REGISTER. */
  readonly regId?: number;
  /** Registration time asked for. Default 3600. */
  readonly expiresSeconds?: number;
  /** Default `both`. */
  readonly profile?: TerminalProfile;
  readonly policy?: Partial<TerminalPolicy>;
  /** File that remembers what was received, over restarts. Absent: remembered until the process ends. */
  readonly statePath?: string;
  /**
   * Takes content that is new to the terminal, before it is acknowledged. Resolving means that it is safe; throwing has
   * the sender keep it. After a crash in between it is called again for the same content.
   */
  readonly take?: (content: ReceivedContent) => Promise<void>;
  readonly msrpLimits?: Partial<MsrpLimits>;
  /** Listen for OTA-HTTP too; port 0 takes a free one. */
  readonly otaHttp?: { readonly host: string; readonly port: number };
  /** Listen for connectionless WSP too, and follow SIRs by WSP where nothing else is said; port 0 takes a free one. */
  readonly wsp?: {
    readonly host: string;
    readonly port: number;
    /** Of its sessions: until something that has no answer is sent again, and how often. */
    readonly retransmitMs?: number;
    readonly maxRetransmissions?: number;
  };
  /** Be reached by short messages and USSD: from an SMSC that hands over what is for the terminal's number, by SMPP. */
  readonly smsc?: SmscOptions;
  /** Be woken by the call-back of the gateway; port 0 takes a free one. `secret`: `whsec_…`, the one that the gateway signs with. */
  readonly httpCallback?: { readonly host: string; readonly port: number; readonly secret: string };
  /** Be a browser and its push service: listen for Web Push, with a new subscription at every start; port 0 takes a free one. PEM. */
  readonly webPush?: {
    readonly host: string;
    readonly port: number;
    readonly tls: { readonly cert: Buffer; readonly key: Buffer };
  };
  /** Sends the short messages by which the terminal returns what SIRs ask for. Absent: the SMSC does, and without one the event `sms` is all. */
  readonly sendSms?: (message: ShortMessage) => Promise<void>;
}

/**
 * How content may come. S1: in MSRP sessions only, which a SIR makes the terminal open (SIR-158). S2: by SIP MESSAGE only, and
 * a SIR makes it register again (SIR-159). `both`: in sessions after a SIR, and by MESSAGE whenever the gateway likes.
 */
export type TerminalProfile = 'S1' | 'S2' | 'both';

/** The terminal's own information, preferences and security: what it weighs a SIR against. */
export interface TerminalPolicy {
  /** Absent: SIRs are taken from anybody ("skips the check", SIR-105). */
  readonly safety: SafetyCheck | undefined;
  /** Capability: applications that exist on the terminal. */
  readonly installedApplications: ApplicationSet;
  /** Capability: media types that it can show, and ranges like `image/*`. */
  readonly acceptedTypes: 'any' | readonly string[];
  /** Capability: largest content, octets. */
  readonly maxMessageSize: number | undefined;
  /** Subscription: applications that the user has a subscription for. */
  readonly subscribedApplications: ApplicationSet;
  /** Preference: applications from which the user takes pushes. */
  readonly acceptedApplications: ApplicationSet;
  /** Preference: media types, or ranges, that the user does not want. */
  readonly refusedTypes: readonly string[];
  /** Preference: when only pushes of high priority may disturb. */
  readonly quietHours: QuietHours | undefined;
  /**
   * The user's determination: asked last; saying no, later, or nothing in time means no session (SIR-156). The signal is given when the
   * answer does not count any more.
   */
  readonly askUser: ((sir: ReceivedSir, signal: AbortSignal) => Promise<UserAnswer>) | undefined;
  readonly askUserTimeoutMs: number;
  /** `manually`: a SIR that would be followed is answered and reported, and `connect()` is left to the caller. */
  readonly connect: 'automatically' | 'manually';
  /** By what the terminal connects, the dearest first; it takes the first that the SIR offers. */
  readonly sessionWays: readonly SessionWay[];
  /** SIP URI of the gateway that the terminal is provisioned with: for SIRs that had no room to name one. */
  readonly homeGateway: string | undefined;
  /**
   * Delay before a session that broke is opened again; it doubles up to a minute while that fails. `never` waits for the next
   * SIR, and so does a session that was ended or refused.
   */
  readonly reconnectDelayMs: number | 'never';
  /** Whether an application is activated before or after connecting (SIR-99, SIR-133). */
  readonly activation: 'before' | 'after';
  /** Activates an application; what it gives back is added to what a SIR asks for (SIR-98). Undefined: there is no such application. */
  readonly activate: ((application: PushApplication) => Promise<Information | undefined>) | undefined;
  /** What the terminal returns when a SIR asks for it (SIR-62 … SIR-65). */
  readonly information: Information;
  /** What it does not tell, though it is asked for. */
  readonly withheld: readonly ReturnFlag[];
  /** By what it returns, and where to (SIR-134). */
  readonly returnRoute: ReturnRoute;
  /** Signs what is returned by HTTP and SMS. */
  readonly returnKey: string | undefined;
}

export type UserAnswer = 'accept' | 'reject' | 'later';

export type ReturnRoute =
  | { readonly by: 'sip' }
  | { readonly by: 'http'; readonly url: string }
  | { readonly by: 'sms'; readonly to: string };

export type ApplicationSet = 'any' | readonly string[];

export const INFORMATION_KINDS = ['capability', 'preference', 'security', 'subscription'] as const;
export type InformationKind = (typeof INFORMATION_KINDS)[number];
/** JSON values by kind. */
export type Information = { readonly [Kind in InformationKind]?: unknown };

export interface SafetyCheck {
  /**
   * Push proxy gateways that the subscription names: SIP URIs (user and host must agree), `http://host:port`, or bare hosts. Both the sender and
   * the address to connect to must be among them (C-11).
   */
  readonly allowedGateways: readonly string[];
  /** Only the registrar, which vouches for P-Asserted-Identity, may hand SIRs in over SIP (RFC 3325). Default true. */
  readonly onlyFromRegistrar?: boolean;
  /** Checks the `sig` line over the octets that it signs. When given, a SIR without a signature is not safe. */
  readonly verifySignature?: (signed: Uint8Array, signature: string) => boolean;
}

export const DEFAULT_POLICY: TerminalPolicy = {
  safety: undefined,
  installedApplications: 'any',
  acceptedTypes: 'any',
  maxMessageSize: undefined,
  subscribedApplications: 'any',
  acceptedApplications: 'any',
  refusedTypes: [],
  quietHours: undefined,
  askUser: undefined,
  askUserTimeoutMs: 20_000, // below the 32 s in which the sender of a MESSAGE gives up
  connect: 'automatically',
  sessionWays: SESSION_WAYS,
  homeGateway: undefined,
  reconnectDelayMs: 'never',
  activation: 'after',
  activate: undefined,
  information: {},
  withheld: [],
  returnRoute: { by: 'sip' },
  returnKey: undefined,
};

/** What a terminal needs from outside besides sockets. */
export interface TerminalPorts {
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  readonly log: (event: TerminalLogEvent) => void;
  /** For `User-Agent`. Default `Carillon-terminal`. */
  readonly product?: string;
}

export interface TerminalLogEvent {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly reason?: string;
}
