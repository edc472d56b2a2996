/**
 * Terminals that call us for OTA-HTTP, on real sockets: who is let in and who is not, what goes out on the connection, and what happens when
 * it breaks. The terminal is the reference one, or bare octets where it has to misbehave.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  listenForTerminals,
  type OtaEndpoint,
  type OtaEndpointOptions,
} from '../../src/endpoints/ota/ota-endpoint.js';
import type { ConnectionItem } from '../../src/lane/ports.js';
import type { Sessions } from '../../src/lane/sessions.js';
import { type PushRequest, terminalKey } from '../../src/protocols/ota-http/index.js';
import { deviceIdentity } from '../../src/registry/device-identity.js';
import { OtaResponder, type OtaResponderOptions } from '../../src/terminal/ota-http-responder.js';
import { OtaHttpSession, type OtaSessionOptions } from '../../src/terminal/ota-http-session.js';
import { type FakeClock, T0 } from '../support/fake-clock.js';
import type { MemoryRegistry } from '../support/memory-registry.js';
import { ALICE, BOB_PHONE, PC, PHONE } from '../support/ota-names.js';
import { SECRET, SessionStage, SIR_ID, sirFor } from '../support/session-stage.js';
import { TestCa } from '../support/test-ca.js';

const GRUU = (name: string) =>
  `${ALICE};gr=urn:uuid:00000000-0000-4000-8000-00000000000${name === 'phone' ? 1 : 2}`;
const IDLE_MS = 60_000;
const PATIENCE_MS = 10_000;
const OPTIONS: OtaEndpointOptions = {
  host: '127.0.0.1',
  port: 0,
  sirSuffices: true,
  maxConnections: 100,
  maxWindow: 8,
  answerTimeoutMs: PATIENCE_MS,
  idleMs: IDLE_MS,
};
const BY_SIP = { activation: [{ bearer: 'sip' }] } as const;

let stage: SessionStage;
let clock: FakeClock;
let registry: MemoryRegistry;
let sessions: Sessions;
let facts: SessionStage['facts'];
let log: SessionStage['log'];
let endpoint: OtaEndpoint;

beforeEach(async () => {
  stage = await SessionStage.set((name) => ({
    identities: [deviceIdentity('uuid', GRUU(name).slice(GRUU(name).indexOf('urn:')))],
    ...BY_SIP,
  }));
  ({ clock, registry, sessions, facts, log } = stage);
  endpoint = stage.opened(await listen());
});
afterEach(async () => {
  await stage[Symbol.asyncDispose]();
});

function listen(options: Partial<OtaEndpointOptions> = {}): Promise<OtaEndpoint> {
  return listenForTerminals(stage.ports, { ...OPTIONS, secret: SECRET, ...options });
}

interface Called {
  readonly session: OtaHttpSession;
  readonly taken: PushRequest[];
}

async function call(
  options: Partial<OtaSessionOptions> = {},
  responding: Partial<OtaResponderOptions> = {},
  at: OtaEndpoint = endpoint,
): Promise<Called> {
  const taken: PushRequest[] = [];
  const responder = new OtaResponder({
    take: async (push) => {
      taken.push(push);
      return 400;
    },
    ...responding,
  });
  const session = await OtaHttpSession.open(responder, { ...at.address, ...options });
  stage.opened(session);
  return { session, taken };
}

const opened = () => facts.filter(({ kind }) => kind === 'opened');
const refusals = () =>
  log.filter(({ message }) => message === 'OTA session refused').map(({ reason }) => reason);

function item(
  content: ConnectionItem['content'] = Buffer.from('Hello'),
  id = 'a'.repeat(32),
): ConnectionItem {
  return {
    id,
    contentType: 'text/plain',
    headers: [],
    content,
    expiresAt: T0 + 60_000,
    confirmation: 'wanted',
  };
}

async function openedPhone(responding: Partial<OtaResponderOptions> = {}): Promise<Called> {
  stage.sent(sirFor(PHONE));
  const called = await call({ sirId: SIR_ID }, responding);
  await stage.until(() => opened().length > 0);
  return called;
}

describe('a terminal that calls', () => {
  it('after a SIR is let in by its id, and gets content that it confirms', async () => {
    const { taken } = await openedPhone({ terminalId: GRUU('phone') });
    expect(facts).toMatchObject([{ kind: 'opened', terminal: PHONE }]);
    await expect(sessions.session(PHONE)?.deliver(item())).resolves.toEqual({ kind: 'confirmed' });
    expect(taken).toMatchObject([{ id: 'a'.repeat(32), content: Buffer.from('Hello') }]);
  });

  it('is let in by a SIR to all terminals when it says which one it is', async () => {
    stage.sent(sirFor(PHONE, PC));
    await call({ sirId: SIR_ID }, { terminalId: GRUU('pc') });
    await stage.until(() => opened().length === 1);
    expect(sessions.session(PC)).toBeDefined();
  });

  it('of its own accord is let in by its key', async () => {
    await call({ key: terminalKey(SECRET, PHONE) }, { terminalId: PHONE });
    await stage.until(() => opened().length === 1);
    expect(sessions.session(PHONE)).toBeDefined();
  });

  it('may name itself by its GRUU', async () => {
    await call({ key: terminalKey(SECRET, PC) }, { terminalId: GRUU('pc') });
    await stage.until(() => opened().length === 1);
    expect(sessions.session(PC)).toBeDefined();
  });

  it('tells what it takes, and that is kept', async () => {
    await openedPhone({
      capabilities: [
        { name: 'X-Wap-Push-Accept', value: 'text/plain' },
        { name: 'X-Wap-Push-MsgSize', value: '10' },
        { name: 'X-Wap-Push-Accept-MaxPushReq', value: '3' },
      ],
    });
    expect((await registry.findTerminal(PHONE))?.reported?.cpi).toMatchObject({ maxMessageSize: 10 });
    const session = sessions.session(PHONE);
    expect(session?.window).toBe(3);
    expect(session?.accepts?.('text/plain; charset=utf-8')).toBe(true);
    expect(session?.accepts?.('image/png')).toBe(false);
    await expect(session?.deliver(item(Buffer.alloc(11)))).resolves.toMatchObject({
      kind: 'refused',
      why: 'size',
    });
  });

  it('takes no more at a time than the gateway allows', async () => {
    await openedPhone({ capabilities: [{ name: 'X-Wap-Push-Accept-MaxPushReq', value: '500' }] });
    expect(sessions.session(PHONE)?.window).toBe(8);
  });
});

describe('nobody gets the content of another terminal', () => {
  it.each([
    [
      'by a SIR that was made for another one',
      { sirId: SIR_ID },
      { terminalId: PHONE },
      'the SIR was made for another terminal',
    ],
    [
      'by a SIR that was never made',
      { sirId: `${PHONE}.guess` },
      { terminalId: PHONE },
      'it follows no SIR of ours',
    ],
    ['by a SIR of nobody', { sirId: 'nobody.1' }, {}, 'it follows no SIR of ours'],
    [
      'by its name alone',
      {},
      { terminalId: PHONE },
      'it does not show that it is the terminal that it names',
    ],
    [
      'by its GRUU alone',
      {},
      { terminalId: GRUU('phone') },
      'it does not show that it is the terminal that it names',
    ],
    [
      'by the key of another terminal',
      { key: terminalKey(SECRET, PC) },
      { terminalId: PHONE },
      'it does not show that it is the terminal that it names',
    ],
    [
      'by the key of another operator',
      { key: terminalKey('other', PHONE) },
      { terminalId: PHONE },
      'it does not show that it is the terminal that it names',
    ],
    [
      'by the name of nobody',
      { key: terminalKey(SECRET, BOB_PHONE) },
      { terminalId: BOB_PHONE },
      'it names no terminal that is known',
    ],
    ['without a name', {}, {}, 'it names no terminal that is known'],
  ])('%s', async (_, options, responding, reason) => {
    stage.sent(sirFor(PC));
    const { session } = await call(options, responding);
    await stage.until(() => refusals().length === 1);
    expect(refusals()).toEqual([reason]);
    await session.closed;
    expect(opened()).toEqual([]);
  });

  it('by a SIR, where the operator wants more than that', async () => {
    const strict = await listen({ sirSuffices: false });
    stage.opened(strict);
    stage.sent(sirFor(PHONE));
    await call({ sirId: SIR_ID }, { terminalId: PHONE }, strict);
    await stage.until(() => refusals().length === 1);
    await call({ sirId: SIR_ID, key: terminalKey(SECRET, PHONE) }, { terminalId: PHONE }, strict);
    await stage.until(() => opened().length === 1);
  });

  it('by the key, where the operator has no secret', async () => {
    const without = stage.opened(await listenForTerminals(stage.ports, OPTIONS));
    await call({ key: terminalKey('', PHONE) }, { terminalId: PHONE }, without);
    await stage.until(() => refusals().length === 1);
  });
});

describe('over TLS', () => {
  const fingerprintOf = (pem: Buffer) =>
    deviceIdentity(
      'fingerprint',
      `ni:///sha-256;${createHash('sha256').update(new X509Certificate(pem).raw).digest('base64url')}`,
    );

  it('a terminal is let in by the digest of its certificate, and no other by its own', async () => {
    using ca = new TestCa();
    const gateway = ca.issue('gateway', '/CN=gateway');
    const own = ca.selfSigned('phone', '/CN=phone');
    const others = ca.selfSigned('other', '/CN=phone');
    await stage.putTerminal('phone', { identities: [fingerprintOf(own.cert)], ...BY_SIP });
    const secure = await listen({ tls: { cert: gateway.cert, key: gateway.key } });
    stage.opened(secure);
    const shown = (one: typeof own) => ({ tls: { ca: ca.ca, cert: one.cert, key: one.key } });
    await call(shown(others), { terminalId: PHONE }, secure);
    await stage.until(() => refusals().length === 1);
    await call(shown(own), { terminalId: PHONE }, secure);
    await stage.until(() => opened().length === 1);
    await expect(sessions.session(PHONE)?.deliver(item())).resolves.toEqual({ kind: 'confirmed' });
  });
});

describe('a session', () => {
  it('is replaced by the next one of the same terminal', async () => {
    const first = await openedPhone();
    await call({ key: terminalKey(SECRET, PHONE) }, { terminalId: PHONE });
    await first.session.closed;
    await stage.until(() => facts.length === 3);
    expect(facts.map(({ kind }) => kind)).toEqual(['opened', 'opened', 'closed']);
    await expect(sessions.session(PHONE)?.deliver(item())).resolves.toEqual({ kind: 'confirmed' });
  });

  it('ends when nothing has been sent for a while, and not before', async () => {
    const { session } = await openedPhone();
    await sessions.session(PHONE)?.deliver(item());
    await clock.advance(IDLE_MS - 1);
    expect(sessions.session(PHONE)?.isOpen).toBe(true);
    await clock.advance(1);
    await session.closed;
    expect(facts.at(-1)).toMatchObject({ kind: 'closed', reason: 'idle' });
    expect(sessions.session(PHONE)).toBeUndefined();
  });

  it('sends the next push before the one before it is answered, as many as the terminal takes', async () => {
    let arrived = 0;
    let bothAreThere: () => void = () => {};
    const both = new Promise<void>((resolve) => {
      bothAreThere = resolve;
    });
    const ids: (string | undefined)[] = [];
    await openedPhone({
      capabilities: [{ name: 'X-Wap-Push-Accept-MaxPushReq', value: '2' }],
      async take({ id }) {
        ids.push(id);
        arrived += 1;
        if (arrived === 2) bothAreThere();
        await both;
        return id === 'first' ? 400 : 237;
      },
    });
    const session = sessions.session(PHONE);
    const outcomes = await Promise.all([
      session?.deliver(item(Buffer.from('1'), 'first')),
      session?.deliver(item(Buffer.from('2'), 'second')),
    ]);
    expect(ids).toEqual(['first', 'second']);
    expect(outcomes).toMatchObject([{ kind: 'confirmed' }, { kind: 'refused', code: 5029 }]);
  });

  it('carries content that is read in pieces, octet for octet', async () => {
    const { taken } = await openedPhone();
    const content = Buffer.alloc(1_000_000, 'octets of a large push; ');
    const reads: number[] = [];
    const source = {
      size: content.length,
      async read(offset: number, length: number) {
        reads.push(length);
        return content.subarray(offset, offset + length);
      },
    };
    await expect(sessions.session(PHONE)?.deliver(item(source))).resolves.toEqual({ kind: 'confirmed' });
    expect(Buffer.compare(taken[0]?.content ?? Buffer.alloc(0), content)).toBe(0);
    expect(Math.max(...reads)).toBeLessThanOrEqual(65_536);
  });

  it('whose content cannot be read to its end is ended: half a push is none', async () => {
    const { session, taken } = await openedPhone();
    const source = { size: 100_000, read: () => Promise.reject(new Error('the file is gone')) };
    await expect(sessions.session(PHONE)?.deliver(item(source))).resolves.toMatchObject({
      kind: 'lost',
      detail: 'the file is gone',
    });
    await session.closed;
    expect(taken).toEqual([]);
  });

  it('asks a terminal that has changed for its capabilities, and sends the push once more', async () => {
    const taken: PushRequest[] = [];
    const responder = new OtaResponder({
      terminalId: PHONE,
      capabilities: [{ name: 'X-Wap-Push-MsgSize', value: '10' }],
      take: async (push) => {
        taken.push(push);
        return 400;
      },
    });
    stage.opened(
      await OtaHttpSession.open(responder, { ...endpoint.address, key: terminalKey(SECRET, PHONE) }),
    );
    await stage.until(() => opened().length === 1);
    responder.capabilities = [{ name: 'X-Wap-Push-MsgSize', value: '20' }];
    await expect(sessions.session(PHONE)?.deliver(item())).resolves.toEqual({ kind: 'confirmed' });
    expect((await registry.findTerminal(PHONE))?.reported?.cpi).toMatchObject({ maxMessageSize: 20 });
    await expect(sessions.session(PHONE)?.deliver(item(Buffer.alloc(15)))).resolves.toEqual({
      kind: 'confirmed',
    });
    expect(taken.map(({ cpiTag }) => cpiTag)).toEqual([responder.cpiTag, responder.cpiTag]);
  });

  it('that breaks while pushes are under way loses all of them, and the gateway knows', async () => {
    const called: { session?: OtaHttpSession } = {};
    const { session } = await openedPhone({
      capabilities: [{ name: 'X-Wap-Push-Accept-MaxPushReq', value: '2' }],
      take: async () => {
        await called.session?.[Symbol.asyncDispose]();
        return 400;
      },
    });
    called.session = session;
    const there = sessions.session(PHONE);
    const outcomes = await Promise.all([there?.deliver(item()), there?.deliver(item())]);
    expect(outcomes).toMatchObject([{ kind: 'lost' }, { kind: 'lost' }]);
    await stage.until(() => facts.length === 2);
    expect(sessions.session(PHONE)).toBeUndefined();
  });
});

describe('a terminal that misbehaves', () => {
  /** Bare octets: what is sent back for each request. */
  async function bare(...answers: readonly string[]): Promise<Socket> {
    const socket = connect(endpoint.address.port, '127.0.0.1');
    stage.opened({ [Symbol.asyncDispose]: async () => void socket.destroy() });
    const left = [...answers];
    socket.on('error', () => {});
    socket.on('data', () => {
      const answer = left.shift();
      if (answer !== undefined) socket.write(answer);
    });
    await once(socket, 'connect');
    return socket;
  }
  const REGISTERED = `HTTP/1.1 204 No Content\r\nX-Push-Sir-Id: ${SIR_ID}\r\n\r\n`;

  it('and does not answer is hung up on', async () => {
    const socket = await bare();
    await once(socket, 'data');
    const ended = once(socket, 'close');
    await clock.advance(PATIENCE_MS);
    await ended;
    expect(log).toMatchObject([{ message: 'OTA session failed', reason: 'no answer within 10000 ms' }]);
  });

  it.each([
    ['and is no HTTP server', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', 'OTA session failed'],
    ['and speaks TLS to a plain port', '\x16\x03\x01\x02\x00\x01\r\n\r\n', 'OTA session failed'],
    [
      'and knows no registration',
      'HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n',
      'OTA session refused',
    ],
    ['and answers without end', `HTTP/1.1 204 No Content\r\nA: ${'x'.repeat(20_000)}`, 'OTA session failed'],
  ])('%s is hung up on', async (_, answer, message) => {
    const socket = await bare(answer);
    await once(socket, 'close');
    expect(log).toMatchObject([{ message }]);
  });

  it('and answers what nobody asked loses its session', async () => {
    stage.sent(sirFor(PHONE));
    const socket = await bare(REGISTERED);
    await stage.until(() => opened().length === 1);
    socket.write('HTTP/1.1 204 No Content\r\nX-Wap-Push-Status: 400\r\n\r\n');
    await stage.until(() => facts.length === 2);
    expect(facts.at(-1)).toMatchObject({ kind: 'closed', reason: 'an answer without a request' });
  });

  it('and stops answering loses its session, and the push is sent again another time', async () => {
    stage.sent(sirFor(PHONE));
    const socket = await bare(REGISTERED);
    await stage.until(() => opened().length === 1);
    const asked = once(socket, 'data');
    const delivered = sessions.session(PHONE)?.deliver(item());
    await asked;
    await clock.advance(PATIENCE_MS);
    await expect(delivered).resolves.toMatchObject({ kind: 'lost', detail: 'no answer within 10000 ms' });
  });
});
