/** Stacks and raw peers on loopback for the tests of the SIP layer. Everything opened here is closed by `closeAll`. */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createSipStack } from '../../../src/transports/sip-stack/create-sip-stack.js';
import type {
  ServerRequest,
  SipFlow,
  SipLogEvent,
  SipStack,
  SipStackOptions,
} from '../../../src/transports/sip-stack/sip-stack.js';

export const opened: (() => Promise<unknown> | unknown)[] = [];

export async function closeAll(): Promise<void> {
  for (const close of opened.splice(0).reverse()) await close();
}

export interface TestStack {
  readonly stack: SipStack;
  readonly udp: SipFlow;
  readonly tcp: SipFlow;
  readonly log: SipLogEvent[];
}

/** `prepare` registers handlers before it listens. */
async function listening(
  options: Partial<SipStackOptions>,
  prepare: (stack: SipStack) => void,
): Promise<Pick<TestStack, 'stack' | 'log'>> {
  const log: SipLogEvent[] = [];
  const stack = createSipStack({
    listen: [],
    product: 'Carillon-Test',
    log: (event) => log.push(event),
    ...options,
  });
  prepare(stack);
  await stack.listen();
  opened.push(() => stack.close());
  return { stack, log };
}

export interface AnsweringStack extends Pick<TestStack, 'stack' | 'log'> {
  /** Every MESSAGE that it was sent. */
  readonly seen: Inbox<ServerRequest>;
}

/** A stack that answers MESSAGE 200, and listens where the options say. */
export async function openAnswering(options: Partial<SipStackOptions>): Promise<AnsweringStack> {
  const seen = new Inbox<ServerRequest>();
  const started = await listening(options, (stack) =>
    stack.onRequest('MESSAGE', (request) => {
      seen.push(request);
      request.respond(200);
    }),
  );
  return { ...started, seen };
}

/** A stack that only connects. */
export function openClient(options: Partial<SipStackOptions>): SipStack {
  const stack = createSipStack({ listen: [], product: 'client', ...options });
  opened.push(() => stack.close());
  return stack;
}

export const messageTo = (uri: string) =>
  ({ method: 'MESSAGE', uri, from: 'sip:ppg@example.test', to: 'sip:alice@example.test' }) as const;

/** A stack with one UDP and one TCP listener on 127.0.0.1. `prepare` registers handlers before it listens. */
export async function openStack(
  options: Partial<SipStackOptions> = {},
  prepare: (stack: SipStack) => void = () => {},
): Promise<TestStack> {
  const { stack, log } = await listening(
    {
      listen: [
        { transport: 'udp', host: '127.0.0.1', port: 0 },
        { transport: 'tcp', host: '127.0.0.1', port: 0 },
      ],
      ...options,
    },
    prepare,
  );
  const flow = (transport: string): SipFlow => {
    const found = stack.bound.find((bound) => bound.transport === transport);
    if (found === undefined) throw new Error(`no ${transport} listener`);
    return found;
  };
  return { stack, udp: flow('udp'), tcp: flow('tcp'), log };
}

/** A queue that can be awaited: what a peer has received so far and what comes next. */
export class Inbox<T> {
  readonly #items: T[] = [];
  readonly #waiting: ((item: T) => void)[] = [];

  push(item: T): void {
    const waiter = this.#waiting.shift();
    if (waiter === undefined) this.#items.push(item);
    else waiter(item);
  }

  next(): Promise<T> {
    const item = this.#items.shift();
    if (item !== undefined) return Promise.resolve(item);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  get length(): number {
    return this.#items.length;
  }
}

export interface RawUdpPeer {
  readonly port: number;
  readonly inbox: Inbox<string>;
  send(octets: string | Uint8Array, to: SipFlow): void;
}

/** A UDP socket without any SIP in it. Received datagrams are byte strings. */
export async function openRawUdp(): Promise<RawUdpPeer> {
  const socket: UdpSocket = createSocket('udp4');
  const inbox = new Inbox<string>();
  socket.on('message', (octets) => inbox.push(octets.toString('latin1')));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  opened.push(() => new Promise<void>((resolve) => socket.close(() => resolve())));
  return {
    port: socket.address().port,
    inbox,
    send: (octets, to) => {
      const bytes = typeof octets === 'string' ? Buffer.from(octets, 'latin1') : octets;
      socket.send(bytes, to.port, to.address);
    },
  };
}

export interface RawTcpPeer {
  readonly socket: Socket;
  /** Everything received so far. */
  text(): string;
  /** Resolves when what was received matches. */
  until(pattern: RegExp): Promise<string>;
  closed: Promise<void>;
}

export async function openRawTcp(to: SipFlow): Promise<RawTcpPeer> {
  const socket = connect(to.port, to.address);
  await once(socket, 'connect');
  return adoptRawTcp(socket);
}

export function adoptRawTcp(socket: Socket): RawTcpPeer {
  let text = '';
  const waiting: { pattern: RegExp; resolve: (text: string) => void }[] = [];
  const check = () => {
    for (const waiter of [...waiting]) {
      if (!waiter.pattern.test(text)) continue;
      waiting.splice(waiting.indexOf(waiter), 1);
      waiter.resolve(text);
    }
  };
  socket.on('data', (octets) => {
    text += octets.toString('latin1');
    check();
  });
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  opened.push(() => socket.destroy());
  return {
    socket,
    text: () => text,
    until: (pattern) =>
      new Promise((resolve) => {
        waiting.push({ pattern, resolve });
        check();
      }),
    closed,
  };
}

/**
 * A request as text, from port 9 (discard) where a mutation loses its rport; `lines` replace the header of the same name or are added, an empty value removes it.
 */
export function requestText(
  method: string,
  headers: Record<string, string> = {},
  body = '',
  uri = 'sip:ppg@example.test',
): string {
  const id = Math.random().toString(36).slice(2);
  const all: Record<string, string> = {
    Via: `SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK${id};rport`,
    'Max-Forwards': '70',
    From: `<sip:alice@example.test>;tag=f${id}`,
    To: '<sip:ppg@example.test>',
    'Call-ID': `call-${id}`,
    CSeq: `1 ${method}`,
    ...(method === 'INVITE' ? { Contact: '<sip:alice@127.0.0.1:5999>' } : {}),
    'Content-Length': String(Buffer.byteLength(body, 'latin1')),
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) => (value === '' ? [] : [`${name}: ${value}`]));
  return `${method} ${uri} SIP/2.0\r\n${lines.join('\r\n')}\r\n\r\n${body}`;
}
