/**
 * The call-back bearer: hands a wake-up to a service of the operator or of a customer, which wakes the terminal in its own way (SIR-90): a
 * signed POST of JSON (Standard Webhooks). It only wakes; content never leaves by it. A service that says that there is no such terminal
 * any more is not asked again.
 */
import type { Clock } from '../../kernel/clock.js';
import { describeError } from '../../kernel/errors.js';
import { webhookHeaders } from '../../protocols/standard-webhooks/index.js';
import type { Bearer, BearerOutcome } from '../../push/ports.js';
import type { Sir } from '../../push/sir.js';
import type { Binding } from '../../registry/binding.js';
import type { PublicUserIdentity } from '../../registry/public-user-identity.js';
import type { Terminal } from '../../registry/user.js';
import type { GuardedHttp } from '../../transports/guarded-http/guarded-http.js';
import { Pauses } from '../pauses.js';
import { type ServiceAnswer, serviceAnswer } from '../service-answer.js';
import type { SirSender } from '../sir-body.js';
import { wakeEvent } from '../wake-event.js';

export interface HttpCallbackBearerPorts {
  readonly http: Pick<GuardedHttp, 'request'>;
  /** Live bindings, newest first. */
  readonly bindings: (user: PublicUserIdentity) => Promise<readonly Binding[]>;
  /** The address leads nowhere any more: takes the activation method away. */
  readonly addressGone: (terminal: Terminal, address: string, reason: string) => Promise<void>;
  readonly clock: Pick<Clock, 'now'>;
}

export interface HttpCallbackBearerOptions {
  readonly sender: SirSender;
  /** For an activation method without one. */
  readonly defaultAddress?: string;
  /** The key that signs what goes to this URL; undefined when nothing may. */
  readonly keyFor: (url: string) => Uint8Array | undefined;
}

export class HttpCallbackBearer implements Bearer {
  readonly #ports: HttpCallbackBearerPorts;
  readonly #options: HttpCallbackBearerOptions;
  readonly #pauses: Pauses;

  constructor(ports: HttpCallbackBearerPorts, options: HttpCallbackBearerOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#pauses = new Pauses(ports.clock);
  }

  async wake(terminal: Terminal, sir: Sir, given: string | undefined): Promise<BearerOutcome> {
    const address = given ?? this.#options.defaultAddress;
    if (address === undefined) return { kind: 'failed', detail: 'no address to call' };
    const key = this.#options.keyFor(address);
    if (key === undefined)
      return { kind: 'failed', detail: 'no secret is configured for this address', address };
    try {
      const { kind, detail, retryAt } = await this.#call(terminal, sir, address, key);
      if (kind === 'gone' && given !== undefined) await this.#ports.addressGone(terminal, given, detail);
      const later = retryAt === undefined ? {} : { retryAt };
      return { kind: kind === 'taken' ? 'handed' : 'failed', detail, address, ...later };
    } catch (error) {
      return { kind: 'failed', detail: describeError(error), address };
    }
  }

  isDown(given: string | undefined): boolean {
    const address = given ?? this.#options.defaultAddress;
    return address !== undefined && this.#pauses.of(new URL(address).host) !== undefined;
  }

  async #call(terminal: Terminal, sir: Sir, url: string, key: Uint8Array): Promise<ServiceAnswer> {
    const { http, bindings, clock } = this.#ports;
    const { host } = new URL(url);
    const pausedUntil = this.#pauses.of(host);
    if (pausedUntil !== undefined)
      return { kind: 'notNow', detail: 'the service asked to be left alone', retryAt: pausedUntil };
    const registered = await bindings(terminal.user);
    const pns = registered.find((binding) => binding.terminal === terminal.id && binding.push)?.push;
    const event = wakeEvent(terminal, sir, this.#options.sender, pns);
    const body = Buffer.from(JSON.stringify(event), 'utf8');
    const signed = webhookHeaders({ id: event.id, sentAt: clock.now(), body }, key);
    const headers = { 'content-type': 'application/json', ...signed };
    const answer = await http.request({ method: 'POST', url, headers, body });
    const told = serviceAnswer('the wake-up service', answer, clock.now());
    this.#pauses.add(host, told.retryAt);
    return told;
  }
}
