/** Two ends of WTP and a network between them that loses, doubles and delays what the test says. The clock is the test's own. */
import { decodeWtp, encodeWtp, type WtpPdu } from '../../src/protocols/wtp/index.js';
import type { DatagramPeer } from '../../src/transports/datagram/datagram-socket.js';
import type { IncomingTransaction } from '../../src/transports/wtp/responder-transaction.js';
import { WtpEndpoint } from '../../src/transports/wtp/wtp-endpoint.js';
import type { WtpOptions } from '../../src/transports/wtp/wtp-options.js';
import { FakeClock } from './fake-clock.js';
import { seededRandom } from './seeded-random.js';

export const CLIENT: DatagramPeer = { address: '192.0.2.7', port: 49_200 };
export const SERVER: DatagramPeer = { address: '192.0.2.1', port: 9201 };

export interface Passed {
  readonly from: 'client' | 'server';
  readonly pdu: WtpPdu;
}

export interface WtpNetworkOptions {
  readonly wtp?: Partial<WtpOptions>;
  /** Whether a datagram is lost; `index` counts all of both directions. */
  readonly loses?: (passed: Passed, index: number) => boolean;
  /** What the server does with a request; default: class 1 is acknowledged, class 2 is answered with what it brought. */
  readonly serve?: (transaction: IncomingTransaction) => void;
}

export class WtpNetwork {
  readonly clock = new FakeClock();
  readonly client: WtpEndpoint;
  readonly server: WtpEndpoint;
  /** Everything that was sent, lost or not. */
  readonly passed: Passed[] = [];
  /** Payloads that reached the server, with their class. */
  readonly served: { readonly transactionClass: number; readonly payload: Buffer }[] = [];
  readonly refused: string[] = [];
  readonly #loses: NonNullable<WtpNetworkOptions['loses']>;

  constructor({ wtp = {}, loses = () => false, serve = answer }: WtpNetworkOptions = {}) {
    this.#loses = loses;
    const random = seededRandom(7);
    const end = (onInvoked: (transaction: IncomingTransaction) => void, name: Passed['from']) =>
      new WtpEndpoint(
        {
          clock: this.clock,
          randomBytes: (size) => Uint8Array.from({ length: size }, () => random.below(256)),
          send: (octets, to) => this.#carry(octets, to, name),
          onInvoked,
          onDatagram: (payload) => this.served.push({ transactionClass: 0, payload: Buffer.from(payload) }),
          onRefused: (reason) => this.refused.push(reason),
        },
        wtp,
      );
    this.client = end(() => undefined, 'client');
    this.server = end((transaction) => {
      const { transactionClass, payload } = transaction;
      this.served.push({ transactionClass, payload: Buffer.from(payload) });
      serve(transaction);
    }, 'server');
  }

  /** PDUs of one kind that one end sent. */
  sent<Kind extends WtpPdu['kind']>(
    from: Passed['from'],
    kind: Kind,
  ): readonly Extract<WtpPdu, { kind: Kind }>[] {
    return this.passed
      .filter((one) => one.from === from && one.pdu.kind === kind)
      .map(({ pdu }) => pdu as Extract<WtpPdu, { kind: Kind }>);
  }

  /** A PDU out of the blue. */
  inject(pdu: WtpPdu, to: 'client' | 'server'): void {
    if (to === 'server') this.server.receive(encodeWtp(pdu), CLIENT);
    else this.client.receive(encodeWtp(pdu), SERVER);
  }

  #carry(octets: Uint8Array, to: DatagramPeer, from: Passed['from']): void {
    const copy = Buffer.from(octets);
    for (const pdu of decodeWtp(copy)) this.passed.push({ from, pdu });
    const passed = this.passed.at(-1);
    if (passed && this.#loses(passed, this.passed.length - 1)) return;
    const receiver = to === SERVER || to.port === SERVER.port ? this.server : this.client;
    queueMicrotask(() => receiver.receive(copy, from === 'client' ? CLIENT : SERVER));
  }
}

function answer(transaction: IncomingTransaction): void {
  if (transaction.transactionClass === 1) transaction.acknowledge();
  else void transaction.reply(transaction.payload);
}
