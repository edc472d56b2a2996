/**
 * WebSocket requests on an HTTP server (RFC 6455 §4.2): handed to whoever serves their path. Node takes every request that offers an
 * upgrade of any kind out of its HTTP processing once somebody listens for one, and clients offer `h2c` as a matter of course: those
 * are put back without the offer, which a server may ignore (RFC 9110 §7.8).
 */
import type { IncomingMessage, Server } from 'node:http';
import { Server as HttpsServer } from 'node:https';
import type { Duplex } from 'node:stream';

export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** Returns the connections that are somebody else's from then on. */
export function handOverWebSockets(
  server: Server,
  takers: Readonly<Record<string, Upgrade>>,
): ReadonlySet<Duplex> {
  const handedOver = new Set<Duplex>();
  if (Object.keys(takers).length === 0) return handedOver;
  server.on('upgrade', (request, socket, head) => {
    const take = takers[request.url?.split('?', 1)[0] ?? ''];
    if (take === undefined || request.headers.upgrade?.toLowerCase() !== 'websocket') {
      putBack(server, request, socket, head);
      return;
    }
    handedOver.add(socket);
    socket.once('close', () => handedOver.delete(socket));
    take(request, socket, head);
  });
  return handedOver;
}

function putBack(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const { method, url, httpVersion, rawHeaders } = request;
  let text = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name = '', value = ''] = [rawHeaders[index], rawHeaders[index + 1]];
    const kept = keptOf(name.toLowerCase(), value);
    if (kept !== undefined) text += `${name}: ${kept}\r\n`;
  }
  socket.unshift(Buffer.concat([Buffer.from(`${text}\r\n`, 'latin1'), head]));
  server.emit(server instanceof HttpsServer ? 'secureConnection' : 'connection', socket);
}

function keptOf(name: string, value: string): string | undefined {
  if (name === 'upgrade' || name === 'http2-settings') return undefined;
  if (name !== 'connection') return value;
  const options = value.split(',').map((option) => option.trim());
  const kept = options.filter((option) => !/^(?:upgrade|http2-settings)$/i.test(option));
  return kept.length === 0 ? undefined : kept.join(', ');
}
