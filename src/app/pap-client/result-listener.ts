/**
 * Listens for result notifications (PAP §9.4): the gateway POSTs one when a push has come to its end for an address. Each is
 * acknowledged with a `resultnotification-response`; a repetition of one that was lost on the way is acknowledged again.
 * On loopback only: it is for the initiator's own machine.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { DecodeError, DeliveryError, describeError } from '../../kernel/errors.js';
import {
  decodePap,
  encodePap,
  type PapValidator,
  type ResultNotificationMessage,
} from '../../protocols/pap/index.js';

export interface ResultListener extends AsyncDisposable {
  /** What goes into `ppg-notify-requested-to`. */
  readonly url: string;
  /** Notifications so far, in the order in which they came. */
  readonly received: readonly ResultNotificationMessage[];
}

const MAX_BODY_BYTES = 64 * 1024;

/** Rejects with DeliveryError when the port cannot be had. Port 0 takes a free one. */
export async function listenForResults(options: {
  readonly port: number;
  readonly validator: PapValidator;
  readonly onResult: (result: ResultNotificationMessage) => void;
}): Promise<ResultListener> {
  const received: ResultNotificationMessage[] = [];
  const server = createServer((request, response) => {
    receive(request, response, options.validator).then(
      (result) => {
        if (result === undefined) return;
        received.push(result);
        options.onResult(result);
      },
      () => response.destroy(),
    );
  });
  server.requestTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new DeliveryError(
          'unreachable',
          `port ${options.port} cannot be listened on: ${describeError(cause)}`,
          {
            cause,
          },
        ),
      ),
    );
    server.listen(options.port, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : options.port;
  return {
    url: `http://127.0.0.1:${port}/result`,
    received,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Answers one request; the notification in it, when there is one. */
async function receive(
  request: IncomingMessage,
  response: ServerResponse,
  validator: PapValidator,
): Promise<ResultNotificationMessage | undefined> {
  if (request.method !== 'POST') return refuse(response, 405);
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > MAX_BODY_BYTES) return refuse(response, 413);
    pieces.push(piece);
  }
  try {
    const { operation, version } = decodePap(Buffer.concat(pieces), { validator });
    if (operation.kind !== 'resultnotification-message') return refuse(response, 400);
    const { pushId, addresses } = operation;
    response.writeHead(202, { 'Content-Type': 'application/xml' });
    response.end(
      encodePap({ kind: 'resultnotification-response', pushId, code: 1000, addresses }, { version }),
    );
    return operation;
  } catch (error) {
    if (error instanceof DecodeError) return refuse(response, 400);
    throw error;
  }
}

function refuse(response: ServerResponse, status: number): undefined {
  response.writeHead(status, { Connection: 'close' }).end();
  return undefined;
}
