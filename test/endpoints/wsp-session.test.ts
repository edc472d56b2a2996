import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WspEndpoint, type WspEndpointOptions } from '../../src/endpoints/wsp/wsp-endpoint.js';
import { WSP_SESSION } from '../../src/endpoints/wsp/wsp-session-states.js';
import { isFinal } from '../../src/kernel/transition-table.js';
import type { Sessions } from '../../src/lane/sessions.js';
import {
  ABORT,
  decodeWsp,
  encodeWsp,
  OPTION,
  type PushContents,
  type WspPdu,
} from '../../src/protocols/wsp/index.js';
import { decodeWtp, encodeWtp, type WtpPdu } from '../../src/protocols/wtp/index.js';
import type { TerminalId } from '../../src/registry/terminal-id.js';
import { WspSession, type WspSessionOptions } from '../../src/terminal/wsp-session.js';
import { DatagramSocket } from '../../src/transports/datagram/datagram-socket.js';
import { wspTerminalKey } from '../../src/transports/wsp/session-headers.js';
import { WTP_DEFAULTS } from '../../src/transports/wtp/wtp-options.js';
import { anItem } from '../support/an-item.js';
import type { FakeClock } from '../support/fake-clock.js';
import type { MemoryRegistry } from '../support/memory-registry.js';
import { BOB_PHONE, PC, PHONE } from '../support/ota-names.js';
import { SECRET, SessionStage, SIR_ID, sirFor } from '../support/session-stage.js';

const IDLE_MS = 600_000;
let stage: SessionStage;
let clock: FakeClock;
let registry: MemoryRegistry;
let sessions: Sessions;
let facts: SessionStage['facts'];
let log: SessionStage['log'];
let endpoint: WspEndpoint;
/** Terminals that were sent a SIR, by address. */
let sentTo: ReadonlyMap<string, TerminalId>;

beforeEach(async () => {
  stage = await SessionStage.set(() => ({ activation: [{ bearer: 'wsp', address: '127.0.0.1:2948' }] }));
  ({ clock, registry, sessions, facts, log } = stage);
  sentTo = new Map();
  endpoint = stage.opened(await listen());
});
afterEach(async () => {
  await stage[Symbol.asyncDispose]();
  expect(clock.pending).toBe(0);
});

function listen(options: Partial<WspEndpointOptions> = {}): Promise<WspEndpoint> {
  return WspEndpoint.listen(
    { ...stage.ports, sirSentTo: (address) => sentTo.get(address) },
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
      randomBytes: stage.randomBytes,
      take: async (push) => {
        const reason = answers.shift();
        if (reason === undefined) taken.push(push);
        return reason;
      },
    },
  );
  stage.opened(session);
  return { session, taken };
}

/** A session of the phone, ready for content. */
async function connected(
  options: Partial<WspSessionOptions> = {},
  answers: (number | undefined)[] = [],
): Promise<Opened> {
  stage.sent(sirFor(PHONE));
  const before = facts.length;
  const opened = await connect({ sirId: SIR_ID, ...options }, answers);
  await stage.until(() => facts.slice(before).some(({ kind }) => kind === 'opened'));
  return opened;
}

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
    stage.sent(sirFor(PHONE, PC));
    await connect({ sirId: SIR_ID, terminalId: 'pc' });
    await stage.until(() => facts.length > 0);
    expect(facts).toMatchObject([{ kind: 'opened', terminal: PC }]);
  });

  it('the terminal that proves its key', async () => {
    await connect({ terminalId: PHONE, key: wspTerminalKey(SECRET, PHONE) });
    await stage.until(() => facts.length > 0);
    expect(facts).toMatchObject([{ kind: 'opened', terminal: PHONE }]);
  });

  it('where the network vouches for addresses, the terminal that was sent a SIR there, or names itself and is there', async () => {
    await using trusting = await listen({ addressSuffices: true });
    sentTo = new Map([['127.0.0.1', PHONE]]);
    await connect({}, [], trusting);
    await stage.until(() => facts.length === 1);
    sentTo = new Map();
    await connect({ terminalId: PC }, [], trusting);
    await stage.until(() => facts.length === 2);
    expect(facts).toMatchObject([{ terminal: PHONE }, { terminal: PC }]);
    await stage.putTerminal('phone', { activation: [{ bearer: 'wsp', address: '192.0.2.9:2948' }] });
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
    stage.sent(sirFor(PHONE));
    await expect(connect(options)).rejects.toThrow(/the gateway answered with status/);
    expect(log).toMatchObject([{ message: 'WSP session refused', reason, peer: '127.0.0.1' }]);
    expect(endpoint.size).toBe(0);
    expect(facts).toEqual([]);
  });

  it('not whoever cites a SIR that is over, or when that is not enough', async () => {
    stage.sent({ ...sirFor(PHONE), expiresAt: clock.now() });
    await expect(connect({ sirId: SIR_ID })).rejects.toThrow(/0x43/);
    stage.sent(sirFor(PHONE));
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
    stage.opened(await WspSession.open(options, same));
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
    stage.sent(sirFor(PHONE));
    await expect(connect({ sirId: SIR_ID })).rejects.toThrow(/0x63/);
  });

  it('not more than there may be, nor all to one address', async () => {
    await using small = await listen({ maxSessions: 8 });
    stage.sent(sirFor(PHONE, PC));
    await connect({ sirId: SIR_ID, terminalId: 'phone' }, [], small);
    await connect({ sirId: SIR_ID, terminalId: 'pc' }, [], small);
    await expect(connect({ sirId: SIR_ID, terminalId: 'pc' }, [], small)).rejects.toThrow(/0x63/);
    expect(log.at(-1)).toMatchObject({ reason: 'too many sessions' });
  });

  it('not when the gateway is stopping', async () => {
    endpoint.stop();
    stage.sent(sirFor(PHONE));
    await expect(connect({ sirId: SIR_ID })).rejects.toThrow(/0x63/);
  });
});

describe('a push in the session', () => {
  it('is confirmed, with its headers and its id', async () => {
    const { taken } = await connected();
    expect(await session()?.deliver(anItem())).toEqual({ kind: 'confirmed' });
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
    expect(await session()?.deliver(anItem('unit', { confirmation: 'unwanted' }))).toMatchObject({
      kind: 'handed',
    });
    expect(await session()?.deliver(anItem('next'))).toEqual({ kind: 'confirmed' });
    expect(texts(taken)).toEqual(['unit', 'next']);
    expect(taken[0]).toMatchObject({ kind: 'push' });
  });

  it('to a terminal that confirms nothing goes unconfirmed, or not at all', async () => {
    await connected({ capabilities: { protocolOptions: OPTION.push } });
    expect(await session()?.deliver(anItem())).toMatchObject({ kind: 'handed' });
    expect(await session()?.deliver(anItem('x', { confirmation: 'required' }))).toMatchObject({
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
    expect(await session()?.deliver(anItem())).toMatchObject(outcome);
    expect(session()?.isOpen).toBe(true);
    expect(await session()?.deliver(anItem())).toEqual({ kind: 'confirmed' });
  });

  it('as large as the terminal takes arrives in segments, to the octet', async () => {
    const { taken } = await connected();
    const content = Buffer.from(Array.from({ length: 200_000 }, (_, index) => index % 253));
    const source = {
      size: content.length,
      read: async (offset: number, length: number) => content.subarray(offset, offset + length),
    };
    const item = { ...anItem(), content: source, confirmation: 'unwanted' } as const;
    expect(await session()?.deliver(item)).toEqual({ kind: 'confirmed' });
    expect(Buffer.compare(taken[0]?.body ?? Buffer.alloc(0), content)).toBe(0);
  });

  it('larger than the terminal takes is refused, or left to another way when there is one', async () => {
    await connected({ capabilities: { clientSduBytes: 1000 } });
    const large = anItem(Buffer.alloc(1001));
    expect(await session()?.deliver(large)).toMatchObject({ kind: 'refused', why: 'size' });
    expect(await session()?.deliver(anItem(Buffer.alloc(990)))).toMatchObject({
      kind: 'refused',
      why: 'size',
    });
    await stage.putTerminal('phone', { activation: [{ bearer: 'wsp' }, { bearer: 'sip' }] });
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
    expect(await session()?.deliver(anItem('x', { contentType: 'nonsense' }))).toMatchObject({
      kind: 'refused',
    });
  });
});

describe('the end of a session', () => {
  it('is told by the terminal', async () => {
    const { session: own } = await connected();
    await own.disconnect();
    await stage.until(() => facts.some(({ kind }) => kind === 'closed'));
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
    const delivered = gone?.deliver(anItem());
    await clock.advance((WTP_DEFAULTS.maxRetransmissions + 1) * WTP_DEFAULTS.retransmitMs);
    expect(await delivered).toEqual({ kind: 'lost', detail: 'the terminal did not answer' });
    expect(facts.at(-1)).toMatchObject({ kind: 'closed', reason: 'the terminal does not answer any more' });
    expect(await gone?.deliver(anItem())).toEqual({ kind: 'lost', detail: 'the session is not open' });
  });

  it('ends what is under way', async () => {
    stage.sent(sirFor(PHONE));
    let take: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => (take = resolve));
    const own = await WspSession.open(
      { host: '127.0.0.1', port: endpoint.address.port, local: '127.0.0.1', sirId: SIR_ID },
      {
        clock,
        randomBytes: stage.randomBytes,
        take() {
          take();
          return new Promise(() => undefined);
        },
      },
    );
    stage.opened(own);
    await stage.until(() => facts.length > 0);
    const delivered = session()?.deliver(anItem());
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
    await stage.until(() => facts.at(-1)?.kind === 'closed');
    expect(session()).toBeUndefined();
    expect(await suspended?.deliver(anItem())).toMatchObject({ kind: 'lost' });
    await own.resume();
    await stage.until(() => facts.at(-1)?.kind === 'opened');
    expect(await session()?.deliver(anItem('back'))).toEqual({ kind: 'confirmed' });
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
    stage.sent(sirFor(PHONE));
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
    await stage.until(() => log.length >= 20);
    stage.sent(sirFor(PHONE));
    await connect({ sirId: SIR_ID }); // behind all of them
    expect(log).toHaveLength(20);
    await clock.advance(1000);
    await raw.send(Buffer.from([0xff]), to);
    await stage.until(() => log.length >= 22);
    expect(log[20]).toMatchObject({ message: 'log lines were suppressed', reason: '180 lines' });
  });
});

function clockOf(source: FakeClock) {
  return { now: () => source.now(), after: (ms: number, task: () => void) => source.after(ms, task) };
}
