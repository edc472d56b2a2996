/**
 * A push service written from RFC 8030 and RFC 8292: subscriptions as capability URLs, messages kept for a browser by topic, the token of
 * the sender verified under the key of the subscription. Over TLS, because subscriptions are https. Nothing of the gateway's own is used.
 */
import { createPublicKey, randomBytes, verify } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TestCertificate } from './test-ca.js';
import { browserKeys } from './web-push-browser.js';

export interface PushMessage {
  readonly ttl: number;
  readonly urgency: string;
  readonly topic: string | undefined;
  /** What the browser's page gets; undefined for a message without a body. */
  readonly text: string | undefined;
  readonly octets: number;
}

export class BrowserSubscription {
  readonly endpoint: string;
  readonly keys: { readonly p256dh: string; readonly auth: string };
  readonly messages: PushMessage[] = [];
  readonly decrypt: (body: Uint8Array) => Buffer;
  /** It has ended: its URL is answered 410. */
  isOver = false;

  constructor(endpoint: string) {
    const { keys, decrypt } = browserKeys();
    this.endpoint = endpoint;
    this.keys = keys;
    this.decrypt = decrypt;
  }

  /** What a page gets that was closed meanwhile: of each topic the newest. */
  get kept(): readonly PushMessage[] {
    const newest = new Map(this.messages.map((message, index) => [message.topic ?? String(index), message]));
    return [...newest.values()];
  }
}

export class PushService implements AsyncDisposable {
  /** Why requests were refused. */
  readonly refused: string[] = [];
  /** Answers instead, and header fields for that. */
  status: number | undefined;
  headers: Readonly<Record<string, string>> = {};
  /** VAPID key that subscriptions are restricted to, once known. */
  applicationServerKey: string | undefined;
  readonly #server: Server;
  readonly #subscriptions = new Map<string, BrowserSubscription>();

  private constructor({ cert, key }: TestCertificate) {
    this.#server = createServer({ cert, key }, async (request, response) => {
      const pieces: Buffer[] = [];
      for await (const piece of request) pieces.push(piece as Buffer);
      const status = this.#take(
        request.url ?? '',
        request.method ?? '',
        request.headers,
        Buffer.concat(pieces),
      );
      response.writeHead(status, this.headers).end();
    });
  }

  static async start(certificate: TestCertificate): Promise<PushService> {
    const service = new PushService(certificate);
    service.#server.listen(0, '127.0.0.1');
    await once(service.#server, 'listening');
    return service;
  }

  get origin(): string {
    return `https://localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  subscribe(): BrowserSubscription {
    const path = `/push/${randomBytes(12).toString('base64url')}`;
    const subscription = new BrowserSubscription(`${this.origin}${path}`);
    this.#subscriptions.set(path, subscription);
    return subscription;
  }

  #take(path: string, method: string, headers: IncomingHttpHeaders, body: Buffer): number {
    if (this.status !== undefined) return this.status;
    const subscription = this.#subscriptions.get(path);
    if (!subscription) return 404;
    if (subscription.isOver) return 410;
    const wrong = this.#whatIsWrong(method, headers, body);
    if (wrong !== undefined) {
      this.refused.push(wrong);
      return wrong === 'too large' ? 413 : 400;
    }
    const { ttl, urgency = 'normal', topic } = headers;
    subscription.messages.push({
      ttl: Number(ttl),
      urgency: String(urgency),
      topic: topic === undefined ? undefined : String(topic),
      text: body.length === 0 ? undefined : subscription.decrypt(body).toString('utf8'),
      octets: body.length,
    });
    return 201;
  }

  #whatIsWrong(method: string, headers: IncomingHttpHeaders, body: Buffer): string | undefined {
    const { ttl, urgency, topic, authorization = '' } = headers;
    if (method !== 'POST') return 'not a POST';
    if (!/^\d+$/.test(String(ttl))) return 'no TTL';
    if (urgency !== undefined && !/^(?:very-low|low|normal|high)$/.test(String(urgency)))
      return 'bad urgency';
    if (topic !== undefined && !/^[A-Za-z0-9_-]{1,32}$/.test(String(topic))) return 'bad topic';
    if (body.length > 4096) return 'too large';
    if (body.length > 0 && headers['content-encoding'] !== 'aes128gcm') return 'bad content coding';
    return this.#whatIsWrongWith(authorization);
  }

  #whatIsWrongWith(authorization: string): string | undefined {
    const [, token = '', key = ''] = /^vapid t=([^, ]+), ?k=([A-Za-z0-9_-]+)$/.exec(authorization) ?? [];
    if (key === '') return 'no VAPID';
    if (this.applicationServerKey !== undefined && key !== this.applicationServerKey) return 'another key';
    const [header = '', claims = '', signature = ''] = token.split('.');
    const point = Buffer.from(key, 'base64url');
    const x = point.subarray(1, 33).toString('base64url');
    const y = point.subarray(33).toString('base64url');
    const publicKey = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' });
    const signed = Buffer.from(`${header}.${claims}`);
    const how = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const;
    if (!verify('sha256', signed, how, Buffer.from(signature, 'base64url'))) return 'bad signature';
    const { aud, sub } = JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')) as Record<
      string,
      string
    >;
    if (aud !== this.origin) return `for ${aud}`;
    return /^(?:mailto:|https:)/.test(sub ?? '') ? undefined : 'no subject';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
