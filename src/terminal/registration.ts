/**
 * The terminal's registration (RFC 3261 §10.2, RFC 5626 §4, RFC 5627 §4; SIR-159): REGISTER, refreshed before it lapses,
 * made again after a failure with growing pauses, and taken back at the end. Learns the GRUUs that the registrar gives.
 * Not here: several registrars or flows at once.
 */
import type { Clock, RandomBytes, Timer } from '../kernel/clock.js';
import { DecodeError, DeliveryError, describeError, RefusedError } from '../kernel/errors.js';
import {
  addressesOf,
  contactsOf,
  headerValue,
  instanceOf,
  type NameAddr,
  parameter,
  type SipHeader,
  type SipResponse,
  unquote,
} from '../protocols/sip/index.js';
import { type DeviceIdentity, parseDeviceIdentity } from '../registry/device-identity.js';
import { publicUserIdentity } from '../registry/public-user-identity.js';
import type { SipFlow, SipStack } from '../transports/sip-stack/sip-stack.js';
import type { SipIdentity } from './sip-identity.js';

export interface RegistrationPorts {
  readonly stack: Pick<SipStack, 'request'>;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  readonly onRegistered: (registered: Registered) => void;
  /** A refresh failed; it is tried again by itself. */
  readonly onFailure: (reason: string) => void;
}

export interface Registered {
  readonly contact: string;
  readonly expiresSeconds: number;
  readonly publicGruu?: string;
}

const DEFAULT_EXPIRES_SECONDS = 3600;
const FIRST_RETRY_MS = 1000;
const MAX_RETRY_MS = 60_000;
/** Temporary GRUUs stay valid while the registration lasts (RFC 5627 §3.1.2); this many are recognised. */
const MAX_GRUUS = 16;

export class Registration {
  readonly #identity: SipIdentity;
  readonly #ports: RegistrationPorts;
  readonly #callId: string;
  #expiresSeconds: number;
  #cseq = 0;
  #failures = 0;
  #timer: Timer | undefined;
  #isLive = false;
  #isStopped = false;
  #gruus: DeviceIdentity[] = [];
  #users: readonly string[] = [];
  /** REGISTERs go one after the other: an answer must be there before the next one (RFC 3261 §10.2.4). */
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    identity: SipIdentity,
    ports: RegistrationPorts,
    options: { readonly expiresSeconds?: number },
  ) {
    this.#identity = identity;
    this.#ports = ports;
    this.#expiresSeconds = options.expiresSeconds ?? DEFAULT_EXPIRES_SECONDS;
    this.#callId = Buffer.from(ports.randomBytes(16)).toString('hex');
  }

  /** GRUUs given so far, oldest first. */
  get gruus(): readonly DeviceIdentity[] {
    return this.#gruus;
  }

  /** Canonical public user identities that the registrar registered along (P-Associated-URI, RFC 7315 §4.1). */
  get associatedUsers(): readonly string[] {
    return this.#users;
  }

  /** Registers, or refreshes now. Rejects when the registrar refuses (RefusedError) or cannot be reached (DeliveryError). */
  async register(): Promise<void> {
    this.#timer?.cancel();
    const registered = await this.#inTurn(() => this.#register());
    if (this.#isStopped) return;
    this.#failures = 0;
    this.#isLive = true;
    this.#ports.onRegistered(registered);
    this.#schedule(refreshDelayMs(registered.expiresSeconds));
  }

  /** The connection that carried the registration is gone: the registrar cannot reach us any more (RFC 5626 §4.4.1). */
  flowClosed({ transport, address, port }: SipFlow): void {
    const { nextHop } = this.#identity;
    if (!this.#isLive || this.#isStopped || transport !== nextHop.transport) return;
    if (address === nextHop.address && port === nextHop.port) this.#schedule(this.#retryDelayMs());
  }

  /** Stops refreshing; with `unregister` the binding is removed first. Never throws. Resolves with whether it was removed. */
  async stop({ unregister }: { readonly unregister: boolean }): Promise<boolean> {
    this.#timer?.cancel();
    this.#isStopped = true;
    if (!unregister || !this.#isLive) return false;
    try {
      return (await this.#inTurn(() => this.#send(0))).status < 300;
    } catch {
      return false; // the registrar is away; the binding lapses by itself
    }
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(task);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #register(): Promise<Registered> {
    let response = await this.#send(this.#expiresSeconds);
    if (response.status === 423) {
      this.#expiresSeconds = minExpires(response) ?? this.#expiresSeconds;
      response = await this.#send(this.#expiresSeconds);
    }
    if (response.status >= 300) throw refusal(response, this.#identity);
    return this.#learn(response);
  }

  #send(expiresSeconds: number): Promise<SipResponse> {
    const { registrarUri, from, contact, nextHop, credentials } = this.#identity;
    this.#cseq += 3; // the stack uses the numbers in between to answer a challenge and a stale nonce
    const headers: SipHeader[] = [
      { name: 'CSeq', value: `${this.#cseq} REGISTER` },
      { name: 'Contact', value: contact },
      { name: 'Expires', value: String(expiresSeconds) },
      { name: 'Supported', value: 'path, gruu, outbound' },
      { name: 'Allow', value: 'MESSAGE, BYE, CANCEL, ACK, OPTIONS' },
    ];
    return this.#ports.stack.request({
      method: 'REGISTER',
      uri: registrarUri,
      from,
      to: from,
      callId: this.#callId,
      headers,
      destination: nextHop,
      ...(credentials === undefined ? {} : { credentials }),
    });
  }

  #learn(response: SipResponse): Registered {
    const binding = ourBinding(response, this.#identity.instance);
    const granted = Number(
      binding === undefined ? Number.NaN : (parameter(binding.parameters, 'expires') ?? Number.NaN),
    );
    const fallback = Number(headerValue(response, 'expires') ?? this.#expiresSeconds);
    const expiresSeconds = [granted, fallback, this.#expiresSeconds].find((seconds) => seconds > 0) ?? 0;
    const [publicGruu, temporaryGruu] = ['pub-gruu', 'temp-gruu'].map((name) => {
      const value = binding === undefined ? undefined : parameter(binding.parameters, name);
      return value === undefined ? undefined : unquote(value);
    });
    for (const gruu of [publicGruu, temporaryGruu]) this.#keepGruu(gruu);
    this.#users = addressesOf(response, 'p-associated-uri').flatMap(({ uri }) => readableUser(uri));
    return {
      contact: this.#identity.contact,
      expiresSeconds,
      ...(publicGruu === undefined ? {} : { publicGruu }),
    };
  }

  #keepGruu(text: string | undefined): void {
    if (text === undefined) return;
    try {
      const gruu = parseDeviceIdentity(text);
      if (!this.#gruus.some(({ canonical }) => canonical === gruu.canonical)) {
        this.#gruus = [...this.#gruus, gruu].slice(-MAX_GRUUS);
      }
    } catch (error) {
      this.#ports.onFailure(`the registrar gave a GRUU that cannot be read: ${describeError(error)}`);
    }
  }

  #schedule(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#ports.clock.after(delayMs, () => {
      this.register().catch((error: unknown) => {
        if (this.#isStopped) return;
        this.#failures += 1;
        this.#ports.onFailure(describeError(error));
        this.#schedule(this.#retryDelayMs());
      });
    });
  }

  /** Doubles from one second to a minute, spread over half of it so that terminals do not come back all at once. */
  #retryDelayMs(): number {
    const ceiling = Math.min(FIRST_RETRY_MS * 2 ** Math.min(this.#failures, 10), MAX_RETRY_MS);
    const chance = (this.#ports.randomBytes(1)[0] ?? 0) / 256;
    return Math.round(ceiling * (0.5 + chance / 2));
  }
}

/** Well before the end, and never so often that it hurts the registrar. */
function refreshDelayMs(expiresSeconds: number): number {
  return Math.max(expiresSeconds > 120 ? expiresSeconds - 60 : expiresSeconds * 0.5, 0.5) * 1000;
}

function ourBinding(response: SipResponse, instance: string): NameAddr | undefined {
  const contacts = contactsOf(response);
  if (contacts === '*') return undefined;
  return contacts.find(({ parameters }) => instanceOf(parameters)?.toLowerCase() === instance.toLowerCase());
}

function readableUser(uri: string): readonly string[] {
  try {
    return [publicUserIdentity(uri)];
  } catch (error) {
    if (error instanceof DecodeError) return []; // an identity of a kind that no SIR of ours names
    throw error;
  }
}

function minExpires(response: SipResponse): number | undefined {
  const seconds = Number(headerValue(response, 'min-expires'));
  return Number.isInteger(seconds) && seconds > 0 && seconds <= 86_400 ? seconds : undefined;
}

function refusal(response: SipResponse, { user, credentials, registrarUri }: SipIdentity): Error {
  const answer = `the registrar answered ${response.status} ${response.reason}`;
  switch (response.status) {
    case 401:
    case 407: {
      const what = credentials === undefined ? 'needs a user name and password' : 'were not accepted';
      const who = credentials === undefined ? user : `the credentials for ${user}`;
      return new RefusedError('unauthenticated', `${answer}: ${who} ${what}`);
    }
    case 403:
      return new RefusedError('forbidden', `${answer}: ${user} may not register from here`);
    case 404:
      return new RefusedError(
        'addressNotFound',
        `${answer}: ${user} is not known there; create the user first`,
      );
    default:
      if (response.status >= 500 || response.status === 408 || response.status === 480) {
        return new DeliveryError('unreachable', answer);
      }
      return new RefusedError('internal', `${answer} to REGISTER ${registrarUri}`);
  }
}
