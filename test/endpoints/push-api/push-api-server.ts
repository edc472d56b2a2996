/**
 * The JSON API on a free port over real HTTP, on the real push journey with its stores in memory. Every answer is held to
 * `openapi.yaml` on the way, so a test that makes a request also tests the description.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'vitest';
import { factsTo } from '../../../src/app/facts.js';
import { pushApiPorts } from '../../../src/app/push-api-ports.js';
import { publicApplication } from '../../../src/endpoints/http/http-server.js';
import { pushApi } from '../../../src/endpoints/push-api/push-api.js';
import type { PushStore } from '../../../src/push/ports.js';
import type { AuthenticatedInitiator } from '../../../src/registry/initiator.js';
import { countEvents } from '../../../src/telemetry/event-metrics.js';
import { EventFeed } from '../../../src/telemetry/events.js';
import { createMetrics } from '../../../src/telemetry/metrics.js';
import { instead } from '../../support/instead.js';
import { answerErrors } from '../../support/openapi.js';
import { PushStage } from '../../support/push-stage.js';

/** Everybody's password. */
const PASSWORD = 'secret';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly json: { readonly [name: string]: unknown };
}

export interface Ask {
  readonly as?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** For requests outside the description. */
  readonly isDescribed?: false;
}

export class PushApiServer implements AsyncDisposable {
  readonly stage = new PushStage();
  readonly log: Record<string, unknown>[] = [];
  readonly metrics = createMetrics({ version: '0', processMetrics: false });
  /** What initiators may do, by id; these two are known. */
  readonly known = new Map<string, Partial<AuthenticatedInitiator>>([
    ['pi', {}],
    ['other', {}],
  ]);
  /** Methods of the push store that are done differently from now on. */
  readonly storeInstead: Partial<PushStore> = {};
  readonly #server: Server;

  private constructor() {
    const { stage } = this;
    const ports = {
      ...stage.submissionPorts,
      store: instead<PushStore>(stage.store, this.storeInstead),
      lanes: stage.lanes,
    };
    const { options } = stage;
    const feed = new EventFeed();
    feed.subscribe(countEvents(this.metrics));
    const api = pushApi(
      pushApiPorts(
        ports,
        options,
        async ({ basic, isEncrypted }) => {
          const rights = basic?.password === PASSWORD ? this.known.get(basic.username) : undefined;
          return basic && rights && { id: basic.username, method: 'password', isEncrypted, ...rights };
        },
        factsTo(feed),
        (line) => void this.log.push(Object.fromEntries(Object.entries(line))),
      ),
      { ...options, maxControlBytes: 16_384 },
    );
    this.#server = createServer(publicApplication([api], () => {}).callback());
  }

  static async start(): Promise<PushApiServer> {
    const server = new PushApiServer();
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  /** `body` goes out as JSON, unless it is text. */
  async ask(method: string, path: string, ask: Ask = {}): Promise<Answer> {
    const { as = 'pi', body, headers = {} } = ask;
    const { port } = this.#server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: {
        authorization: `Basic ${Buffer.from(`${as}:${PASSWORD}`).toString('base64')}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const contentType = response.headers.get('content-type') ?? '';
    if (ask.isDescribed !== false) {
      const asked = { method, path: path.split('?', 1)[0] ?? '' };
      expect(answerErrors(asked, { status: response.status, contentType, body: text })).toEqual([]);
    }
    const json = contentType.includes('json') ? (JSON.parse(text) as Answer['json']) : {};
    return { status: response.status, headers: response.headers, json };
  }

  submit(order: object, ask: Omit<Ask, 'body'> = {}): Promise<Answer> {
    return this.ask('POST', '/v1/pushes', { ...ask, body: order });
  }
}
