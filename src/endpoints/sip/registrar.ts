/**
 * The built-in registrar (RFC 3261 §10.3, with RFC 3327 Path, RFC 5626 outbound, RFC 5627 GRUU): REGISTER in, bindings
 * stored, answer out, in that order. An instance that registers becomes a terminal of its user, or completes the one that was
 * provisioned. Third-party registration is in `third-party-register.ts`; there are no `reg` event notifications.
 */
import type { Clock, RandomBytes } from '../../kernel/clock.js';
import { DecodeError, describeError, GatewayError } from '../../kernel/errors.js';
import { bareHost, parseUri } from '../../protocols/sip/index.js';
import type { Binding, PushResource } from '../../registry/binding.js';
import type { Registry } from '../../registry/ports.js';
import type { PublicUserIdentity } from '../../registry/public-user-identity.js';
import { publicUserIdentity } from '../../registry/public-user-identity.js';
import { registeredTerminal } from '../../registry/registered-terminal.js';
import type { TerminalId } from '../../registry/terminal-id.js';
import type { ActivationMethod, User } from '../../registry/user.js';
import type { Log } from '../../telemetry/log.js';
import type { ServerRequest, SipFlow } from '../../transports/sip-stack/sip-stack.js';
import type { DigestAuthentication } from './digest-authentication.js';
import { type BindingChange, bindingChange } from './registrar-bindings.js';
import { FlowBindings, hangsOnConnection } from './registrar-flows.js';
import { makeGruus } from './registrar-gruu.js';
import { NO_PUSH_SERVICES, type PushServices, pushRefusal, pushResourceOf } from './registrar-push.js';
import {
  isRefusal,
  type RegisterLimits,
  type RegisterRefusal,
  type RegisterRequest,
  readRegister,
} from './registrar-request.js';
import { registerHeaders } from './registrar-response.js';

/** What others learn about registrations. Called after the answer; failures are the listener's own. */
export interface RegistrarEvents {
  /** Once for every stored binding that belongs to a terminal. */
  onRegistered(event: {
    readonly user: PublicUserIdentity;
    readonly terminal: TerminalId;
    readonly binding: Binding;
    /** The same contact over the same flow was registered already: only its time was renewed. */
    readonly isRefresh: boolean;
  }): void;
  /** A terminal lost its last binding: taken back, or its connection closed. Bindings that merely lapse are not reported. */
  onUnregistered(event: { readonly user: PublicUserIdentity; readonly terminal: TerminalId }): void;
}

export interface RegistrarPorts {
  readonly registry: Pick<Registry, 'findUser' | 'putTerminal' | 'bindings' | 'changeBindings'>;
  readonly authentication: Pick<DigestAuthentication, 'authenticate'>;
  readonly events: RegistrarEvents;
  readonly clock: Pick<Clock, 'now'>;
  readonly randomBytes: RandomBytes;
  readonly log: Log;
}

export interface RegistrarOptions {
  /** Lower case. A Request-URI may name it whatever the domain of the user is. */
  readonly domain: string;
  /** Name of this node, kept with each flow. */
  readonly node: string;
  /** Whether a user without SIP credentials may register unchallenged. Otherwise 403. */
  readonly allowWithoutCredentials: boolean;
  readonly limits?: Partial<RegistrarLimits>;
  /** Push notification services that wake clients here (RFC 8599); none when absent. */
  readonly pushServices?: PushServices;
  /** How often a client must send keep-alives on its flow (RFC 5626 §4.4.2); default 120. */
  readonly flowTimerSeconds?: number;
}

export interface RegistrarLimits extends RegisterLimits {
  /** Terminals of one user above which an unknown instance creates none. */
  readonly maxTerminals: number;
}

export const REGISTRAR_LIMITS: RegistrarLimits = {
  minExpires: 60,
  defaultExpires: 3600,
  maxExpires: 86_400,
  maxContacts: 32,
  maxPath: 16,
  maxTerminals: 64,
};

const RETRY_AFTER_SECONDS = '5';

export class Registrar {
  readonly #ports: RegistrarPorts;
  readonly #options: RegistrarOptions;
  readonly #limits: RegistrarLimits;
  readonly #flows = new FlowBindings();

  constructor(ports: RegistrarPorts, options: RegistrarOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#limits = { ...REGISTRAR_LIMITS, ...options.limits };
  }

  /** Serves one REGISTER. Never rejects; every way out has answered. */
  async handle(request: ServerRequest): Promise<void> {
    try {
      const refused = await this.#serve(request);
      if (refused !== undefined) this.#refuse(request, refused);
    } catch (error) {
      this.#refuse(request, refusalFor(error), error);
    }
  }

  /** A connection closed: bindings that can only be reached over it go. Never rejects. */
  async flowClosed({ connectionId }: SipFlow): Promise<void> {
    if (connectionId === undefined) return;
    for (const user of this.#flows.close(connectionId)) {
      try {
        await this.#dropFlow(user, connectionId);
      } catch (error) {
        this.#ports.log({
          level: 'warn',
          message: 'bindings of a closed flow not removed',
          reason: describeError(error),
        });
      }
    }
  }

  get #pushServices(): PushServices {
    return this.#options.pushServices ?? NO_PUSH_SERVICES;
  }

  async #serve(request: ServerRequest): Promise<RegisterRefusal | undefined> {
    const { message } = request;
    const register = readRegister(message, this.#limits);
    if (isRefusal(register)) return register;
    const address = canonicalAddress(register.addressOfRecord);
    if (!this.#isOurs(message.uri, address)) {
      return { status: 403, detail: 'a foreign domain in the Request-URI' };
    }
    const user = await this.#ports.registry.findUser(address);
    if (user === undefined) return { status: 404, detail: 'no such user here' };
    if (user.sip !== undefined) {
      if (!this.#ports.authentication.authenticate(request, user.sip)) return undefined;
    } else if (!this.#options.allowWithoutCredentials) {
      return { status: 403, detail: 'the user has no SIP credentials' };
    }
    return pushRefusal(register, this.#pushServices) ?? this.#apply(request, register, user);
  }

  async #apply(
    request: ServerRequest,
    register: RegisterRequest,
    user: User,
  ): Promise<RegisterRefusal | undefined> {
    const { registry, clock } = this.#ports;
    const before = await registry.bindings(user.id);
    const change = await this.#changeFor(request, register, user, before);
    const keys = new Set([...before.map(({ key }) => key), ...change.put.map(({ key }) => key)]);
    if (change.put.length > 0 && keys.size - change.remove.length > this.#limits.maxContacts) {
      return { status: 403, detail: 'too many contacts of one user' };
    }
    const isQuery = change.put.length + change.remove.length === 0;
    const after = isQuery ? before : await registry.changeBindings(user.id, change);
    const now = clock.now();
    const { flowTimerSeconds = 120 } = this.#options;
    const pushServices = this.#pushServices;
    request.respond(200, {
      headers: registerHeaders(register, after, { now, flowTimerSeconds, pushServices }),
    });
    this.#announce(user.id, change, before, after);
    return undefined;
  }

  async #changeFor(
    request: ServerRequest,
    register: RegisterRequest,
    user: User,
    before: readonly Binding[],
  ): Promise<BindingChange> {
    const { clock, randomBytes } = this.#ports;
    const terminals = await this.#terminalsOf(register, user);
    const isGruuUser = register.supportsGruu;
    const address = canonicalAddress(register.addressOfRecord);
    return bindingChange(register, before, {
      user: user.id,
      now: clock.now(),
      flow: { ...request.flow, node: this.#options.node },
      terminalOf: (instance) => terminals.get(instance),
      gruusOf: (instance) => (isGruuUser ? makeGruus(address, instance, randomBytes) : {}),
    });
  }

  /** The terminal of every instance that is being registered. */
  async #terminalsOf({ contacts }: RegisterRequest, user: User): Promise<ReadonlyMap<string, TerminalId>> {
    const terminals = new Map<string, TerminalId>();
    if (contacts === '*') return terminals;
    const { registry, log } = this.#ports;
    const onUnidentified = (_: User, reason: string) =>
      log({ level: 'warn', message: 'registration without a terminal', reason });
    for (const { uri, instance, expires } of contacts) {
      if (instance === undefined || expires === 0 || terminals.has(instance)) continue;
      const ports = { registry, onUnidentified };
      const activation = activationOf(pushResourceOf(uri), this.#pushServices);
      const given = { activation, maxTerminals: this.#limits.maxTerminals };
      const terminal = await registeredTerminal(user, instance, ports, given);
      if (terminal !== undefined) terminals.set(instance, terminal);
    }
    return terminals;
  }

  #announce(
    user: PublicUserIdentity,
    change: BindingChange,
    before: readonly Binding[],
    after: readonly Binding[],
  ): void {
    for (const { key } of change.remove) {
      const gone = before.find((binding) => binding.key === key);
      if (gone !== undefined) this.#flows.remove(gone);
    }
    for (const binding of change.put) {
      this.#flows.add(binding);
      if (binding.terminal === undefined) continue;
      const previous = before.find(({ key }) => key === binding.key);
      const isRefresh = previous !== undefined && isSameRegistration(previous, binding);
      this.#ports.events.onRegistered({ user, terminal: binding.terminal, binding, isRefresh });
    }
    this.#announceLosses(user, before, after);
  }

  #announceLosses(user: PublicUserIdentity, before: readonly Binding[], after: readonly Binding[]): void {
    const left = new Set(after.map(({ terminal }) => terminal));
    const lost = new Set(before.map(({ terminal }) => terminal).filter((terminal) => !left.has(terminal)));
    for (const terminal of lost) {
      if (terminal !== undefined) this.#ports.events.onUnregistered({ user, terminal });
    }
  }

  async #dropFlow(user: PublicUserIdentity, connectionId: string): Promise<void> {
    const { registry } = this.#ports;
    const before = await registry.bindings(user);
    const dead = before.filter(
      (binding) => binding.flow.connectionId === connectionId && hangsOnConnection(binding),
    );
    if (dead.length === 0) return;
    // One above the stored CSeq: a REGISTER that renews the binding at this very moment is as high, and wins.
    const remove = dead.map(({ key, callId, cseq }) => ({ key, callId, cseq: cseq + 1 }));
    this.#announceLosses(user, before, await registry.changeBindings(user, { put: [], remove }));
  }

  /**
   * Whether a registrar of this name is us: our domain, that of the address of record (a user that was provisioned is ours
   * whatever its domain), or an address, which a client writes that was told to register at one.
   */
  #isOurs(requestUri: string, addressOfRecord: string): boolean {
    const parsed = parseUri(requestUri);
    if (parsed.kind !== 'sip') return false;
    const host = bareHost(parsed.host);
    return (
      host === this.#options.domain ||
      host === domainOf(addressOfRecord) ||
      host === 'localhost' ||
      /^[0-9.]+$/.test(host) ||
      host.includes(':')
    );
  }

  #refuse(request: ServerRequest, refused: RegisterRefusal, error?: unknown): void {
    const { status, reason, headers, detail } = refused;
    this.#ports.log({
      level: error instanceof GatewayError && error.fault === 'peer' ? 'info' : levelOf(status),
      message: 'registration refused',
      status,
      reason: detail,
      peer: request.flow.address,
      ...(status === 500 && error instanceof Error ? { stack: error.stack } : {}),
    });
    request.respond(status, {
      ...(reason === undefined ? {} : { reason }),
      ...(headers === undefined ? {} : { headers }),
    });
  }
}

/** A client that can be woken while it sleeps is called first, and woken when it does not answer. */
function activationOf(push: PushResource | undefined, { names }: PushServices): readonly ActivationMethod[] {
  if (push === undefined || !names.includes(push.provider)) return [{ bearer: 'sip' }];
  return [{ bearer: 'sip' }, { bearer: push.provider === 'webpush' ? 'web-push' : 'http-callback' }];
}

/** [RFC 5630 §5.1] A SIPS address of record is the same user's: the scheme asks for a secured way, it names nobody else. */
function canonicalAddress(addressOfRecord: string): PublicUserIdentity {
  return publicUserIdentity(addressOfRecord.replace(/^sips:/i, 'sip:'));
}

/** Undefined for an address of record without one (`tel:`). */
function domainOf(addressOfRecord: string): string | undefined {
  const uri = parseUri(addressOfRecord);
  return uri.kind === 'sip' ? bareHost(uri.host) : undefined;
}

function levelOf(status: number): 'info' | 'warn' | 'error' {
  if (status < 500) return 'info';
  return status === 503 ? 'warn' : 'error';
}

function isSameRegistration(previous: Binding, next: Binding): boolean {
  return (
    previous.contact === next.contact &&
    previous.callId === next.callId &&
    previous.flow.node === next.flow.node &&
    previous.flow.transport === next.flow.transport &&
    previous.flow.address === next.flow.address &&
    previous.flow.port === next.flow.port &&
    previous.flow.connectionId === next.flow.connectionId
  );
}

function refusalFor(error: unknown): RegisterRefusal {
  const detail = describeError(error);
  if (error instanceof DecodeError) return { status: 400, detail };
  if (!(error instanceof GatewayError)) return { status: 500, detail };
  // [RFC 3261 §10.3 step 7] An update that is older than what is stored fails as a whole.
  if (error.code === 'conflict') return { status: 500, reason: 'Request Out of Order', detail };
  if (error.code === 'notFound') return { status: 404, detail };
  if (error.retry === 'later') {
    return { status: 503, detail, headers: [{ name: 'Retry-After', value: RETRY_AFTER_SECONDS }] };
  }
  return { status: 500, detail };
}
