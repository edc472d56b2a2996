/**
 * Terminals that open WSP sessions, on real sockets: who is let in and who is not, what goes out in the session and what becomes of it, how it
 * ends. The terminal is the reference one, or bare octets where it has to misbehave. The clock is the test's own.
 */
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PushSessionFact } from '../../src/endpoints/sip/push-session.js';
import { WspEndpoint, type WspEndpointOptions } from '../../src/endpoints/wsp/wsp-endpoint.js';
import { WSP_SESSION } from '../../src/endpoints/wsp/wsp-session-states.js';
import { isFinal } from '../../src/kernel/transition-table.js';
import type { ConnectionItem } from '../../src/lane/ports.js';
import { Sessions } from '../../src/lane/sessions.js';
import {
  ABORT,
  decodeWsp,
  encodeWsp,
  OPTION,
  type PushContents,
  type WspPdu,
} from '../../src/protocols/wsp/index.js';
import { decodeWtp, encodeWtp, type WtpPdu } from '../../src/protocols/wtp/index.js';
import type { SirRecord } from '../../src/push/sir.js';
import { terminalId } from '../../src/registry/terminal-id.js';
import type { Terminal, TerminalId } from '../../src/registry/user.js';
import { WspSession, type WspSessionOptions } from '../../src/terminal/wsp-session.js';
import { DatagramSocket } from '../../src/transports/datagram/datagram-socket.js';
import { wspTerminalKey } from '../../src/transports/wsp/session-headers.js';
import { WTP_DEFAULTS } from '../../src/transports/wtp/wtp-options.js';
import { FakeClock, T0 } from '../support/fake-clock.js';
import { MemoryLaneStore } from '../support/memory-lane-store.js';
import { MemoryRegistry } from '../support/memory-registry.js';
import { ALICE, BOB_PHONE, PC, PHONE } from '../support/ota-names.js';

const SECRET = 'the secret of the operator';
const IDLE_MS = 600_000;
const SIR_ID = 'sir.1';
const sirFor = (...mayOpen: readonly TerminalId[]): SirRecord => ({
  id: SIR_ID,
  user: ALICE,
  mode: 'routed',
  bearer: 'wsp',
  terminal: mayOpen[0] ?? PHONE,
  mayOpen,
  applicationId: 'x-wap-application:wml.ua',
  return: [],
  send: [],
  createdAt: T0,
  expiresAt: T0 + 600_000,
});

let clock: FakeClock;
let registry: MemoryRegistry;
let sessions: Sessions;
let endpoint: WspEndpoint;
let facts: PushSessionFact[];
let log: { message: string; reason?: unknown }[];
let sirs: readonly SirRecord[];
/** Terminals that were sent a SIR, by address. */
let sentTo: ReadonlyMap<string, TerminalId>;
let open: AsyncDisposable[];
let changed: () => void;
let chance: number;

beforeEach(async () => {
  clock = new FakeClock();
  registry = new MemoryRegistry({ now: () => clock.now() });
  facts = [];
  log = [];
  sirs = [];
  sentTo = new Map();
  open = [];
  changed = () => {};
  chance = 0;
  await registry.putUser({ id: ALICE, aliases: [], policy: { target: 'all-subscribed' } });
  await registry.putTerminal(terminal('phone'));
  await registry.putTerminal(terminal('pc'));
  const store = new MemoryLaneStore({ now: () => clock.now(), leastSirIntervalMs: 0 });
  sessions = new Sessions({ store, node: 'here', wakeLane: () => {} });
  endpoint = await listen();
});
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part[Symbol.asyncDispose]();
  sessions.closeAll('the test is over');
  await endpoint[Symbol.asyncDispose]();
  expect(clock.pending).toBe(0);
});

function terminal(name: string, more: Partial<Terminal> = {}): Terminal {
  return {
    id: terminalId(ALICE, name),
    user: ALICE,
    name,
    identities: [],
    activation: [{ bearer: 'wsp', address: '127.0.0.1:2948' }],
    preferences: {},
    capabilities: {},
    origin: 'provisioned',
    ...more,
  };
}

function randomBytes(size: number): Uint8Array {
  chance += 1;
  return createHash('sha256').update(String(chance)).digest().subarray(0, size);
}

function listen(options: Partial<WspEndpointOptions> = {}): Promise<WspEndpoint> {
  return WspEndpoint.listen(
    {
      registry,
      sessions,
      findSir: async (id) => sirs.find((sir) => sir.id === id),
      sirSentTo: (address) => sentTo.get(address),
      now: () => clock.now(),
      clock,
      randomBytes,
      log(line) {
        log.push(line as (typeof log)[number]);
        changed();
      },
      observe(fact) {
        facts.push(fact);
        changed();
      },
    },
    {
      host: '127.0.0.1',
      port: 0,
      secret: SECRET,
      sirSuffices: true,
      addressSuffices: false,
      maxSessions: 100,
      maxWindow: 8,
      idleMs: IDLE_MS,
      wtp: WTP_DEFAULTS,
      ...options,
    },
  );
}

/** Waits for facts and log lines. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise<void>((resolve) => (changed = resolve));
}

interface Opened {
  readonly session: WspSession;
  readonly taken: PushContents[];
}

/** Opens a session; `answers` are the reasons of aborts, one for each push, then it takes them. */
async function connect(
  options: Partial<WspSessionOptions> = {},
  answers: (number | undefined)[] = [],
  at: WspEndpoint = endpoint,
): Promise<Opened> {
  const taken: PushContents[] = [];
  const session = await WspSession.open(
    { host: '127.0.0.1', port: at.address.port, local: '127.0.0.1', ...options },
    {
      clock,
      randomBytes,
      take: async (push) => {
        const reason = answers.shift();
        if (reason === undefined) taken.push(push);
        return reason;
      },
    },
  );
  open.push(session);
  return { session, taken };
}

/** A session of the phone, ready for content. */
async function connected(
  options: Partial<WspSessionOptions> = {},
  answers: (number | undefined)[] = [],
): Promise<Opened> {
  sirs = [sirFor(PHONE)];
  const before = facts.length;
  const opened = await connect({ sirId: SIR_ID, ...options }, answers);
  await until(() => facts.slice(before).some(({ kind }) => kind === 'opened'));
  return opened;
}

const item = (
  content: string | Uint8Array = 'Hello',
  more: Partial<ConnectionItem> = {},
): ConnectionItem => ({
  id: '0123456789abcdef0123456789abcdef',
  contentType: 'text/plain',
  headers: [{ name: 'X-Wap-Application-Id', value: 'x-wap-application:wml.ua' }],
  content: Buffer.from(content),
  expiresAt: T0 + 60_000,
  confirmation: 'wanted',
  ...more,
});
const session = () => sessions.session(PHONE);
const texts = (taken: readonly PushContents[]) => taken.map(({ body }) => Buffer.from(body).toString());

describe('who gets a session', () => {
  it('the terminal that a SIR was made for', async () => {
    const { session: own } = await connected();
    expect(facts).toMatchObject([{ kind: 'opened', terminal: PHONE }]);
    expect(session()).toMatchObject({ bearer: 'wsp-session', window: 8, isOpen: true });
    expect(own.capabilities).toMatchObject({ pushMor: 8, protocolOptions: 0xe0 });
  });

  it('of several that a SIR was for, the one that it says it is', async () => {
    sirs = [sirFor(PHONE, PC)];
    await connect({ sirId: SIR_ID, terminalId: 'pc' });
    await until(() => facts.length > 0);
    expect(facts).toMatchObject([{ kind: 'opened', terminal: PC }]);
  });

  it('the terminal that proves its key', async () => {
    await connect({ terminalId: PHONE, key: wspTerminalKey(SECRET, PHONE) });
    await until(() => facts.length > 0);
    expect(facts).toMatchObject([{ kind: 'opened', terminal: PHONE }]);
  });

  it('where the network vouches for addresses, the terminal that was sent a SIR there, or names itself and is there', async () => {
    await using trusting = await listen({ addressSuffices: true });
    sentTo = new Map([['127.0.0.1', PHONE]]);
    await connect({}, [], trusting);
    await until(() => facts.length === 1);
    sentTo = new Map();
    await connect({ terminalId: PC }, [], trusting);
    await until(() => facts.length === 2);
    expect(facts).toMatchObject([{ terminal: PHONE }, { terminal: PC }]);
    await registry.putTerminal(
      terminal('phone', { activation: [{ bearer: 'wsp', address: '192.0.2.9:2948' }] }),
    );
    await expect(connect({ terminalId: PHONE }, [], trusting)).rejects.toThrow(/0x43/);
  });

  it.each<readonly [string, Partial<WspSessionOptions>, string]>([
    ['a stranger', {}, 'it names no terminal that is known'],
    [
      'somebody who only says who it is',
      { terminalId: PHONE },
      'it does not show that it is the terminal that it names',
    ],
    ['a SIR that nobody sent', { sirId: 'made up' }, 'it follows no SIR of ours'],
    [
      'a SIR for another terminal',
      { sirId: SIR_ID, terminalId: 'pc' },
      'the SIR was made for another terminal',
    ],
    [
      'a terminal that is not known',
      { terminalId: BOB_PHONE, key: wspTerminalKey(SECRET, BOB_PHONE) },
      'it names no terminal that is known',
    ],
    [
      'the key of another terminal',
      { terminalId: PHONE, key: wspTerminalKey(SECRET, PC) },
      'it does not show that it is the terminal that it names',
    ],
    [
      'a session without pushes',
      { sirId: SIR_ID, capabilities: { protocolOptions: OPTION.sessionResume } },
      'a session without pushes: this is no proxy',
    ],
  ])('not %s', async (_, options, reason) => {
    sirs = [sirFor(PHONE)];
    await expect(connect(options)).rejects.toThrow(/the gateway answered with status/);
    expect(log).toMatchObject([{ message: 'WSP session refused', reason, peer: '127.0.0.1' }]);
    expect(endpoint.size).toBe(0);
    expect(facts).toEqual([]);
  });

  it('not whoever cites a SIR that is over, or when that is not enough', async () => {
    sirs = [{ ...sirFor(PHONE), expiresAt: clock.now() }];
    await expect(connect({ sirId: SIR_ID })).rejects.toThrow(/0x43/);
    sirs = [sirFor(PHONE)];
    await using strict = await listen({ sirSuffices: false });
    await expect(connect({ sirId: SIR_ID }, [], strict)).rejects.toThrow(/0x43/);
    await connect({ sirId: SIR_ID, key: wspTerminalKey(SECRET, PHONE) }, [], strict);
  });

  it('not with a proof that was used before, or is not of now', async () => {
    const key = wspTerminalKey(SECRET, PHONE);
    const same = { clock, randomBytes: () => Buffer.alloc(12, 1), take: async () => undefined };
    const options = {
      host: '127.0.0.1',
      port: endpoint.address.port,
      local: '127.0.0.1',
      terminalId: PHONE,
      key,
    };
    open.push(await WspSession.open(options, same));
    await expect(WspSession.open(options, same)).rejects.toThrow(/0x43/);
    expect(log.at(-1)).toMatchObject({ reason: 'the nonce of its proof was used before' });
    const late = { ...same, clock: { ...clockOf(clock), now: () => clock.now() - 301_000 } };
    await expect(WspSession.open(options, late)).rejects.toThrow(/0x43/);
    expect(log.at(-1)).toMatchObject({ reason: 'the nonce of its proof is not of now' });
  });

  it('not while the store is away', async () => {
    registry.findTerminal = async () => {
      throw new Error('the store is away');
    };
    sirs = [sirFor(PHONE)];
    await expect(connect({ sirId: SIR_ID })).rejects.toThrow(/0x63/);
  });

  it('not more than there may be, nor all to one address', async () => {
    await using small = await listen({ maxSessions: 8 });
    sirs = [sirFor(PHONE, PC)];
    await connect({ sirId: SIR_ID, terminalId: 'phone' }, [], small);
    await connect({ sirId: SIR_ID, terminalId: 'pc' }, [], small);
    await expect(connect({ sirId: SIR_ID, terminalId: 'pc' }, [], small)).rejects.toThrow(/0x63/);
    expect(log.at(-1)).toMatchObject({ reason: 'too many sessions' });
  });

  it('not when the gateway is stopping', async () => {
    endpoint.stop();
    sirs = [sirFor(PHONE)];
    await expect(connect({ sirId: SIR_ID })).rejects.toThrow(/0x63/);
  });
});

describe('a push in the session', () => {
  it('is confirmed, with its headers and its id', async () => {
    const { taken } = await connected();
    expect(await session()?.deliver(item())).toEqual({ kind: 'confirmed' });
    expect(taken).toMatchObject([
      {
        kind: 'confirmed-push',
        contentType: { mediaType: 'text/plain' },
        headers: expect.arrayContaining([{ name: 'X-Push-Id', value: '0123456789abcdef0123456789abcdef' }]),
        body: Buffer.from('Hello'),
      },
    ]);
  });

  it('that nobody wants confirmed is handed over', async () => {
    const { taken } = await connected();
    expect(await session()?.deliver(item('unit', { confirmation: 'unwanted' }))).toMatchObject({
      kind: 'handed',
    });
    expect(await session()?.deliver(item('next'))).toEqual({ kind: 'confirmed' });
    expect(texts(taken)).toEqual(['unit', 'next']);
    expect(taken[0]).toMatchObject({ kind: 'push' });
  });

  it('to a terminal that confirms nothing goes unconfirmed, or not at all', async () => {
    await connected({ capabilities: { protocolOptions: OPTION.push } });
    expect(await session()?.deliver(item())).toMatchObject({ kind: 'handed' });
    expect(await session()?.deliver(item('x', { confirmation: 'required' }))).toMatchObject({
      kind: 'unfit',
    });
  });

  it.each([
    [ABORT.userRequest, { kind: 'refused', why: 'declined', code: 5026 }],
    [ABORT.userRefused, { kind: 'refused', why: 'declined', code: 5027 }],
    [ABORT.userDiscarded, { kind: 'refused', why: 'declined', code: 5029 }],
    [ABORT.userUnknownType, { kind: 'refused', why: 'declined', code: 5030 }],
    [ABORT.userPending, { kind: 'lost', detail: expect.stringContaining('USERPND') }],
    [ABORT.congestion, { kind: 'lost', detail: expect.stringContaining('CONGESTION') }],
    [0x99, { kind: 'lost', detail: expect.stringContaining('0x99') }],
  ])('that the terminal aborts with %i', async (reason, outcome) => {
    await connected({}, [reason]);
    expect(await session()?.deliver(item())).toMatchObject(outcome);
    expect(session()?.isOpen).toBe(true);
    expect(await session()?.deliver(item())).toEqual({ kind: 'confirmed' });
  });

  it('as large as the terminal takes arrives in segments, to the octet', async () => {
    const { taken } = await connected();
    const content = Buffer.from(Array.from({ length: 200_000 }, (_, index) => index % 253));
    const source = {
      size: content.length,
      read: async (offset: number, length: number) => content.subarray(offset, offset + length),
    };
    expect(await session()?.deliver(item('', { content: source, confirmation: 'unwanted' }))).toEqual({
      kind: 'confirmed',
    });
    expect(Buffer.compare(taken[0]?.body ?? Buffer.alloc(0), content)).toBe(0);
  });

  it('larger than the terminal takes is refused, or left to another way when there is one', async () => {
    await connected({ capabilities: { clientSduBytes: 1000 } });
    const large = item(Buffer.alloc(1001));
    expect(await session()?.deliver(large)).toMatchObject({ kind: 'refused', why: 'size' });
    expect(await session()?.deliver(item(Buffer.alloc(990)))).toMatchObject({ kind: 'refused', why: 'size' });
    await registry.putTerminal(terminal('phone', { activation: [{ bearer: 'wsp' }, { bearer: 'sip' }] }));
    await connected({ capabilities: { clientSduBytes: 1000 } });
    expect(await session()?.deliver(large)).toMatchObject({ kind: 'unfit' });
  });

  it('goes at most as often at a time as the terminal takes', async () => {
    await connected({ capabilities: { pushMor: 3 } });
    expect(session()?.window).toBe(3);
    await connected({ capabilities: { pushMor: 200 } });
    expect(session()?.window).toBe(8);
  });

  it('is a document in its binary form, unless the terminal says that it reads the text', async () => {
    await connected();
    expect(session()?.accepts?.('text/vnd.wap.si; charset=utf-8')).toBe(false);
    expect(session()?.accepts?.('application/vnd.wap.sic')).toBe(true);
    await connected({ headers: [{ name: 'Accept', value: 'text/vnd.wap.si' }] });
    expect(session()?.accepts?.('text/vnd.wap.si; charset=utf-8')).toBe(true);
  });

  it('that cannot be written is refused', async () => {
    await connected();
    expect(await session()?.deliver(item('x', { contentType: 'nonsense' }))).toMatchObject({
      kind: 'refused',
    });
  });
});

describe('the end of a session', () => {
  it('is told by the terminal', async () => {
    const { session: own } = await connected();
    await own.disconnect();
    await until(() => facts.some(({ kind }) => kind === 'closed'));
    expect(facts.at(-1)).toMatchObject({ kind: 'closed', terminal: PHONE, reason: 'the terminal ended it' });
    expect(session()).toBeUndefined();
    expect(endpoint.size).toBe(0);
  });

  it('is told to the terminal when nothing is sent for a while', async () => {
    const { session: own } = await connected();
    await clock.advance(IDLE_MS);
    expect(await own.closed).toBe('the gateway ended it');
    expect(facts.at(-1)).toMatchObject({ kind: 'closed', reason: 'idle' });
  });

  it('comes when another one of the same terminal takes its place', async () => {
    const { session: first } = await connected();
    await connected();
    expect(await first.closed).toBe('the gateway ended it');
    expect(endpoint.size).toBe(1);
    expect(session()?.isOpen).toBe(true);
  });

  it('comes when the terminal is gone: the push is held', async () => {
    const { session: own } = await connected();
    const gone = session();
    await own[Symbol.asyncDispose]();
    const delivered = gone?.deliver(item());
    await clock.advance((WTP_DEFAULTS.maxRetransmissions + 1) * WTP_DEFAULTS.retransmitMs);
    expect(await delivered).toEqual({ kind: 'lost', detail: 'the terminal did not answer' });
    expect(facts.at(-1)).toMatchObject({ kind: 'closed', reason: 'the terminal does not answer any more' });
    expect(await gone?.deliver(item())).toEqual({ kind: 'lost', detail: 'the session is not open' });
  });

  it('ends what is under way', async () => {
    sirs = [sirFor(PHONE)];
    let take: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => (take = resolve));
    const own = await WspSession.open(
      { host: '127.0.0.1', port: endpoint.address.port, local: '127.0.0.1', sirId: SIR_ID },
      {
        clock,
        randomBytes,
        take() {
          take();
          return new Promise(() => undefined);
        },
      },
    );
    open.push(own);
    await until(() => facts.length > 0);
    const delivered = session()?.deliver(item());
    await asked;
    session()?.close('the test says so');
    expect(await delivered).toEqual({ kind: 'lost', detail: 'the session ended' });
    expect(await own.closed).toBe('the gateway ended it');
  });
});

describe('a suspended session', () => {
  it('takes nothing until it is resumed', async () => {
    const { session: own, taken } = await connected();
    const suspended = session();
    await own.suspend();
    await until(() => facts.at(-1)?.kind === 'closed');
    expect(session()).toBeUndefined();
    expect(await suspended?.deliver(item())).toMatchObject({ kind: 'lost' });
    await own.resume();
    await until(() => facts.at(-1)?.kind === 'opened');
    expect(await session()?.deliver(item('back'))).toEqual({ kind: 'confirmed' });
    expect(texts(taken)).toEqual(['back']);
  });

  it('that was never there cannot be resumed', async () => {
    const { session: own } = await connected();
    await expect(own.resume()).rejects.toThrow(/DISCONNECT/);
  });
});

describe('the states of a session', () => {
  it('have one that is final', () => {
    const finals = Object.keys(WSP_SESSION).filter((state) => isFinal(WSP_SESSION, state as 'null'));
    expect(finals).toEqual(['null']);
  });
});

describe('hostile peers', () => {
  const REQUEST = {
    kind: 'invoke',
    transactionId: 7,
    isGroupTrailer: false,
    isTrailer: true,
    isRetransmission: false,
    version: 0,
    isNewTid: false,
    wantsUserAck: false,
    transactionClass: 2,
    tpis: [],
    payload: Buffer.alloc(0),
  } as const;

  /** Sends one request from a bare socket; the first answer. */
  async function answerTo(payload: Uint8Array, transactionClass: 0 | 1 | 2 = 2): Promise<WtpPdu | undefined> {
    let arrived: (octets: Uint8Array) => void = () => undefined;
    const answer = new Promise<Uint8Array>((resolve) => (arrived = resolve));
    await using raw = await DatagramSocket.open({
      host: '127.0.0.1',
      port: 0,
      onDatagram: arrived,
      onError: (error) => expect.fail(error.message),
    });
    await raw.send(encodeWtp({ ...REQUEST, transactionClass, payload }), {
      address: '127.0.0.1',
      port: endpoint.address.port,
    });
    const [pdu] = decodeWtp(await answer);
    return pdu;
  }
  const statusOf = (pdu: WtpPdu | undefined) => {
    const reply = pdu?.kind === 'result' ? decodeWsp(pdu.payload) : undefined;
    return reply?.kind === 'reply' ? reply.status : undefined;
  };

  it.each<readonly [string, WspPdu]>([
    ['GET', { kind: 'get', method: 'GET', uri: 'http://example.test/', headers: [] }],
    [
      'POST',
      {
        kind: 'post',
        method: 'POST',
        uri: 'http://example.test/',
        contentType: { mediaType: 'text/plain', parameters: new Map() },
        headers: [],
        body: Buffer.alloc(1),
      },
    ],
  ])('that want a proxy are told that this is none (%s)', async (_, pdu) => {
    expect(statusOf(await answerTo(encodeWsp(pdu)))).toBe(0x61);
    expect(log).toMatchObject([{ reason: expect.stringContaining('this is no proxy') }]);
    expect(clock.pending).toBe(0); // nothing is remembered of a stranger
  });

  it.each<readonly [string, Uint8Array, 1 | 2]>([
    ['octets that are no WSP', Buffer.from('ffff', 'hex'), 2],
    ['nothing', Buffer.alloc(0), 2],
    [
      'a Connect in the wrong class',
      encodeWsp({ kind: 'connect', version: 0x10, capabilities: { others: [] }, headers: [] }),
      1,
    ],
    ['a push to the gateway', encodeWsp({ kind: 'disconnect', sessionId: 1 }), 2],
  ])('%s is aborted', async (_, payload, transactionClass) => {
    expect(await answerTo(payload, transactionClass)).toMatchObject({
      kind: 'abort',
      by: 'user',
      reason: ABORT.protocolError,
    });
    expect(log).toHaveLength(1);
  });

  it('one that sends its datagrams under a false address gets no session, and none is kept', async () => {
    sirs = [sirFor(PHONE)];
    const pdu: WspPdu = {
      kind: 'connect',
      version: 0x10,
      capabilities: { protocolOptions: 0xc0, others: [] },
      headers: [{ name: 'X-Push-Sir-Id', value: SIR_ID }],
    };
    expect(await answerTo(encodeWsp(pdu))).toMatchObject({ kind: 'result' }); // which it never sees, and so cannot acknowledge
    expect(endpoint.size).toBe(1);
    await clock.advance((WTP_DEFAULTS.maxRetransmissions + 1) * WTP_DEFAULTS.retransmitMs);
    expect(endpoint.size).toBe(0);
    expect(facts.filter(({ kind }) => kind === 'opened')).toEqual([]);
  });

  it('many at once are logged some lines each second', async () => {
    await using raw = await DatagramSocket.open({
      host: '127.0.0.1',
      port: 0,
      onError: (error) => expect.fail(error.message),
    });
    const to = { address: '127.0.0.1', port: endpoint.address.port };
    for (let index = 0; index < 200; index += 1) await raw.send(Buffer.from([0xff, index]), to);
    await until(() => log.length >= 20);
    sirs = [sirFor(PHONE)];
    await connect({ sirId: SIR_ID }); // behind all of them
    expect(log).toHaveLength(20);
    await clock.advance(1000);
    await raw.send(Buffer.from([0xff]), to);
    await until(() => log.length >= 22);
    expect(log[20]).toMatchObject({ message: 'log lines were suppressed', reason: '180 lines' });
  });
});

function clockOf(source: FakeClock) {
  return { now: () => source.now(), after: (ms: number, task: () => void) => source.after(ms, task) };
}
