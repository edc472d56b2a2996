/** The plain JSON door end to end, on a real gateway: a push in JSON, a terminal, webhooks that get through. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { E2eGateway, INITIATOR, when } from '../support/e2e-gateway.js';
import { addressOf, Initiator } from '../support/e2e-initiator.js';
import { instance, TerminalGuest } from '../support/e2e-terminal.js';
import { WebhookServer } from '../support/webhook-server.js';

const USER = 'sip:json@example.test';
const PHONE = instance(77_001);

let gateway: E2eGateway;
let server: WebhookServer;

beforeAll(async () => {
  gateway = await E2eGateway.start({
    CARILLON_NOTIFY_ALLOW_PRIVATE_ADDRESSES: 'true',
    CARILLON_NOTIFY_RETRY_SECONDS: '1',
  });
  await gateway.addUser(USER, { phone: PHONE });
  server = await WebhookServer.start();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
});

interface Answered {
  readonly status: number;
  readonly body: { readonly [name: string]: unknown };
}

async function ask(method: string, path: string, body?: object): Promise<Answered> {
  const credentials = Buffer.from(`${INITIATOR.id}:${INITIATOR.password}`).toString('base64');
  const answer = await fetch(`http://127.0.0.1:${gateway.ports.http}/v1/pushes${path}`, {
    method,
    headers: { authorization: `Basic ${credentials}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as Answered['body'] };
}

const about = (pushId: string) => server.received.filter(({ event }) => event['pushId'] === pushId);
const order = (pushId: string, changes: object = {}) => ({
  pushId,
  to: [USER],
  content: { type: 'text/plain', text: 'Grüezi in JSON' },
  notify: { url: server.url, secret: server.secret },
  ...changes,
});

describe('a push in JSON', () => {
  it('reaches the terminal, and its initiator is told by a signed webhook', async () => {
    await using guest = await TerminalGuest.start(gateway, { user: USER, instance: PHONE });
    expect(await ask('POST', '', order('plain'))).toMatchObject({ status: 202, body: { pushId: 'plain' } });
    await guest.after('content');
    expect(guest.texts).toEqual(['Grüezi in JSON']);
    const [webhook] = await when(
      () => about('plain'),
      (found) => found.length > 0,
      'webhooks',
    );
    expect(webhook).toMatchObject({
      isSigned: true,
      event: { type: 'push.result', recipient: { address: USER, state: 'delivered', code: 1000 } },
    });
    expect(webhook?.event['id']).toBe(webhook?.id);
    expect(webhook?.ageSeconds).toBeLessThan(300);
  });

  it('is told again after an error and over a crash, until it is taken, under one id', async () => {
    server.answer = ({ event }) => (event['pushId'] === 'stubborn' ? 500 : 204);
    await using guest = await TerminalGuest.start(gateway, { user: USER, instance: PHONE });
    const submitted = order('stubborn', { content: { type: 'text/plain', text: 'once' } });
    expect(await ask('POST', '', submitted)).toMatchObject({ status: 202 });
    await when(
      () => about('stubborn'),
      (found) => found.length >= 2,
      'webhooks',
    );
    await gateway.crashAndRestart();
    server.answer = () => 204;
    const told = await when(
      () => ask('GET', '/stubborn'),
      ({ body }) => JSON.stringify(body).includes('"notification":{"state":"sent"'),
      'the push',
    );
    expect(told.body).toMatchObject({ state: 'delivered' });
    const received = about('stubborn');
    expect(received.length).toBeGreaterThanOrEqual(3);
    expect(received.every(({ isSigned }) => isSigned)).toBe(true);
    expect(new Set(received.map(({ id, body }) => `${id} ${body}`)).size).toBe(1);
    expect(guest.texts).toEqual(['once']);
    expect(await ask('POST', '', submitted)).toMatchObject({ status: 200, body: { state: 'delivered' } });
  });

  it('can be taken back while the terminal is away, and the webhook says so', async () => {
    await ask('POST', '', order('regretted'));
    expect(await ask('DELETE', '/regretted')).toMatchObject({
      status: 200,
      body: { state: 'cancelled', recipients: [{ outcome: 'cancelled' }] },
    });
    const [webhook] = await when(
      () => about('regretted'),
      (found) => found.length > 0,
      'webhooks',
    );
    expect(webhook?.event).toMatchObject({ recipient: { state: 'cancelled' } });
  });

  it('and one by PAP meet in one list, and keep out of each other’s names', async () => {
    await new Initiator(gateway).push({ pushId: 'by-pap', to: addressOf(USER) });
    expect((await ask('POST', '', order('by-pap'))).status).toBe(409);
    const { body } = await ask('GET', '');
    const ids = (body['pushes'] as { readonly pushId: string }[]).map(({ pushId }) => pushId);
    expect(ids).toEqual(expect.arrayContaining(['by-pap', 'plain']));
    await ask('DELETE', '/by-pap');
  });

  it('leaves no secret in the log nor in what the admin API tells', async () => {
    await ask('POST', '', order('discreet'));
    const seen = JSON.stringify([gateway.log, await gateway.push('discreet')]);
    expect(seen).toContain('discreet');
    expect(seen).not.toContain(server.secret.slice(6));
    await ask('DELETE', '/discreet');
  });
});
