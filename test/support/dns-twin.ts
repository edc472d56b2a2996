/** A DNS server on loopback that knows a few NAPTR and SRV records (RFC 1035, RFC 2915, RFC 2782), for what only real questions show. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { NaptrRecord, SrvRecord } from '../../src/transports/sip-stack/name-service.js';

const NAPTR = 35;
const SRV = 33;
const NO_SUCH_NAME = 3;

export interface Zone {
  readonly naptr?: Readonly<Record<string, readonly NaptrRecord[]>>;
  readonly srv?: Readonly<Record<string, readonly SrvRecord[]>>;
}

export class DnsTwin implements AsyncDisposable {
  /** Names that were asked for, with the number of the type, in order. */
  readonly questions: string[] = [];
  readonly #socket: Socket;

  private constructor(socket: Socket, zone: Zone) {
    this.#socket = socket;
    socket.on('message', (query, from) => socket.send(this.#answer(query, zone), from.port, from.address));
  }

  static async start(zone: Zone): Promise<DnsTwin> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new DnsTwin(socket, zone);
  }

  get server(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  #answer(query: Buffer, zone: Zone): Buffer {
    let end = 12;
    const labels: string[] = [];
    for (let length = query.readUInt8(end); length > 0; length = query.readUInt8(end)) {
      labels.push(query.toString('latin1', end + 1, end + 1 + length));
      end += length + 1;
    }
    const name = labels.join('.').toLowerCase();
    const type = query.readUInt16BE(end + 1);
    this.questions.push(`${type} ${name}`);
    const records =
      type === NAPTR
        ? zone.naptr?.[name]?.map(naptrData)
        : type === SRV
          ? zone.srv?.[name]?.map(srvData)
          : undefined;
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(0x8580 | (records === undefined ? NO_SUCH_NAME : 0), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records?.length ?? 0, 6);
    const answers = (records ?? []).map((rdata) => {
      // The name by a pointer to the question, class IN, a minute to live.
      const head = Buffer.from([
        0xc0,
        12,
        type >> 8,
        type & 0xff,
        0,
        1,
        0,
        0,
        0,
        60,
        rdata.length >> 8,
        rdata.length & 0xff,
      ]);
      return Buffer.concat([head, rdata]);
    });
    return Buffer.concat([header, query.subarray(12, end + 5), ...answers]);
  }
}

function naptrData({ order, preference, flags, service, replacement }: NaptrRecord): Buffer {
  const texts = [flags, service, ''].map((text) =>
    Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]),
  );
  return Buffer.concat([word(order), word(preference), ...texts, domain(replacement)]);
}

function srvData({ name, port, priority, weight }: SrvRecord): Buffer {
  return Buffer.concat([word(priority), word(weight), word(port), domain(name)]);
}

function word(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}

function domain(name: string): Buffer {
  const labels = name === '' ? [] : name.split('.');
  const parts = labels.map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  return Buffer.concat([...parts, Buffer.from([0])]);
}
