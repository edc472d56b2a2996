/** Where an initiator takes result notifications: an HTTP server that keeps what it is sent and answers as the test says. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { XMLParser } from 'fast-xml-parser';
import { PATIENCE_MS } from './e2e-gateway.js';

export interface ResultNotification {
  readonly pushId: string;
  readonly state: string;
  readonly code: number;
  readonly address: string;
  readonly document: string;
}

const parser = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: '' });

export class ResultServer implements AsyncDisposable {
  readonly received: ResultNotification[] = [];
  /** HTTP status of the answer to each notification. */
  answer: (notification: ResultNotification) => number = () => 200;
  readonly #server: Server;
  readonly #listeners = new Set<() => void>();

  private constructor() {
    this.#server = createServer((request, response) => {
      let text = '';
      request.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      request.on('end', () => {
        const notification = readNotification(text);
        this.received.push(notification);
        response.writeHead(this.answer(notification)).end();
        for (const look of [...this.#listeners]) look();
      });
    });
  }

  static async start(): Promise<ResultServer> {
    const server = new ResultServer();
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get url(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/result`;
  }

  /** Notifications about a push, once there are this many of them. */
  about(pushId: string, count = 1): Promise<readonly ResultNotification[]> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = this.received.filter((notification) => notification.pushId === pushId);
        if (found.length < count) return;
        clearTimeout(timer);
        this.#listeners.delete(look);
        resolve(found);
      };
      const timer = setTimeout(() => {
        this.#listeners.delete(look);
        reject(new Error(`fewer than ${count} notifications about ${pushId}`));
      }, PATIENCE_MS);
      this.#listeners.add(look);
      look();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function readNotification(document: string): ResultNotification {
  const { pap } = parser.parse(document) as {
    pap: { 'resultnotification-message': { [name: string]: unknown } };
  };
  const message = pap['resultnotification-message'];
  const address = message['address'] as { readonly 'address-value': string };
  return {
    pushId: String(message['push-id']),
    state: String(message['message-state']),
    code: Number(message['code']),
    address: address['address-value'],
    document,
  };
}
