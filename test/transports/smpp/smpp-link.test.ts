/** A link to an SMSC, against one on a stack that is not ours: binding, window, rate, refusals, breaks, and SMSCs that are hostile. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type BodyOf, NO_PARAMETERS } from '../../../src/protocols/smpp/index.js';
import type {
  LinkFact,
  SmppLinkOptions,
  Submission,
  Submitted,
} from '../../../src/transports/smpp/link-options.js';
import type { Delivered } from '../../../src/transports/smpp/smpp-connection.js';
import { SmppLink } from '../../../src/transports/smpp/smpp-link.js';
import { atRest, FakeClock } from '../../support/fake-clock.js';
import { freePort } from '../../support/ports.js';
import { Smsc, type SmscOptions } from '../../support/smsc.js';
import { TestCa } from '../../support/test-ca.js';

const MESSAGE: BodyOf<'submit_sm'> = {
  serviceType: '',
  sourceTon: 1,
  sourceNpi: 1,
  source: '43660',
  destinationTon: 1,
  destinationNpi: 1,
  destination: '436641234567',
  esmClass: 0x40,
  protocolId: 0,
  priority: 0,
  scheduleDeliveryTime: '',
  validityPeriod: '',
  registeredDelivery: 1,
  replaceIfPresent: 0,
  dataCoding: 4,
  defaultMessageId: 0,
  shortMessage: Buffer.from('0605040b8423f00106', 'hex'),
};
const SUBMISSION: Submission = { message: MESSAGE, parameters: NO_PARAMETERS };

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part[Symbol.asyncDispose]();
});

async function smsc(options: SmscOptions = {}): Promise<Smsc> {
  const started = await Smsc.start(options);
  open.push(started);
  return started;
}

function linkTo(port: number, more: Partial<SmppLinkOptions> = {}) {
  const clock = new FakeClock();
  const facts: LinkFact[] = [];
  const delivered: Delivered[] = [];
  const waiting = new Set<() => void>();
  const tell = () => {
    for (const look of [...waiting]) look();
  };
  const link = new SmppLink(
    {
      name: 'a',
      host: '127.0.0.1',
      port,
      bind: 'transceiver',
      systemId: 'carillon',
      password: 'secret',
      systemType: '',
      addressRange: '',
      window: 4,
      maxQueued: 10,
      maxWaitMs: 5000,
      connectTimeoutMs: 5000,
      responseTimeoutMs: 10_000,
      enquireLinkMs: 30_000,
      reconnectMs: [1000, 2000],
      throttleMs: [1000, 2000, 4000],
      ...more,
    },
    {
      clock,
      delivered: async (message) => {
        delivered.push(message);
        tell();
        return 0;
      },
      observe: (fact) => {
        facts.push(fact);
        tell();
      },
    },
  );
  // Closed by hand where the clock stands still: nobody waits for a goodbye then.
  open.push({
    [Symbol.asyncDispose]: async () => {
      const closed = link[Symbol.asyncDispose]();
      await clock.advance(5000);
      await closed;
    },
  });
  const when = (holds: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!holds()) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  const became = (state: string) => when(() => link.view().state === state);
  link.start();
  return { link, clock, facts, delivered, when, became };
}

async function bound(options: SmscOptions = {}, more: Partial<SmppLinkOptions> = {}) {
  const centre = await smsc(options);
  const stage = linkTo(centre.port, more);
  await stage.became('bound');
  return { smsc: centre, ...stage };
}

describe('a link', () => {
  it.each(['transceiver', 'transmitter', 'receiver'] as const)('binds as %s', async (bind) => {
    const { smsc } = await bound({}, { bind });
    expect(smsc.binds).toEqual([`bind_${bind} carillon secret`]);
  });

  it('binds over TLS to an SMSC that shows the right certificate, and to no other (SIR-172)', async () => {
    using ca = new TestCa();
    using other = new TestCa('Other CA');
    const { cert, key } = ca.issue('smsc', '/CN=smsc');
    const { smsc } = await bound({ tls: { cert, key } }, { tls: { ca: ca.ca } });
    const stranger = linkTo(smsc.port, { tls: { ca: other.ca } });
    await stranger.became('waiting');
    expect(stranger.link.view().reason).toMatch(/certificate/);
    expect(smsc.binds).toHaveLength(1);
  });

  it('hands a message over and gives the id that the SMSC gave it', async () => {
    const { smsc, link } = await bound({ behave: () => ({ messageId: '00beef' }) });
    expect(await link.submit(SUBMISSION)).toEqual({ kind: 'accepted', messageId: '00beef' });
    expect(smsc.taken).toMatchObject([
      { destination: '436641234567', esmClass: 0x40, dataCoding: 4, userData: MESSAGE.shortMessage },
    ]);
  });

  it('has no more under way than its window, and loses none in it', async () => {
    const { smsc, link } = await bound({ behave: () => ({ delayMs: 1 }) }, { maxQueued: 100 });
    const all = await Promise.all(Array.from({ length: 50 }, () => link.submit(SUBMISSION)));
    expect(all.every(({ kind }) => kind === 'accepted')).toBe(true);
    expect(smsc.mostUnderWay).toBe(4);
    expect(smsc.taken).toHaveLength(50);
  });

  it('answers what it is asked (enquire_link) and asks when it hears nothing', async () => {
    const { smsc, link, clock } = await bound({}, { enquireLinkMs: 1000 });
    for (let second = 0; second < 5; second += 1) await clock.advance(1000);
    expect(link.view().state).toBe('bound');
    expect(smsc.boundCount).toBe(1);
  });

  it('hangs up on an SMSC that does not answer enquire_link, and connects again', async () => {
    const sockets: Socket[] = [];
    await using server = await listen((socket) => {
      sockets.push(socket);
      socket.once('data', (octets) => socket.write(bindResponse(octets)));
    });
    const { clock, became } = linkTo(server.port, { enquireLinkMs: 1000, responseTimeoutMs: 500 });
    await became('bound');
    await clock.advance(1000);
    await clock.advance(500);
    await became('waiting');
    await clock.advance(1000);
    await became('bound');
    expect(sockets).toHaveLength(2);
  });

  it('keeps to its rate of segments a second (SIR-168)', async () => {
    const { smsc, link, clock } = await bound(
      {},
      { segmentsPerSecond: 10, maxQueued: 100, maxWaitMs: 60_000, window: 50 },
    );
    for (let index = 0; index < 30; index += 1) void link.submit(SUBMISSION);
    await clock.advance(0);
    await smsc.when(() => smsc.count >= 1);
    const before = smsc.count;
    for (let tenth = 0; tenth < 10; tenth += 1) await clock.advance(100);
    await smsc.when(() => smsc.count >= before + 10);
    expect(smsc.count).toBeLessThanOrEqual(before + 11);
  });

  it('gives back at once what it has no room for, with a moment of its own for each', async () => {
    const { link, clock } = await bound(
      { behave: () => ({ isSilent: true }) },
      { maxQueued: 2, window: 1, segmentsPerSecond: 10 },
    );
    for (let index = 0; index < 3; index += 1) void link.submit(SUBMISSION);
    await atRest();
    const [first, second] = await Promise.all([link.submit(SUBMISSION), link.submit(SUBMISSION)]);
    expect(first).toMatchObject({ kind: 'notSent' });
    const retryAt = (submitted: typeof first) => ('retryAt' in submitted ? (submitted.retryAt ?? 0) : 0);
    expect(retryAt(first)).toBeGreaterThan(clock.now());
    expect(retryAt(second)).toBe(retryAt(first) + 100);
  });

  it('does not wait for an answer for ever', async () => {
    const { link, clock } = await bound({ behave: () => ({ isSilent: true }) });
    const submitted = link.submit(SUBMISSION);
    await clock.advance(10_000);
    expect(await submitted).toMatchObject({ kind: 'unknown' });
  });

  it('takes the first of two answers, and an answer to nothing for nothing', async () => {
    const { smsc, link } = await bound({ behave: () => ({ responses: 3 }) });
    expect(await link.submit(SUBMISSION)).toMatchObject({ kind: 'accepted', messageId: '00000001' });
    expect(await link.submit(SUBMISSION)).toMatchObject({ kind: 'accepted', messageId: '00000002' });
    expect(smsc.count).toBe(2);
  });
});

describe('an SMSC that has too much to do', () => {
  it.each([
    ['ESME_RTHROTTLED', 0x58],
    ['ESME_RMSGQFUL', 0x14],
  ])('(%s) gets the same message again after a pause, and everything else after it', async (name, status) => {
    const { smsc, link, clock, facts, when } = await bound({
      behave: (_, count) => (count === 1 ? { status } : {}),
    });
    const first = link.submit(SUBMISSION);
    await when(() => facts.some(({ kind }) => kind === 'throttled'));
    const second = link.submit(SUBMISSION);
    await clock.advance(900);
    expect(smsc.count).toBe(1);
    await clock.advance(200);
    expect(await first).toMatchObject({ kind: 'accepted' });
    expect(await second).toMatchObject({ kind: 'accepted' });
    expect(facts).toContainEqual({ kind: 'throttled', link: 'a', status: name, forMs: 1000 });
  });

  it('again and again is left alone for longer, and whoever would wait too long goes elsewhere', async () => {
    const { smsc, link, clock, facts, when } = await bound(
      { behave: () => ({ status: 0x58 }) },
      { maxWaitMs: 2500 },
    );
    const throttled = (times: number) =>
      when(() => facts.filter(({ kind }) => kind === 'throttled').length === times);
    const submitted = link.submit(SUBMISSION);
    await throttled(1);
    await clock.advance(1000);
    await throttled(2);
    expect(await submitted).toMatchObject({
      kind: 'notSent',
      detail: expect.stringContaining('ESME_RTHROTTLED'),
    });
    await clock.advance(2000);
    const again = link.submit(SUBMISSION);
    await smsc.when(() => smsc.count === 3);
    expect(await again).toMatchObject({ kind: 'notSent' });
    expect(link.isUsable).toBe(false);
    expect(await link.submit(SUBMISSION)).toMatchObject({
      kind: 'notSent',
      detail: 'a: the SMSC asked for a pause',
    });
  });
});

describe('what an SMSC refuses', () => {
  it.each([
    [0x0b, 'address'],
    [0x61, 'message'],
    [0x08, 'link'],
  ] as const)('with status %i is told by what is wrong: %s', async (status, meaning) => {
    const { link } = await bound({ behave: () => ({ status }) });
    expect(await link.submit(SUBMISSION)).toMatchObject({ kind: 'refused', meaning });
  });

  it('five times in a row because of the link opens the breaker; one message tries after a while', async () => {
    const { smsc, link, clock, facts } = await bound(
      { behave: () => ({ status: 0x08 }) },
      { enquireLinkMs: 600_000 },
    );
    for (let index = 0; index < 5; index += 1) await link.submit(SUBMISSION);
    expect(link.isUsable).toBe(false);
    expect(facts).toContainEqual(
      expect.objectContaining({ kind: 'broken', reason: 'a answered ESME_RSYSERR' }),
    );
    expect(await link.submit(SUBMISSION)).toMatchObject({ kind: 'notSent' });
    expect(smsc.count).toBe(5);
    await clock.advance(10_000);
    await link.submit(SUBMISSION);
    expect(link.isUsable).toBe(false);
    await clock.advance(10_000);
    expect(link.isUsable).toBe(false); // twice as long now
    await clock.advance(10_000);
    smsc.behave = () => ({});
    expect(await link.submit(SUBMISSION)).toMatchObject({ kind: 'accepted' });
    expect(link.view().breaker).toBe('closed');
  });

  it('because of its number does not count against the link', async () => {
    const { link } = await bound({ behave: () => ({ status: 0x0b }) });
    for (let index = 0; index < 10; index += 1) await link.submit(SUBMISSION);
    expect(link.isUsable).toBe(true);
  });

  it('at the bind is tried again, later each time', async () => {
    const centre = await smsc({ bindStatus: 0x0e });
    const { link, clock, became, facts } = linkTo(centre.port);
    await became('waiting');
    expect(link.view().reason).toBe('the SMSC refused the bind: ESME_RINVPASWD');
    await clock.advance(1000);
    await centre.when(() => centre.binds.length === 2);
    await became('waiting');
    await clock.advance(1000);
    expect(centre.binds).toHaveLength(2);
    centre.bindStatus = 0;
    await clock.advance(1000);
    await became('bound');
    expect(facts.filter(({ kind }) => kind === 'state').length).toBeGreaterThan(4);
  });
});

describe('a connection that breaks', () => {
  it('in the middle of a window leaves what was sent unknown, gives back what was not, and comes back', async () => {
    const { smsc, link, clock, became } = await bound({
      behave: (_, count) => (count < 4 ? { isSilent: true } : { hangsUp: true }),
    });
    const all = Array.from({ length: 7 }, () => link.submit(SUBMISSION));
    const kinds = (await Promise.all(all)).map(({ kind }) => kind);
    expect(kinds).toEqual([...Array(4).fill('unknown'), ...Array(3).fill('notSent')]);
    smsc.behave = () => ({});
    await became('waiting');
    expect(await link.submit(SUBMISSION)).toMatchObject({ kind: 'notSent' });
    await clock.advance(1000);
    await became('bound');
    expect(await link.submit(SUBMISSION)).toMatchObject({ kind: 'accepted' });
  });

  it('to an SMSC that is not there is tried again', async () => {
    const port = await freePort();
    const { link, clock, became } = linkTo(port);
    await became('waiting');
    expect(link.view().reason).toMatch(/ECONNREFUSED/);
    const centre = await smsc({ port });
    await clock.advance(1000);
    await became('bound');
    expect(centre.boundCount).toBe(1);
  });
});

describe('what comes to a link that takes nothing now', () => {
  const retryAt = (submitted: Submitted) => ('retryAt' in submitted ? (submitted.retryAt ?? 0) : 0);

  it('asks again when it has tried to connect once more, not all the time', async () => {
    const { smsc, link, clock, became } = await bound({}, { reconnectMs: [60_000] });
    smsc.hangUp();
    await became('waiting');
    expect(retryAt(await link.submit(SUBMISSION))).toBeGreaterThanOrEqual(clock.now() + 60_000);
  });

  it.each(['paused', 'draining'] as const)('asks again seldom while it is %s', async (mode) => {
    const { link, clock } = await bound();
    link.obey({ mode, since: 1 });
    expect(retryAt(await link.submit(SUBMISSION))).toBeGreaterThanOrEqual(clock.now() + 5000);
    link.obey(undefined);
    expect(await link.submit(SUBMISSION)).toMatchObject({ kind: 'accepted' });
  });
});

describe('an operator', () => {
  it('pauses a link: nothing goes out, what waits is given back, and it stays bound', async () => {
    const { smsc, link } = await bound({ behave: () => ({ isSilent: true }) }, { window: 1 });
    const [sent, waits] = [link.submit(SUBMISSION), link.submit(SUBMISSION)];
    link.obey({ mode: 'paused', since: 1, reason: 'work on it' });
    expect(await waits).toMatchObject({ kind: 'notSent', detail: 'a: the link is paused' });
    expect(await link.submit(SUBMISSION)).toMatchObject({ kind: 'notSent' });
    expect(link.view()).toMatchObject({
      state: 'bound',
      mode: 'paused',
      hold: { since: 1, reason: 'work on it' },
      underWay: 1,
    });
    smsc.behave = () => ({});
    link.obey(undefined);
    expect(link.isUsable).toBe(true);
    smsc.hangUp();
    expect(await sent).toMatchObject({ kind: 'unknown' });
  });

  it('is told of once, however often the word comes', async () => {
    const { link, facts } = await bound();
    link.obey({ mode: 'paused', since: 1, reason: 'work on it' });
    link.obey({ mode: 'paused', since: 1, reason: 'work on it' });
    link.obey(undefined);
    expect(facts.filter(({ kind }) => kind === 'mode')).toMatchObject([
      { mode: 'paused', reason: 'work on it' },
      { mode: 'running' },
    ]);
    expect(link.view()).not.toHaveProperty('hold');
  });

  it('drains a link: what waits still goes out', async () => {
    const { link } = await bound({ behave: () => ({ delayMs: 1 }) }, { window: 1 });
    const all = [link.submit(SUBMISSION), link.submit(SUBMISSION)];
    link.obey({ mode: 'draining', since: 1 });
    expect(await link.submit(SUBMISSION)).toMatchObject({
      kind: 'notSent',
      detail: 'a: the link is draining',
    });
    expect((await Promise.all(all)).map(({ kind }) => kind)).toEqual(['accepted', 'accepted']);
  });

  it('who stops the gateway waits for what is under way, and the SMSC is told goodbye', async () => {
    const { smsc, link } = await bound({ behave: () => ({ delayMs: 5 }) });
    const submitted = link.submit(SUBMISSION);
    await link[Symbol.asyncDispose]();
    expect(await submitted).toMatchObject({ kind: 'accepted' });
    await smsc.when(() => smsc.boundCount === 0);
    expect(link.view().state).toBe('closed');
  });
});

describe('what an SMSC delivers', () => {
  it('is answered when it is safe', async () => {
    const { smsc, delivered } = await bound();
    const status = await smsc.deliver({
      source_addr: '436641234567',
      destination_addr: '2948',
      short_message: 'hello',
    });
    expect(status).toBe(0);
    expect(delivered).toMatchObject([{ command: 'deliver_sm', body: { source: '436641234567' } }]);
  });

  it('in thousands is handled a few at a time, and every one is answered', async () => {
    const { smsc, delivered } = await bound();
    const all = Array.from({ length: 2000 }, (_, index) =>
      smsc.deliver({ source_addr: String(index), short_message: 'x' }),
    );
    expect(new Set(await Promise.all(all))).toEqual(new Set([0]));
    expect(delivered).toHaveLength(2000);
  });
});

describe('an SMSC that speaks no SMPP', () => {
  it.each([
    ['a length of zero', Buffer.alloc(16)],
    ['a length beyond every limit', Buffer.alloc(16, 0xff)],
    ['text', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ])('is hung up on: %s', async (_, octets) => {
    const { smsc, link, became, clock } = await bound();
    smsc.babble(octets);
    await became('waiting');
    expect(link.view().reason).toMatch(/what is no SMPP/);
    await clock.advance(1000);
    await became('bound');
  });

  it('but only here and there is told so and goes on', async () => {
    const { smsc, link } = await bound();
    smsc.babble(Buffer.from('00000014000000ff000000000000002a01020304', 'hex'));
    smsc.babble(Buffer.from('00000012000000050000000000000007' + '4100', 'hex'));
    expect(await link.submit(SUBMISSION)).toMatchObject({ kind: 'accepted' });
    expect(smsc.boundCount).toBe(1);
  });

  it('and says nothing at all is given up after the time for a bind', async () => {
    await using server = await listen(() => {});
    const { clock, became, link } = linkTo(server.port);
    await once(server.server, 'connection');
    await atRest();
    await clock.advance(10_000);
    await became('waiting');
    expect(link.view().reason).toMatch(/did not answer in time/);
  });

  it('and answers everything but the bind is hung up on, so that attempts do not pile up', async () => {
    const hungUp = new Promise<void>((resolve) => {
      void listen((socket) => {
        socket.on('data', (octets) => {
          const isEnquiry = octets.readUInt32BE(4) === 0x15;
          if (isEnquiry) socket.write(enquiryResponse(octets));
        });
        socket.on('end', resolve);
      }).then(async (server) => {
        open.unshift(server);
        const { clock } = linkTo(server.port, { enquireLinkMs: 3000 });
        await once(server.server, 'connection');
        await atRest();
        for (let second = 0; second < 10; second += 1) await clock.advance(1000);
      });
    });
    await hungUp;
  });
});

/** A server that speaks whatever the test makes it speak. */
async function listen(onSocket: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  let isClosed = false;
  return {
    server,
    port,
    async [Symbol.asyncDispose]() {
      if (isClosed) return;
      isClosed = true;
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function enquiryResponse(request: Buffer): Buffer {
  const response = Buffer.from(request.subarray(0, 16));
  response.writeUInt32BE(0x8000_0015, 4);
  return response;
}

function bindResponse(request: Buffer): Buffer {
  const response = Buffer.concat([request.subarray(0, 16), Buffer.of(0)]);
  response.writeUInt32BE(17, 0);
  response.writeUInt32BE(0x8000_0009, 4);
  return response;
}
