/**
 * Bearers that call services on the Internet, through the whole gateway: the call-back of an operator and Web Push. The services are
 * written from their own documents; the gateway trusts their CA as an operator would make it.
 */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { E2eGateway, when } from '../support/e2e-gateway.js';
import { addressOf, Initiator } from '../support/e2e-initiator.js';
import { instance, TerminalGuest } from '../support/e2e-terminal.js';
import { PushService } from '../support/push-service.js';
import { TestCa } from '../support/test-ca.js';
import { WebhookServer } from '../support/webhook-server.js';

let ca: TestCa;
let service: PushService;
let callback: WebhookServer;
let gateway: E2eGateway;
let initiator: Initiator;
let users = 0;

beforeAll(async () => {
  ca = new TestCa();
  service = await PushService.start(ca.issue('push', '/CN=push'));
  callback = await WebhookServer.start();
  gateway = await E2eGateway.start({
    NODE_EXTRA_CA_CERTS: ca.caFile,
    CARILLON_HTTP_CALLBACK_SECRET: callback.secret,
    CARILLON_HTTP_CALLBACK_ALLOW_PRIVATE_ADDRESSES: 'true',
    CARILLON_WEB_PUSH_SUBJECT: 'mailto:ops@example.test',
    CARILLON_WEB_PUSH_ALLOW_PRIVATE_ADDRESSES: 'true',
    CARILLON_WAKE_RETRY_SECONDS: '[1]',
  });
  initiator = new Initiator(gateway);
  service.applicationServerKey = await publicKey();
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await callback[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
  ca[Symbol.dispose]();
});

async function publicKey(): Promise<string> {
  const { body } = await gateway.admin('GET', '/status');
  return (body as { webPush: { publicKey: string } }).webPush.publicKey;
}

async function newUser(activation: readonly object[]) {
  users += 1;
  const user = `sip:web${users}@example.test`;
  const uuid = instance(40_000 + users);
  await gateway.addUser(user, { phone: { identities: [{ kind: 'uuid', value: uuid }], activation } });
  const path = `/users/${encodeURIComponent(user)}/terminals/phone`;
  const activationNow = async () =>
    ((await gateway.admin('GET', path)).body as { activation: { bearer: string }[] }).activation;
  return { user, uuid, to: addressOf(user, uuid), activationNow };
}

const subscribed = () => {
  const browser = service.subscribe();
  return { browser, method: { bearer: 'web-push', address: browser.endpoint, keys: browser.keys } };
};

describe('Web Push', () => {
  it('carries a small push to a browser, and says that nobody confirmed it', async () => {
    const { browser, method } = subscribed();
    const { to } = await newUser([method]);
    await initiator.push({ pushId: 'web@pi', to, content: 'Grüße' });
    const push = await gateway.pushBecomes('web@pi', 'delivered');
    expect(JSON.parse(browser.messages[0]?.text ?? '')).toMatchObject({ id: push.uid, content: 'Grüße' });
    expect(push.recipients[0]?.deliveries[0]).toMatchObject({ bearer: 'web-push', isUnconfirmed: true });
    expect(service.refused).toEqual([]);
  });

  it('wakes for what it cannot carry', async () => {
    const { browser, method } = subscribed();
    const { to } = await newUser([method]);
    await initiator.push({ pushId: 'web-large@pi', to, content: randomBytes(5000) });
    const messages = await when(
      () => browser.messages,
      ({ length }) => length > 0,
      'messages',
    );
    expect(JSON.parse(messages[0]?.text ?? '')).toMatchObject({ type: 'terminal.wake' });
    expect((await gateway.push('web-large@pi')).recipients[0]?.state).toBe('pending');
  });

  it('gives a subscription up that has ended, for good', async () => {
    const { browser, method } = subscribed();
    browser.isOver = true;
    const { user, to, activationNow } = await newUser([method]);
    await initiator.push({ pushId: 'web-gone@pi', to, content: 'x' });
    expect(await when(activationNow, ({ length }) => length === 0, 'activation')).toEqual([]);
    const removal = await gateway.logged(({ msg }) => msg === 'activation method removed');
    expect(removal).toMatchObject({ bearer: 'web-push', reason: expect.stringContaining('410') });
    expect(JSON.stringify(gateway.log)).not.toContain(new URL(browser.endpoint).pathname);
    // The page subscribes anew, and what waited comes.
    const again = subscribed();
    await gateway.addTerminal(user, 'phone', { activation: [again.method] });
    await gateway.pushBecomes('web-gone@pi', 'delivered');
    expect(again.browser.messages).toHaveLength(1);
  });

  it('has the same key after a crash: subscriptions outlive the process', async () => {
    await gateway.crashAndRestart();
    expect(await publicKey()).toBe(service.applicationServerKey);
    const { browser, method } = subscribed();
    const { to } = await newUser([method]);
    await initiator.push({ pushId: 'web-again@pi', to, content: 'again' });
    await gateway.pushBecomes('web-again@pi', 'delivered');
    expect(browser.messages).toHaveLength(1);
  });
});

describe('a call-back', () => {
  it('wakes a terminal, which then comes for its content (SIR-90, SIR-95)', async () => {
    const { user, uuid, to } = await newUser([{ bearer: 'http-callback', address: callback.url }]);
    await initiator.push({ pushId: 'hook@pi', to, content: 'after the call' });
    const [event] = await when(
      () => callback.received,
      ({ length }) => length > 0,
      'calls',
    );
    expect(event).toMatchObject({ isSigned: true, event: { type: 'terminal.wake', user } });
    await using guest = await TerminalGuest.start(gateway, {
      user,
      instance: uuid,
      features: ['+g.oma.pusheventapp="push.sia"'],
    });
    const push = await gateway.pushBecomes('hook@pi', 'delivered');
    expect(guest.texts).toEqual(['after the call']);
    expect(push.recipients[0]?.deliveries[0]?.wakes.at(-1)).toMatchObject({
      bearer: 'http-callback',
      outcome: 'handed',
    });
  });
});
