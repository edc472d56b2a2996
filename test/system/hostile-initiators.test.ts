/**
 * Push initiators that mean harm, or cannot do better, against the whole gateway. Beside each of them another initiator pushes to a
 * connected terminal all the time: its pushes go through, whatever the first one does, and the process stays the same and small.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { MIB } from '../../src/kernel/units.js';
import { E2eGateway, INITIATOR, when } from '../support/e2e-gateway.js';
import { addressOf, Initiator, papDocument, pushElement } from '../support/e2e-initiator.js';
import { instance, TerminalGuest } from '../support/e2e-terminal.js';
import { MULTIPART_TYPE, submissionBody } from '../support/pap.js';

const ALICE = 'sip:alice@carillon.test';
const BOB = 'sip:bob@carillon.test';
/** Where the harm comes from; the bystander calls from 127.0.0.1. */
const ATTACKER = '127.0.0.2';
/** Pushes that have to go through beside each attack. */
const BESIDE = 20;
/** What one attack may cost in memory: a fifth of what it sends. */
const MOST_GROWTH = 64 * MIB;

/** Nobody is known by this address. */
const NOBODY = addressOf('sip:nobody@carillon.test');
/** Large pushes that go before: a busy gateway has as many buffers to collect as V8 lets lie before it does. */
const BUSY = 160;

let gateway: E2eGateway;
let bystander: Bystander;
let pid: number;
const sockets: Socket[] = [];

/** Pushes to a connected terminal, one after the other, until it is told to stop. */
class Bystander {
  readonly #guest: TerminalGuest;
  readonly #done: Promise<void>;
  #isStopping = false;
  delivered = 0;

  private constructor(guest: TerminalGuest, initiator: Initiator) {
    this.#guest = guest;
    this.#done = this.#run(initiator);
  }

  static async start(): Promise<Bystander> {
    const guest = await TerminalGuest.start(gateway, { user: ALICE, instance: instance(1) });
    return new Bystander(guest, new Initiator(gateway));
  }

  async #run(initiator: Initiator): Promise<void> {
    while (!this.#isStopping) {
      const content = String(this.delivered);
      await initiator.push({ pushId: `beside-${content}@pi`, to: addressOf(ALICE), content });
      await this.#guest.after('content', this.delivered + 1);
      expect(this.#guest.texts.at(-1)).toBe(content);
      this.delivered += 1;
    }
  }

  /** Resolves when this many more pushes have reached the terminal; rejects when one does not. */
  async goesOn(count: number): Promise<void> {
    const wanted = this.delivered + count;
    const arrived = when(
      () => this.delivered,
      (delivered) => delivered >= wanted,
      'the bystander',
    );
    await Promise.race([arrived, this.#done.then(() => arrived)]);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#done;
    await this.#guest[Symbol.asyncDispose]();
  }
}

beforeAll(async () => {
  gateway = await E2eGateway.start({
    CARILLON_HTTP_HOST: '0.0.0.0',
    // Where HTTP is open, WebSocket is too, and nobody may register without a password unless that is said.
    CARILLON_SIP_REGISTRAR_ALLOW_WITHOUT_CREDENTIALS: 'true',
  });
  pid = gateway.pid;
  await gateway.addUser(ALICE, { phone: instance(1) });
  await gateway.addUser(BOB, { phone: instance(2) });
  bystander = await Bystander.start();
  await bystander.goesOn(BESIDE);
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});
afterAll(async () => {
  await bystander?.stop();
  await gateway?.[Symbol.asyncDispose]();
});

/** A connection of the attacker. What becomes of it is of no interest unless it is read. */
function open(): Socket {
  const socket = connect({ host: '127.0.0.1', port: gateway.ports.http, localAddress: ATTACKER });
  socket.on('error', () => {}); // a reset is an end like any other here
  sockets.push(socket);
  return socket;
}

const credentials = Buffer.from(`${INITIATOR.id}:${INITIATOR.password}`).toString('base64');

function request(body: Buffer, options: { type?: string; length?: number | 'chunked' } = {}): Buffer {
  const { type = MULTIPART_TYPE, length = body.length } = options;
  const framing = length === 'chunked' ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`;
  const head = `POST /pap HTTP/1.1\r\nHost: ppg.test\r\nAuthorization: Basic ${credentials}\r\nContent-Type: ${type}\r\n${framing}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

const submission = (pushId: string, operation = pushElement({ pushId, to: addressOf(BOB) })) =>
  submissionBody(papDocument(operation));

/** Everything that comes back until the server closes, or until `isEnough` of it. */
function answerTo(octets: Buffer, isEnough: (text: string) => boolean = () => false): Promise<string> {
  const socket = open();
  socket.write(octets);
  return read(socket, isEnough);
}

function read(socket: Socket, isEnough: (text: string) => boolean): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.setEncoding('latin1');
    socket.on('data', (piece: string) => {
      text += piece;
      if (isEnough(text)) resolve(text);
    });
    socket.on('close', () => resolve(text));
  });
}

const isOneAnswer = (text: string) => text.includes('</pap>');

/** Octets that the process has used at most, as the kernel counts them. */
function peakMemory(): number {
  const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kibibytes) * 1024;
}

/** Beside the attack, and after it, everybody else is served by the same process. */
async function everybodyElseIsServed(): Promise<void> {
  await bystander.goesOn(BESIDE);
  expect(gateway.pid).toBe(pid);
}

describe('senders that never finish', () => {
  it('half a request line, three hundred times', async () => {
    for (let count = 0; count < 300; count += 1) open().write('POST /pap HT');
    await everybodyElseIsServed();
  });

  it('half a body, two hundred times', async () => {
    const body = submission('half@pi');
    for (let count = 0; count < 200; count += 1) open().write(request(body, { length: body.length + 100 }));
    await everybodyElseIsServed();
  });

  it('one octet at a time', async () => {
    const octets = request(submission('slow@pi'));
    const slow = Array.from({ length: 50 }, open);
    for (let at = 0; at < 60; at += 1) {
      for (const socket of slow) socket.write(octets.subarray(at, at + 1));
      await bystander.goesOn(1);
    }
    await everybodyElseIsServed();
  });
});

it('one peer that opens every connection there is keeps nobody else out, and is told of in the log', async () => {
  for (let count = 0; count < 3000; count += 1) open();
  await when(
    () => gateway.log.some(({ msg, peer }) => msg === 'HTTP connections refused' && peer === ATTACKER),
    (isTold) => isTold,
    'the log line',
  );
  const newcomer = new Initiator(gateway);
  await newcomer.push({ pushId: 'newcomer@pi', to: addressOf(BOB) });
  await everybodyElseIsServed();
});

/** Waits until the socket takes more, or there is an answer: after that it goes on sending, as such peers do. */
async function roomOrAnswer(socket: Socket, answered: Promise<string>): Promise<void> {
  const waiting = new AbortController();
  const room = once(socket, 'drain', { signal: waiting.signal }).catch(() => {});
  await Promise.race([answered, room]);
  waiting.abort();
}

describe('senders of too much', () => {
  beforeAll(async () => {
    const initiator = new Initiator(gateway);
    const content = 'x'.repeat(MIB / 2);
    for (let count = 0; count < BUSY; count += 1) {
      const { code } = await initiator.submit({ pushId: `busy${count}@pi`, to: NOBODY, content });
      expect(code).toBe(2003);
    }
  });

  it('64 MiB each, twenty at once: answered before it is sent, and never kept', async () => {
    const piece = Buffer.alloc(MIB, 0x20);
    const before = peakMemory();
    const answers = Array.from({ length: 20 }, async () => {
      const socket = open();
      socket.write(request(submission('huge@pi'), { length: 64 * MIB }));
      const answered = read(socket, isOneAnswer);
      for (let sent = 0; sent < 16 && !socket.destroyed; sent += 1) {
        if (!socket.write(piece)) await roomOrAnswer(socket, answered);
      }
      return answered;
    });
    for (const answer of await Promise.all(answers))
      expect(answer).toMatch(/^HTTP\/1\.1 202 [\s\S]*code="2001"/);
    await everybodyElseIsServed();
    expect(peakMemory() - before).toBeLessThan(MOST_GROWTH);
  });

  it('chunks without end', async () => {
    const before = peakMemory();
    const chunk = Buffer.from(`${MIB.toString(16)}\r\n${' '.repeat(MIB)}\r\n`);
    const socket = open();
    socket.write(request(Buffer.alloc(0), { length: 'chunked' }));
    const answered = read(socket, isOneAnswer);
    for (let sent = 0; sent < 320 && !socket.destroyed; sent += 1) {
      if (!socket.write(chunk)) await roomOrAnswer(socket, answered);
    }
    expect(await answered).toMatch(/^HTTP\/1\.1 202 [\s\S]*badmessage-response[\s\S]*code="2000"/);
    await everybodyElseIsServed();
    expect(peakMemory() - before).toBeLessThan(MOST_GROWTH);
  });

  it('ten thousand addresses in one push', async () => {
    const to = Array.from({ length: 10_000 }, (_, index) => addressOf(`sip:u${index}@carillon.test`));
    const body = submission('', pushElement({ pushId: 'crowd@pi', to }));
    expect(await answerTo(request(body), isOneAnswer)).toMatch(/code="(?:3005|2001|2000)"/);
    await everybodyElseIsServed();
  });
});

describe('documents that are meant to hurt', () => {
  const element = pushElement({ pushId: 'hurt@pi', to: addressOf(BOB) });
  const lols = Array.from(
    { length: 12 },
    (_, depth) => `<!ENTITY l${depth + 1} "${`&l${depth};`.repeat(10)}">`,
  );
  const withSubset = (subset: string, content = element) =>
    `<?xml version="1.0"?><!DOCTYPE pap PUBLIC "-//WAPFORUM//DTD PAP 2.0//EN" "http://www.wapforum.org/DTD/pap_2.0.dtd" [${subset}]><pap>${content}</pap>`;
  const documents = {
    'nested fifty thousand deep': `${'<pap>'.repeat(50_000)}${'</pap>'.repeat(50_000)}`,
    'a bomb of entities': withSubset(
      `<!ENTITY l0 "lol">${lols.join('')}`,
      element.replace('hurt@pi', '&l12;'),
    ),
    'an entity from a file': withSubset(
      '<!ENTITY x SYSTEM "file:///etc/passwd">',
      element.replace('hurt@pi', '&x;'),
    ),
    'a hundred thousand attributes': `<pap ${Array.from({ length: 100_000 }, (_, n) => `a${n}="1"`).join(' ')}>${element}</pap>`,
    'one attribute of a megabyte': papDocument(element.replace('hurt@pi', 'x'.repeat(MIB))),
    'no XML at all': '\0'.repeat(10_000),
  };

  it.each(Object.entries(documents))('%s', async (_what, document) => {
    const answer = await answerTo(request(submissionBody(document)), isOneAnswer);
    expect(answer).toMatch(/^HTTP\/1\.1 202 [\s\S]*badmessage-response[\s\S]*code="2000"/);
    expect(answer).not.toContain('root:');
    await everybodyElseIsServed();
  });
});

describe('framing that does not fit', () => {
  it.each([
    ['no boundary', 'multipart/related; type="application/xml"'],
    ['another boundary', 'multipart/related; type="application/xml"; boundary=other'],
    ['a boundary of ten thousand characters', `multipart/related; boundary=${'b'.repeat(10_000)}`],
    ['no type', ''],
  ])('%s', async (_what, type) => {
    const answer = await answerTo(request(submission('framing@pi'), { type }), isOneAnswer);
    expect(answer).toMatch(/^HTTP\/1\.1 202 [\s\S]*badmessage-response[\s\S]*code="2000"/);
    await everybodyElseIsServed();
  });

  it('a length that is too short, and the rest of the body as the next request', async () => {
    const body = submission('short@pi');
    const answer = await answerTo(request(body, { length: 50 }));
    expect(answer).toMatch(/^HTTP\/1\.1 202 [\s\S]*HTTP\/1\.1 400 /);
    await everybodyElseIsServed();
  });

  it('garbage pipelined behind good requests', async () => {
    const good = [1, 2, 3].map((number) => request(submission(`before-garbage-${number}@pi`)));
    const answer = await answerTo(Buffer.concat([...good, Buffer.from('\x16\x03\x01garbage\r\n\r\n')]));
    expect(answer.match(/code="1001"/g)).toHaveLength(3);
    expect(answer).toContain('HTTP/1.1 400 ');
    await everybodyElseIsServed();
  });
});

it('ten thousand duplicates of one push are told so, each of them, and the push is there once', async () => {
  const [connections, each] = [10, 1000];
  const duplicate = request(submission('again@pi'));
  const beside = bystander.goesOn(BESIDE);
  const texts = await Promise.all(
    Array.from({ length: connections }, () =>
      answerTo(
        Buffer.concat(Array.from({ length: each }, () => duplicate)),
        (text) => text.split('</pap>').length > each,
      ),
    ),
  );
  await beside;
  const codes = texts.flatMap((text) =>
    [...text.matchAll(/response-result code="(\d+)"/g)].map(([, code]) => code),
  );
  expect(codes.filter((code) => code === '1001')).toHaveLength(1);
  expect(codes.filter((code) => code === '2007')).toHaveLength(connections * each - 1);
  expect(await gateway.lane(BOB, 'phone')).toMatchObject({
    state: expect.stringMatching(/waiting|initiated/),
  });
  await everybodyElseIsServed();
});
