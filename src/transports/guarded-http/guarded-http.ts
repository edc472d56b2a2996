/**
 * HTTP requests to addresses that others chose, and that are therefore hostile: only http and https, no redirects, bounded time and
 * answer, a bounded number under way to one host, and no address inside our own networks unless the operator allows it. The
 * address that was checked is the one that is connected to, so a name cannot change its mind in between. What a status means is
 * for the caller.
 */
import { lookup as resolveName } from 'node:dns';
import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { DeliveryError } from '../../kernel/errors.js';
import { KIB, SECOND_MS } from '../../kernel/units.js';
import { isPublicAddress } from './public-address.js';

export interface GuardedHttpOptions {
  readonly timeoutMs: number;
  readonly allowPrivateAddresses: boolean;
  /** Key of the configuration that decides about private addresses: named in a refusal. */
  readonly setting: string;
  /** Requests under way to one host; a slow one does not hold up the others. */
  readonly maxPerHost: number;
  /** For https: CAs besides those of the system, and the certificate that we show. Everything in PEM. */
  readonly tls?: { readonly ca?: readonly string[]; readonly cert?: Buffer; readonly key?: Buffer };
}

export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

export interface HttpAnswer {
  readonly status: number;
  /** In the order of the answer, repeated ones repeated. */
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly body: Uint8Array;
}

const MAX_ANSWER_BYTES = 64 * KIB;
/** How long a connection waits for the next request. */
const IDLE_MS = 30 * SECOND_MS;
const MAX_IDLE_PER_HOST = 16;

export class GuardedHttp {
  readonly #options: GuardedHttpOptions;
  readonly #agents: { readonly 'http:': HttpAgent; readonly 'https:': HttpsAgent };
  readonly #underWay = new Map<string, number>();

  constructor(options: GuardedHttpOptions) {
    this.#options = options;
    const pool = { keepAlive: true, maxFreeSockets: MAX_IDLE_PER_HOST, timeout: IDLE_MS };
    const { ca, cert, key } = options.tls ?? {};
    this.#agents = {
      'http:': new HttpAgent(pool),
      'https:': new HttpsAgent({
        ...pool,
        minVersion: 'TLSv1.2',
        ...(ca === undefined ? {} : { ca: [...ca] }),
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key }),
      }),
    };
  }

  /**
   * Resolves with whatever was answered. Rejects with DeliveryError: `forbidden` (never again) for a URL that may not be called,
   * `busy` when nothing was sent because enough is under way to the host, `timeout`, `unreachable`. A connection that turns out
   * to be closed when it is used again is replaced once; so the other side may see a request twice, as after any lost answer.
   */
  async request(request: HttpRequest): Promise<HttpAnswer> {
    const target = this.#checked(request.url);
    const count = this.#underWay.get(target.host) ?? 0;
    if (count >= this.#options.maxPerHost)
      throw new DeliveryError('busy', `too many requests under way to ${target.host}`);
    this.#underWay.set(target.host, count + 1);
    try {
      const signal = AbortSignal.timeout(this.#options.timeoutMs);
      const answer = await this.#send(target, request, signal, { mayRepeat: true });
      return answer ?? (await this.#send(target, request, signal, { mayRepeat: false })) ?? never();
    } finally {
      const left = (this.#underWay.get(target.host) ?? 1) - 1;
      if (left > 0) this.#underWay.set(target.host, left);
      else this.#underWay.delete(target.host);
    }
  }

  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }

  #checked(url: string): URL {
    const target = URL.canParse(url) ? new URL(url) : undefined;
    if (!target || (target.protocol !== 'http:' && target.protocol !== 'https:')) {
      throw new DeliveryError('forbidden', 'not an http or https URL', { retry: 'never' });
    }
    const literal = target.hostname.replace(/^\[|\]$/g, '');
    if (isIP(literal) && !this.#allows(literal)) throw this.#privateAddress(literal);
    return target;
  }

  #allows(address: string): boolean {
    return this.#options.allowPrivateAddresses || isPublicAddress(address);
  }

  #privateAddress(address: string): DeliveryError {
    const detail = `${address} is not a public address; ${this.#options.setting} would allow it`;
    return new DeliveryError('forbidden', detail, { retry: 'never' });
  }

  /** Resolves a name and keeps only addresses that may be called. */
  readonly #lookup: LookupFunction = (hostname, options, callback) => {
    resolveName(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, '', 0);
      const allowed = found.filter(({ address }) => this.#allows(address));
      const [first] = allowed;
      if (!first) return callback(this.#privateAddress(hostname), '', 0);
      if (options.all) return callback(null, allowed);
      return callback(null, first.address, first.family);
    });
  };

  /** Undefined when an idle connection turned out to be closed and the request may be repeated on another one. */
  async #send(
    target: URL,
    { method, headers, body }: HttpRequest,
    signal: AbortSignal,
    { mayRepeat }: { readonly mayRepeat: boolean },
  ): Promise<HttpAnswer | undefined> {
    const isSecure = target.protocol === 'https:';
    const { timeoutMs } = this.#options;
    const length = body === undefined ? {} : { 'content-length': String(body.length) };
    return new Promise<HttpAnswer | undefined>((resolve, reject) => {
      const sent = (isSecure ? httpsRequest : httpRequest)(target, {
        method,
        agent: isSecure ? this.#agents['https:'] : this.#agents['http:'],
        lookup: this.#lookup,
        signal,
        headers: { ...headers, ...length, connection: 'keep-alive' },
      });
      let isAnswered = false;
      const fail = (error: NodeJS.ErrnoException) => {
        if (mayRepeat && !isAnswered && isStale(sent, error)) resolve(undefined);
        else reject(deliveryError(error, timeoutMs));
      };
      sent.on('response', (answer) => {
        isAnswered = true;
        readAnswer(answer, sent, resolve, fail);
      });
      sent.on('error', fail);
      sent.end(body);
    });
  }
}

function readAnswer(
  answer: IncomingMessage,
  sent: ClientRequest,
  resolve: (answer: HttpAnswer) => void,
  fail: (error: NodeJS.ErrnoException) => void,
): void {
  const pieces: Buffer[] = [];
  let size = 0;
  answer.on('data', (piece: Buffer) => {
    size += piece.length;
    if (size <= MAX_ANSWER_BYTES) pieces.push(piece);
    else sent.destroy(new Error('the answer is too long'));
  });
  answer.on('error', fail);
  answer.on('end', () =>
    resolve({ status: answer.statusCode ?? 0, headers: headersOf(answer), body: Buffer.concat(pieces) }),
  );
}

function headersOf({ rawHeaders }: IncomingMessage): HttpAnswer['headers'] {
  const names = rawHeaders.filter((_, index) => index % 2 === 0);
  return names.map((name, index) => ({ name, value: rawHeaders[2 * index + 1] ?? '' }));
}

/** The far end closed the idle connection at the moment in which it was used again. */
function isStale(sent: ClientRequest, { code }: NodeJS.ErrnoException): boolean {
  return sent.reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE');
}

function deliveryError(error: Error, timeoutMs: number): DeliveryError {
  if (error instanceof DeliveryError) return error;
  if (error.name === 'TimeoutError' || error.name === 'AbortError')
    return new DeliveryError('timeout', `no answer within ${timeoutMs} ms`, { cause: error });
  return new DeliveryError('unreachable', error.message, { cause: error });
}

function never(): never {
  throw new DeliveryError('unreachable', 'the connection was closed');
}
