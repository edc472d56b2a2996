/** The HTTP server of a terminal that answers by OTA-HTTP: for its listener, and for a connection that it opened itself. */
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { HeaderField } from '../protocols/mime/index.js';
import { OTA_HTTP_LIMITS } from '../protocols/ota-http/index.js';
import type { OtaResponder } from './ota-http-responder.js';

/** `more`: header fields for the answer to a registration, from those of the request. */
export function otaServer(
  responder: OtaResponder,
  more: (headers: readonly HeaderField[]) => readonly HeaderField[] = () => [],
): Server {
  return createServer(otaListener(responder, more));
}

export function otaListener(
  responder: OtaResponder,
  more: (headers: readonly HeaderField[]) => readonly HeaderField[] = () => [],
): RequestListener {
  return async (request, response) => {
    try {
      const body = await bodyOf(request);
      if (body === undefined) return void response.writeHead(413, { connection: 'close' }).end();
      const headers = headersOf(request);
      const { method = '', url = '' } = request;
      const answer = await responder.answer({ method, target: url, headers, body }, more(headers));
      response.writeHead(
        answer.status,
        answer.headers.flatMap(({ name, value }) => [name, value]),
      );
      response.end();
    } catch {
      response.destroy(); // the connection broke, or the answer cannot be written: the sender tries again
    }
  };
}

function headersOf({ rawHeaders }: IncomingMessage): readonly HeaderField[] {
  const names = rawHeaders.filter((_, index) => index % 2 === 0);
  return names.map((name, index) => ({ name, value: rawHeaders[2 * index + 1] ?? '' }));
}

/** Undefined when it is longer than a terminal takes. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const most = OTA_HTTP_LIMITS.maxContentBytes + OTA_HTTP_LIMITS.maxHeadBytes;
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of request.iterator({ destroyOnReturn: false })) {
    size += (piece as Buffer).length;
    if (size > most) return undefined;
    pieces.push(piece as Buffer);
  }
  return Buffer.concat(pieces);
}
