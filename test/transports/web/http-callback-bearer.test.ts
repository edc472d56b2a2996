/** The call-back bearer against a wake-up service on real sockets, which checks the signature as its author would. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  HttpCallbackBearer,
  type HttpCallbackBearerOptions,
} from '../../../src/bearers/http-callback/http-callback-bearer.js';
import { decodeSia } from '../../../src/protocols/sia/index.js';
import { decodeWebhookSecret } from '../../../src/protocols/standard-webhooks/index.js';
import type { GuardedHttpOptions } from '../../../src/transports/guarded-http/guarded-http.js';
import { BearerStage, SENDER, STAGE_USER } from '../../support/bearer-stage.js';
import { T0 } from '../../support/fake-clock.js';
import { WebhookServer } from '../../support/webhook-server.js';

let service: WebhookServer;
let stage: BearerStage;

beforeEach(async () => {
  service = await WebhookServer.start();
});
afterEach(async () => {
  await service[Symbol.asyncDispose]();
  await stage[Symbol.asyncDispose]();
});

async function bearerWith(
  options: Partial<HttpCallbackBearerOptions> = {},
  http: Partial<GuardedHttpOptions> = {},
): Promise<HttpCallbackBearer> {
  stage = await BearerStage.set([{ bearer: 'http-callback', address: service.url }], http);
  const { registry, clock, addressGone } = stage;
  const bindings = (user: typeof STAGE_USER) => registry.bindings(user);
  const keyFor = () => decodeWebhookSecret(service.secret);
  return new HttpCallbackBearer(
    { http: stage.http, bindings, addressGone, clock },
    { sender: SENDER, keyFor, ...options },
  );
}

const wake = (bearer: HttpCallbackBearer, address: string | undefined = service.url) =>
  bearer.wake(stage.terminal, stage.sir, address);

describe('a wake-up', () => {
  it('is a signed POST of the SIR in words and in octets (SIR-90)', async () => {
    const bearer = await bearerWith();
    await expect(wake(bearer)).resolves.toMatchObject({ kind: 'handed', address: service.url });
    const [{ isSigned, id, event } = { isSigned: false, id: '', event: {} }] = service.received;
    expect(isSigned).toBe(true);
    expect(event).toEqual({
      id,
      type: 'terminal.wake',
      user: STAGE_USER,
      terminal: { id: stage.terminal.id, name: 'phone' },
      sir: {
        id: stage.sir.id,
        applicationId: 'x-wap-application:wml.ua',
        ppg: 'sip:ppg@example.test',
        createdAt: new Date(T0).toISOString(),
        expiresAt: new Date(T0 + 600_000).toISOString(),
      },
      sia: expect.any(String),
    });
    const sia = decodeSia(Buffer.from(String((event as { sia: string }).sia), 'base64'));
    expect(sia.extension?.id).toBe(stage.sir.id);
  });

  it('names what the registration of the terminal says of being woken', async () => {
    const bearer = await bearerWith();
    const push = { provider: 'fcm', prid: 'token', param: 'project' };
    await stage.registers(push);
    await wake(bearer);
    expect(service.received[0]?.event).toMatchObject({ pns: push });
  });

  it('goes to the configured address when the terminal has none of its own', async () => {
    const bearer = await bearerWith({ defaultAddress: service.url });
    await expect(bearer.wake(stage.terminal, stage.sir, undefined)).resolves.toMatchObject({
      kind: 'handed',
    });
    expect(service.received).toHaveLength(1);
  });

  it('without any address, or without a secret for it, has failed', async () => {
    const bearer = await bearerWith({ keyFor: () => undefined });
    await expect(bearer.wake(stage.terminal, stage.sir, undefined)).resolves.toMatchObject({
      kind: 'failed',
    });
    await expect(wake(bearer)).resolves.toMatchObject({ kind: 'failed' });
    expect(service.received).toEqual([]);
  });

  it('to a private address is not sent where the operator has not allowed it', async () => {
    const bearer = await bearerWith({}, { allowPrivateAddresses: false });
    await expect(wake(bearer)).resolves.toMatchObject({
      kind: 'failed',
      detail: expect.stringContaining('public'),
    });
    expect(service.received).toEqual([]);
  });
});

describe('an answer', () => {
  it.each([404, 410])('of %i takes the address away', async (status) => {
    const bearer = await bearerWith();
    service.answer = () => status;
    await expect(wake(bearer)).resolves.toMatchObject({ kind: 'failed' });
    expect(stage.gone).toEqual([`${service.url}: the wake-up service answered HTTP ${status}`]);
  });

  it('of 410 at the configured address takes nothing away', async () => {
    const bearer = await bearerWith({ defaultAddress: service.url });
    service.answer = () => 410;
    await bearer.wake(stage.terminal, stage.sir, undefined);
    expect(stage.gone).toEqual([]);
  });

  it.each([301, 400, 401, 500])('of %i has failed, and the address stays', async (status) => {
    const bearer = await bearerWith();
    service.answer = () => status;
    await expect(wake(bearer)).resolves.toMatchObject({ kind: 'failed' });
    expect(stage.gone).toEqual([]);
  });

  it.each([429, 503])('of %i with a time is heeded: nobody calls before', async (status) => {
    const bearer = await bearerWith();
    service.answer = () => status;
    service.answerHeaders = { 'retry-after': '60' };
    await expect(wake(bearer)).resolves.toMatchObject({ kind: 'failed', retryAt: T0 + 60_000 });
    expect(bearer.isDown(service.url)).toBe(true);
    await expect(wake(bearer)).resolves.toMatchObject({ kind: 'failed', retryAt: T0 + 60_000 });
    expect(service.received).toHaveLength(1);
    service.answer = () => 204;
    await stage.clock.advance(60_000);
    expect(bearer.isDown(service.url)).toBe(false);
    await expect(wake(bearer)).resolves.toMatchObject({ kind: 'handed' });
  });
});
