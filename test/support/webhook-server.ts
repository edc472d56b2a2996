/**
 * Where an initiator takes webhooks: an HTTP server that keeps what it is sent, checks the signature as its author would write it
 * from the Standard Webhooks text (nothing of the gateway's own is used), and answers as the test says.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedWebhook {
  readonly id: string;
  readonly isSigned: boolean;
  /** How far its timestamp lies from our clock, seconds. */
  readonly ageSeconds: number;
  readonly body: string;
  readonly event: { readonly [name: string]: unknown };
}

export class WebhookServer implements AsyncDisposable {
  readonly received: ReceivedWebhook[] = [];
  /** HTTP status of the answer to each webhook. */
  answer: (webhook: ReceivedWebhook) => number = () => 204;
  answerHeaders: Readonly<Record<string, string>> = {};
  readonly secret = `whsec_${Buffer.from('a secret of thirty-two octets...').toString('base64')}`;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer(async (request, response) => {
      const pieces: Buffer[] = [];
      for await (const piece of request) pieces.push(piece as Buffer);
      const webhook = this.#read(request.headers, Buffer.concat(pieces));
      this.received.push(webhook);
      response.writeHead(this.answer(webhook), this.answerHeaders).end();
    });
  }

  static async start(): Promise<WebhookServer> {
    const server = new WebhookServer();
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  #read(headers: IncomingHttpHeaders, body: Buffer): ReceivedWebhook {
    const [id = '', timestamp = '', signatures = ''] = ['id', 'timestamp', 'signature'].map((name) =>
      String(headers[`webhook-${name}`]),
    );
    const key = Buffer.from(this.secret.slice('whsec_'.length), 'base64');
    const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]);
    const expected = createHmac('sha256', key).update(signed).digest();
    const isSigned = signatures.split(' ').some((signature) => {
      const given = Buffer.from(signature.replace(/^v1,/, ''), 'base64');
      return given.length === expected.length && timingSafeEqual(given, expected);
    });
    const text = body.toString('utf8');
    const ageSeconds = Math.abs(Date.now() / 1000 - Number(timestamp));
    return { id, isSigned, ageSeconds, body: text, event: JSON.parse(text) as ReceivedWebhook['event'] };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
