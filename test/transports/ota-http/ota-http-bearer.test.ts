/** The OTA-HTTP bearer against a listening terminal, on real sockets: what arrives, what the answer means, what is learnt of the terminal. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { OtaHttpBearer } from '../../../src/bearers/ota-http/ota-http-bearer.js';
import type { HeaderField } from '../../../src/protocols/mime/index.js';
import type { PushRequest } from '../../../src/protocols/ota-http/index.js';
import { decodeSia } from '../../../src/protocols/sia/index.js';
import { publicUserIdentity } from '../../../src/registry/public-user-identity.js';
import { terminalId } from '../../../src/registry/terminal-id.js';
import type { Terminal } from '../../../src/registry/user.js';
import { OtaHttpListener } from '../../../src/terminal/ota-http-listener.js';
import { OtaResponder, type OtaResponderOptions } from '../../../src/terminal/ota-http-responder.js';
import { GuardedHttp, type GuardedHttpOptions } from '../../../src/transports/guarded-http/guarded-http.js';
import { aSir } from '../../support/a-sir.js';
import { anItem, ITEM_ID } from '../../support/an-item.js';
import { FakeClock, T0 } from '../../support/fake-clock.js';
import { MemoryRegistry } from '../../support/memory-registry.js';
import { TestCa } from '../../support/test-ca.js';

const USER = publicUserIdentity('sip:alice@example.test');
const CAPABILITIES: readonly HeaderField[] = [
  { name: 'X-Wap-Push-Accept', value: 'text/plain, application/vnd.wap.sic' },
  { name: 'X-Wap-Push-MsgSize', value: '1400' },
  { name: 'X-Wap-Push-Accept-MaxPushReq', value: '2' },
];

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part[Symbol.asyncDispose]();
});

const clock = new FakeClock();

async function stage(options: Partial<OtaResponderOptions> = {}, http: Partial<GuardedHttpOptions> = {}) {
  const taken: PushRequest[] = [];
  const responder = new OtaResponder({
    capabilities: CAPABILITIES,
    take: async (push) => {
      taken.push(push);
      return 400;
    },
    ...options,
  });
  const listener = await OtaHttpListener.start(responder, { host: '127.0.0.1', port: 0 });
  open.push(listener);
  const bearerStage = await withBearer(http);
  return { ...bearerStage, responder, taken, url: listener.url, listener };
}

async function withBearer(http: Partial<GuardedHttpOptions> = {}, terminal: Partial<Terminal> = {}) {
  const registry = new MemoryRegistry({ now: () => clock.now() });
  await registry.putUser({ id: USER, aliases: [], policy: { target: 'all-subscribed' } });
  const phone: Terminal = {
    id: terminalId(USER, 'phone'),
    user: USER,
    name: 'phone',
    identities: [],
    activation: [{ bearer: 'ota-http' }],
    preferences: {},
    capabilities: {},
    origin: 'provisioned',
    ...terminal,
  };
  await registry.putTerminal(phone);
  const guarded = new GuardedHttp({
    timeoutMs: 5000,
    allowPrivateAddresses: true,
    setting: 'bearers.otaHttp.allowPrivateAddresses',
    maxPerHost: 16,
    ...http,
  });
  open.push({ [Symbol.asyncDispose]: async () => guarded.close() });
  const bearer = new OtaHttpBearer(
    { http: guarded, registry, clock },
    { ppgUri: 'sip:ppg@example.test', contactPoint: { address: '127.0.0.1', port: 5060 } },
  );
  const known = async () => (await registry.findTerminal(phone.id)) ?? phone;
  return { bearer, registry, known };
}

const SIR = aSir({ user: USER });

/** An HTTP server that answers as the test says, one answer after the other. */
async function scripted(
  ...answers: readonly (readonly [status: number, headers?: Record<string, string>])[]
) {
  const seen: { method: string; tag: string | undefined }[] = [];
  const server: Server = createServer((request, response) => {
    request.resume();
    const tag = request.headers['x-wap-cpitag'];
    const [status, headers = {}] = answers[Math.min(seen.length, answers.length - 1)] ?? [500];
    seen.push({ method: request.method ?? '', tag: tag === undefined ? undefined : String(tag) });
    response.writeHead(status, headers).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push({
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/wappush`, seen };
}

const status = (text: string, more: Record<string, string> = {}) =>
  [204, { 'X-Wap-Push-Status': text, ...more }] as const;

describe('a push that is carried', () => {
  it('arrives whole under its id, and is confirmed', async () => {
    const { bearer, known, taken, url } = await stage();
    await expect(bearer.carry(await known(), anItem(), url)).resolves.toEqual({ kind: 'confirmed' });
    expect(taken).toEqual([
      {
        id: ITEM_ID,
        contentType: 'text/plain',
        headers: [{ name: 'X-Wap-Application-Id', value: 'x-wap-application:wml.ua' }],
        content: Buffer.from('Hello'),
      },
    ]);
  });

  it.each([
    ['234', { kind: 'refused', why: 'declined', code: 5026 }],
    ['235 USERRFS', { kind: 'refused', why: 'declined', code: 5027 }],
    ['236 USERPND', { kind: 'lost' }],
    ['237', { kind: 'refused', why: 'declined', code: 5029 }],
    ['238', { kind: 'refused', why: 'declined', code: 5030 }],
    ['226', { kind: 'lost' }],
    ['999', { kind: 'lost' }],
  ])('and answered %s is %j', async (text, outcome) => {
    const { bearer, known } = await withBearer();
    const { url } = await scripted(status(text));
    await expect(bearer.carry(await known(), anItem(), url)).resolves.toMatchObject(outcome);
  });

  it.each([
    [200, { kind: 'handed' }],
    [404, { kind: 'lost' }],
    [405, { kind: 'lost' }],
    [413, { kind: 'refused', why: 'size' }],
    [415, { kind: 'refused', why: 'mediaType' }],
    [500, { kind: 'lost' }],
    [302, { kind: 'lost' }],
  ] as const)('and answered by HTTP %i alone is %j', async (code, outcome) => {
    const { bearer, known } = await withBearer();
    const { url } = await scripted([code, { Location: 'http://127.0.0.1:1/' }]);
    await expect(bearer.carry(await known(), anItem(), url)).resolves.toMatchObject(outcome);
  });

  it('to a terminal that wants to be left alone waits, and nothing calls it before', async () => {
    const { bearer, known } = await withBearer();
    const { url, seen } = await scripted([503, { 'Retry-After': '30' }], status('400'));
    const retryAt = clock.now() + 30_000;
    await expect(bearer.carry(await known(), anItem(), url)).resolves.toMatchObject({
      kind: 'lost',
      retryAt,
    });
    expect(bearer.isDown(url)).toBe(true);
    await expect(bearer.carry(await known(), anItem(), url)).resolves.toMatchObject({
      kind: 'lost',
      retryAt,
    });
    expect(seen).toHaveLength(1);
    await clock.advance(30_000);
    expect(bearer.isDown(url)).toBe(false);
    await expect(bearer.carry(await known(), anItem(), url)).resolves.toEqual({ kind: 'confirmed' });
  });

  it('to a terminal that is away is lost, in words that say why', async () => {
    const { bearer, known, listener, url } = await stage();
    await listener[Symbol.asyncDispose]();
    await expect(bearer.carry(await known(), anItem(), url)).resolves.toMatchObject({
      kind: 'lost',
      detail: expect.stringContaining('ECONNREFUSED'),
    });
  });

  it('to a private address is lost where the operator has not allowed it', async () => {
    const { bearer, known, taken, url } = await stage({}, { allowPrivateAddresses: false });
    await expect(bearer.carry(await known(), anItem(), url)).resolves.toMatchObject({
      kind: 'lost',
      detail: expect.stringContaining('bearers.otaHttp.allowPrivateAddresses'),
    });
    expect(taken).toEqual([]);
  });

  it('without an address is unfit', async () => {
    const { bearer, known } = await withBearer();
    await expect(bearer.carry(await known(), anItem(), undefined)).resolves.toMatchObject({ kind: 'unfit' });
  });

  it('goes over TLS to a terminal whose certificate is vouched for, and to no other', async () => {
    using ca = new TestCa();
    const { cert, key } = ca.issue('phone', '/CN=phone');
    const { responder, taken } = await stage();
    const secure = await OtaHttpListener.start(responder, { host: '127.0.0.1', port: 0, tls: { cert, key } });
    open.push(secure);
    const trusting = await withBearer({ tls: { ca: [ca.ca.toString()] } });
    await expect(trusting.bearer.carry(await trusting.known(), anItem(), secure.url)).resolves.toEqual({
      kind: 'confirmed',
    });
    const { bearer, known } = await withBearer();
    await expect(bearer.carry(await known(), anItem(), secure.url)).resolves.toMatchObject({ kind: 'lost' });
    expect(taken).toHaveLength(1);
  });
});

describe('pushes to one terminal', () => {
  it('come one at a time while it has not said that it takes more', async () => {
    let underWay = 0;
    let most = 0;
    const { bearer, known, url } = await stage({
      async take() {
        underWay += 1;
        most = Math.max(most, underWay);
        await new Promise((resolve) => setImmediate(resolve));
        underWay -= 1;
        return 400;
      },
    });
    const phone = await known();
    const all = await Promise.all(Array.from({ length: 6 }, () => bearer.carry(phone, anItem(), url)));
    expect(all.every(({ kind }) => kind === 'confirmed')).toBe(true);
    expect(most).toBe(1);
  });

  it('come as many at a time as it takes', async () => {
    let arrived = 0;
    let bothAreThere: () => void = () => {};
    const both = new Promise<void>((resolve) => {
      bothAreThere = resolve;
    });
    const { bearer, known, url } = await stage({
      async take() {
        arrived += 1;
        if (arrived === 2) bothAreThere();
        await both; // the first is not answered before the second has come
        return 400;
      },
    });
    const phone = { ...(await known()), capabilities: { maxPushRequests: 2 } };
    const all = await Promise.all(Array.from({ length: 4 }, () => bearer.carry(phone, anItem(), url)));
    expect(all.every(({ kind }) => kind === 'confirmed')).toBe(true);
  });
});

describe('capabilities', () => {
  const report = { tag: 'AQIDBA==', at: T0 } as const;

  it('that the terminal is not known by any more are asked for, stored, and the push comes once more', async () => {
    const { bearer, known, registry, responder, taken, url } = await stage();
    const phone = { ...(await known()), reported: { cpi: report } };
    await registry.putTerminal(phone);
    await expect(bearer.carry(phone, anItem(), url)).resolves.toEqual({ kind: 'confirmed' });
    expect(taken).toMatchObject([{ cpiTag: responder.cpiTag }]);
    expect((await known()).reported?.cpi).toEqual({
      at: clock.now(),
      accept: ['text/plain', 'application/vnd.wap.sic'],
      maxMessageSize: 1400,
      maxPushRequests: 2,
      tag: responder.cpiTag,
    });
    // From now on the tag is right at once.
    await bearer.carry(await known(), anItem(), url);
    expect(taken).toHaveLength(2);
  });

  it('are asked for once and no more', async () => {
    const { bearer, known } = await withBearer({}, { reported: { cpi: report } });
    const { url, seen } = await scripted(status('256', { 'X-Wap-CPITag': 'ff' }));
    await expect(bearer.carry(await known(), anItem(), url)).resolves.toMatchObject({ kind: 'lost' });
    expect(seen.map(({ method }) => method)).toEqual(['POST', 'OPTIONS', 'POST']);
  });

  it('that the terminal does not tell are passed over: the push comes with the tag that it named', async () => {
    const { bearer, known } = await withBearer({}, { reported: { cpi: report } });
    const { url, seen } = await scripted(status('256', { 'X-Wap-CPITag': 'ff' }), [405], status('400'));
    await expect(bearer.carry(await known(), anItem(), url)).resolves.toEqual({ kind: 'confirmed' });
    expect(seen.map(({ tag }) => tag)).toEqual(['AQIDBA==', 'AQIDBA==', 'ff']);
  });

  it('tell what is too large before it is sent', async () => {
    const { bearer, known, registry, taken, url } = await stage();
    await registry.putTerminal({ ...(await known()), reported: { cpi: { ...report, maxMessageSize: 4 } } });
    await expect(bearer.carry(await known(), anItem(), url)).resolves.toMatchObject({
      kind: 'refused',
      why: 'size',
    });
    const withSip = { ...(await known()), activation: [{ bearer: 'ota-http' }, { bearer: 'sip' }] } as const;
    await expect(bearer.carry(withSip, anItem(), url)).resolves.toMatchObject({ kind: 'unfit' });
    expect(taken).toEqual([]);
  });

  it('say which documents are read as text', async () => {
    const { bearer, known } = await withBearer();
    const phone = await known();
    const reads = (accept?: readonly string[]) =>
      bearer.readsText({ ...phone, capabilities: accept === undefined ? {} : { accept } }, 'text/vnd.wap.si');
    expect(reads()).toBe(true);
    for (const range of ['text/vnd.wap.si;q=1', 'TEXT/*', '*/*', '*']) expect(reads([range])).toBe(true);
    expect(reads(['application/vnd.wap.sic', 'image/*'])).toBe(false);
  });
});

describe('a SIR', () => {
  it('arrives as a SIA body with both push headers (SIR-82, SIR-87, SIR-145)', async () => {
    const { bearer, known, taken, url } = await stage();
    await expect(bearer.wake(await known(), SIR, url)).resolves.toMatchObject({
      kind: 'handed',
      address: url,
    });
    const [sir] = taken;
    expect(sir?.contentType).toBe('application/vnd.wap.sia');
    expect(sir?.headers).toEqual([{ name: 'X-Wap-Application-Id', value: 'x-wap-application:push.sia' }]);
    expect(decodeSia(sir?.content ?? new Uint8Array()).extension?.id).toBe('phone.abc');
  });

  it.each([
    ['235', 'refused'],
    ['236', 'failed'],
    ['238', 'failed'],
  ])('answered %s is %s', async (text, kind) => {
    const { bearer, known } = await withBearer();
    const { url } = await scripted(status(text));
    await expect(bearer.wake(await known(), SIR, url)).resolves.toMatchObject({ kind });
  });

  it('that the terminal wants later is deferred until then, with its reason (SIR-136)', async () => {
    const { bearer, known, url } = await stage({
      take: async () => ({ status: 236, reason: 'Quiet hours', retryAfterSeconds: 1800 }),
    });
    await expect(bearer.wake(await known(), SIR, url)).resolves.toMatchObject({
      kind: 'deferred',
      retryAt: clock.now() + 1_800_000,
      detail: expect.stringContaining('236 USERPND: Quiet hours'),
    });
  });

  it('to nobody has failed', async () => {
    const { bearer, known } = await withBearer();
    await expect(bearer.wake(await known(), SIR, 'http://127.0.0.1:1/wappush')).resolves.toMatchObject({
      kind: 'failed',
    });
    await expect(bearer.wake(await known(), SIR, undefined)).resolves.toMatchObject({ kind: 'failed' });
  });
});
