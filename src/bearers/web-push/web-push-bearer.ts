/**
 * The Web Push bearer: terminals in browsers (RFC 8030, RFC 8291, RFC 8292). A wake-up is the SIR in JSON, of which a push service keeps the
 * newest; small content goes out whole, encrypted for the subscription. A push service says that it has the message and never that the
 * browser does. A subscription that has ended is not used again. `docs/web-push.md` is for authors of pages.
 */
import type { Clock, RandomBytes } from '../../kernel/clock.js';
import { describeError } from '../../kernel/errors.js';
import type { ConnectionOutcome } from '../../lane/ports.js';
import {
  encryptMessage,
  MAX_PLAINTEXT_OCTETS,
  VAPID_LIFE_MS,
  type VapidKey,
} from '../../protocols/web-push/index.js';
import type { Bearer, BearerOutcome, CarriedItem } from '../../push/ports.js';
import type { Sir } from '../../push/sir.js';
import type { Binding } from '../../registry/binding.js';
import type { PublicUserIdentity } from '../../registry/public-user-identity.js';
import type { SubscriptionKeys, Terminal } from '../../registry/user.js';
import type { GuardedHttp } from '../../transports/guarded-http/guarded-http.js';
import { Pauses } from '../pauses.js';
import { type ServiceAnswer, serviceAnswer } from '../service-answer.js';
import type { SirSender } from '../sir-body.js';
import { wakeEvent } from '../wake-event.js';
import { pushEvent } from './push-event.js';

export interface WebPushBearerPorts {
  readonly http: Pick<GuardedHttp, 'request'>;
  /** Live bindings, newest first. */
  readonly bindings: (user: PublicUserIdentity) => Promise<readonly Binding[]>;
  /** The subscription has ended: takes the activation method away. */
  readonly addressGone: (terminal: Terminal, address: string, reason: string) => Promise<void>;
  readonly clock: Pick<Clock, 'now'>;
  readonly randomBytes: RandomBytes;
}

export interface WebPushBearerOptions {
  readonly sender: SirSender;
  readonly key: VapidKey;
  /** Whom a push service may write to: mailto: or https:. */
  readonly subject: string;
}

interface Message {
  readonly body?: Uint8Array;
  readonly expiresAt: number;
  readonly urgency: 'high' | 'normal';
  /** Of messages with the same topic that wait for a browser the newest is kept (RFC 8030 §5.4). */
  readonly topic: string;
}

/** Four weeks: what push services keep at most. */
const MAX_TTL_SECONDS = 2_419_200;
const MAX_TOKENS = 100;

export class WebPushBearer implements Bearer {
  readonly #ports: WebPushBearerPorts;
  readonly #options: WebPushBearerOptions;
  readonly #pauses: Pauses;
  readonly #tokens = new Map<string, { readonly value: string; readonly until: number }>();

  constructor(ports: WebPushBearerPorts, options: WebPushBearerOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#pauses = new Pauses(ports.clock);
  }

  async wake(terminal: Terminal, sir: Sir, given: string | undefined): Promise<BearerOutcome> {
    try {
      const url = given ?? (await this.#registeredEndpoint(terminal));
      if (url === undefined)
        return { kind: 'failed', detail: 'no subscription, and no registration with one' };
      const body = this.#encrypted(wakeEvent(terminal, sir, this.#options.sender), keysOf(terminal, given));
      const message = { ...body, expiresAt: sir.expiresAt, urgency: 'high', topic: 'wake' } as const;
      const { kind, detail, retryAt } = await this.#send(terminal, url, given, message);
      const later = retryAt === undefined ? {} : { retryAt };
      return { kind: kind === 'taken' ? 'handed' : 'failed', detail, address: new URL(url).origin, ...later };
    } catch (error) {
      return { kind: 'failed', detail: describeError(error) };
    }
  }

  async carry(terminal: Terminal, item: CarriedItem, given: string | undefined): Promise<ConnectionOutcome> {
    const keys = keysOf(terminal, given);
    if (given === undefined || keys === undefined)
      return { kind: 'unfit', detail: 'content cannot be encrypted for a subscription without keys' };
    if (item.confirmation === 'required')
      return { kind: 'unfit', detail: 'a push service does not confirm that the browser has it' };
    try {
      const { body } = this.#encrypted(pushEvent(item), keys);
      if (body === undefined) return { kind: 'unfit', detail: 'too large for Web Push' };
      const message = { body, expiresAt: item.expiresAt, urgency: 'normal', topic: item.id } as const;
      return carried(await this.#send(terminal, given, given, message));
    } catch (error) {
      return { kind: 'lost', detail: describeError(error) };
    }
  }

  isDown(given: string | undefined): boolean {
    return given !== undefined && this.#pauses.of(new URL(given).origin) !== undefined;
  }

  /** Pages read JSON: documents go out as they are. */
  readsText(): boolean {
    return true;
  }

  /** Nothing when it does not fit, or there is nobody to encrypt it for: a message without a body wakes too. */
  #encrypted(event: object, keys: SubscriptionKeys | undefined): Pick<Message, 'body'> {
    const plaintext = Buffer.from(JSON.stringify(event), 'utf8');
    if (keys === undefined || plaintext.length > MAX_PLAINTEXT_OCTETS) return {};
    return { body: encryptMessage(plaintext, keys, this.#ports.randomBytes) };
  }

  async #send(
    terminal: Terminal,
    url: string,
    given: string | undefined,
    { body, expiresAt, urgency, topic }: Message,
  ): Promise<ServiceAnswer> {
    const { http, clock, addressGone } = this.#ports;
    const { origin } = new URL(url);
    const pausedUntil = this.#pauses.of(origin);
    if (pausedUntil !== undefined)
      return { kind: 'notNow', detail: 'the push service asked to be left alone', retryAt: pausedUntil };
    const now = clock.now();
    const ttl = Math.min(Math.max(Math.ceil((expiresAt - now) / 1000), 0), MAX_TTL_SECONDS);
    const encrypted = { 'content-type': 'application/octet-stream', 'content-encoding': 'aes128gcm' };
    const headers = {
      authorization: this.#token(origin, now),
      ttl: String(ttl),
      urgency,
      topic,
      ...(body === undefined ? {} : encrypted),
    };
    const answer = await http.request({ method: 'POST', url, headers, body: body ?? new Uint8Array() });
    const told = serviceAnswer('the push service', answer, clock.now());
    this.#pauses.add(origin, told.retryAt);
    if (told.kind === 'gone' && given !== undefined) await addressGone(terminal, given, told.detail);
    return told;
  }

  /** One token serves until half of its life is over. */
  #token(origin: string, now: number): string {
    const kept = this.#tokens.get(origin);
    if (kept !== undefined && kept.until > now) return kept.value;
    const { key, subject } = this.#options;
    const value = key.authorization(origin, subject, now + VAPID_LIFE_MS);
    this.#tokens.delete(origin);
    this.#tokens.set(origin, { value, until: now + VAPID_LIFE_MS / 2 });
    const [oldest] = this.#tokens.keys();
    if (this.#tokens.size > MAX_TOKENS && oldest !== undefined) this.#tokens.delete(oldest);
    return value;
  }

  /** `pn-prid` of a registration is the subscription when the push service is Web Push (RFC 8599 §12). */
  async #registeredEndpoint(terminal: Terminal): Promise<string | undefined> {
    const registered = await this.#ports.bindings(terminal.user);
    const found = registered.find(
      (binding) => binding.terminal === terminal.id && binding.push?.provider === 'webpush',
    );
    const url = found?.push?.prid;
    return url !== undefined && URL.canParse(url) && new URL(url).protocol === 'https:' ? url : undefined;
  }
}

function keysOf({ activation }: Terminal, address: string | undefined): SubscriptionKeys | undefined {
  if (address === undefined) return undefined;
  return activation.find((method) => method.bearer === 'web-push' && method.address === address)?.keys;
}

function carried({ kind, detail, retryAt }: ServiceAnswer): ConnectionOutcome {
  switch (kind) {
    case 'taken':
      return { kind: 'handed', detail };
    case 'gone':
    case 'tooLarge':
      return { kind: 'unfit', detail };
    default:
      return { kind: 'lost', detail, ...(retryAt === undefined ? {} : { retryAt }) };
  }
}
