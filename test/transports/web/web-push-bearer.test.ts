/** The Web Push bearer against a push service written from the RFCs, over TLS; somebody else's code decrypts for the browser. */
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebPushBearer } from '../../../src/bearers/web-push/web-push-bearer.js';
import { VapidKey } from '../../../src/protocols/web-push/index.js';
import { BearerStage, SENDER, STAGE_USER } from '../../support/bearer-stage.js';
import { T0 } from '../../support/fake-clock.js';
import { type BrowserSubscription, PushService } from '../../support/push-service.js';
import { TestCa } from '../../support/test-ca.js';

let ca: TestCa;
let service: PushService;
let stage: BearerStage;
let browser: BrowserSubscription;
let bearer: WebPushBearer;

beforeAll(() => {
  ca = new TestCa();
});
afterAll(() => ca[Symbol.dispose]());
beforeEach(async () => {
  service = await PushService.start(ca.issue('push', '/CN=push'));
  browser = service.subscribe();
  const { endpoint: address, keys } = browser;
  stage = await BearerStage.set([{ bearer: 'web-push', address, keys }], { tls: { ca: [ca.ca.toString()] } });
  const { registry, clock, addressGone, http } = stage;
  const key = new VapidKey(Buffer.alloc(32, 9));
  service.applicationServerKey = key.publicKey;
  bearer = new WebPushBearer(
    { http, bindings: (user) => registry.bindings(user), addressGone, clock, randomBytes },
    { sender: SENDER, key, subject: 'mailto:ops@example.test' },
  );
});
afterEach(async () => {
  expect(service.refused).toEqual([]);
  await service[Symbol.asyncDispose]();
  await stage[Symbol.asyncDispose]();
});

const wake = (address: string | undefined = browser.endpoint) =>
  bearer.wake(stage.terminal, stage.sir, address);
const carry = (...item: Parameters<BearerStage['item']>) =>
  bearer.carry(stage.terminal, stage.item(...item), browser.endpoint);
const told = (index = 0) => JSON.parse(browser.messages[index]?.text ?? 'null') as Record<string, unknown>;

describe('a wake-up', () => {
  it('is the SIR in JSON, urgent, for as long as the SIR asks', async () => {
    await expect(wake()).resolves.toMatchObject({ kind: 'handed', address: service.origin });
    expect(browser.messages).toMatchObject([{ ttl: 600, urgency: 'high', topic: 'wake' }]);
    expect(told()).toMatchObject({
      type: 'terminal.wake',
      user: STAGE_USER,
      terminal: { id: stage.terminal.id, name: 'phone' },
      sir: { id: stage.sir.id, applicationId: 'x-wap-application:wml.ua', ppg: 'sip:ppg@example.test' },
    });
  });

  it('takes the place of the one before it, while the browser is closed', async () => {
    await wake();
    await wake();
    expect(browser.messages).toHaveLength(2);
    expect(browser.kept).toHaveLength(1);
  });

  it('goes out without a body to a subscription without keys', async () => {
    stage = await BearerStage.set([{ bearer: 'web-push', address: browser.endpoint }]);
    await expect(wake()).resolves.toMatchObject({ kind: 'handed' });
    expect(browser.messages).toMatchObject([{ text: undefined }]);
  });

  it('goes to the subscription of a registration, when the terminal has none of its own', async () => {
    await stage.registers({ provider: 'webpush', prid: browser.endpoint });
    await expect(bearer.wake(stage.terminal, stage.sir, undefined)).resolves.toMatchObject({
      kind: 'handed',
    });
    expect(browser.messages).toHaveLength(1);
  });

  it.each([
    ['another service', { provider: 'fcm', prid: 'https://localhost/x' }],
    ['no https', { provider: 'webpush', prid: 'http://localhost/x' }],
  ])('of a registration with %s has nowhere to go', async (_, push) => {
    await stage.registers(push);
    await expect(bearer.wake(stage.terminal, stage.sir, undefined)).resolves.toMatchObject({
      kind: 'failed',
    });
  });
});

describe('content', () => {
  it('arrives whole, with its headers, under its id', async () => {
    await expect(carry('Grüße')).resolves.toMatchObject({ kind: 'handed' });
    expect(told()).toEqual({
      id: '0123456789abcdef0123456789abcdef',
      type: 'push',
      contentType: 'text/plain',
      headers: { 'x-wap-application-id': 'x-wap-application:wml.ua' },
      content: 'Grüße',
    });
    expect(browser.messages).toMatchObject([{ ttl: 60, urgency: 'normal' }]);
  });

  it('that is no text comes in Base64', async () => {
    await carry(Buffer.from([0, 255, 128]));
    expect(told()).toMatchObject({ base64: 'AP+A' });
  });

  it('that is sent once more takes the place of the first, while the browser is closed', async () => {
    await carry();
    await carry();
    expect(browser.kept).toHaveLength(1);
    await carry('another', { id: 'f'.repeat(32) });
    expect(browser.kept).toHaveLength(2);
  });

  it('up to what a push service takes is carried, and more is left to a session', async () => {
    await expect(carry('x'.repeat(3700))).resolves.toMatchObject({ kind: 'handed' });
    expect(browser.messages[0]?.octets).toBeLessThanOrEqual(4096);
    await expect(carry('x'.repeat(4000))).resolves.toMatchObject({ kind: 'unfit' });
    expect(browser.messages).toHaveLength(1);
  });

  it('that has to be confirmed is left to a session', async () => {
    await expect(carry('x', { confirmation: 'required' })).resolves.toMatchObject({ kind: 'unfit' });
  });

  it('cannot go to a subscription without keys', async () => {
    stage = await BearerStage.set([{ bearer: 'web-push', address: browser.endpoint }]);
    await expect(carry()).resolves.toMatchObject({ kind: 'unfit' });
  });

  it('is kept for no longer than four weeks', async () => {
    await carry('x', { expiresAt: T0 + 100 * 86_400_000 });
    expect(browser.messages[0]?.ttl).toBe(2_419_200);
  });
});

describe('a subscription that has ended', () => {
  it.each(['wake', 'carry'] as const)('is taken away (%s)', async (how) => {
    browser.isOver = true;
    const outcome = how === 'wake' ? await wake() : await carry();
    expect(outcome.kind).toBe(how === 'wake' ? 'failed' : 'unfit');
    expect(stage.gone).toEqual([`${browser.endpoint}: the push service answered HTTP 410`]);
  });
});

describe('a push service that answers', () => {
  it('413 gets the content no more: it is left to a session', async () => {
    service.status = 413;
    await expect(carry()).resolves.toMatchObject({ kind: 'unfit' });
    expect(stage.gone).toEqual([]);
  });

  it('429 is left alone for as long as it asks, by everybody', async () => {
    service.status = 429;
    service.headers = { 'Retry-After': '120' };
    await expect(carry()).resolves.toMatchObject({ kind: 'lost', retryAt: T0 + 120_000 });
    service.status = undefined;
    await expect(wake()).resolves.toMatchObject({ kind: 'failed', retryAt: T0 + 120_000 });
    expect(bearer.isDown(browser.endpoint)).toBe(true);
    expect(browser.messages).toEqual([]);
    await stage.clock.advance(120_000);
    await expect(carry()).resolves.toMatchObject({ kind: 'handed' });
  });

  it.each([400, 401, 403, 500, 502])('%i gets it again another time', async (status) => {
    service.status = status;
    await expect(carry()).resolves.toMatchObject({ kind: 'lost' });
    await expect(wake()).resolves.toMatchObject({ kind: 'failed' });
    expect(stage.gone).toEqual([]);
  });
});
