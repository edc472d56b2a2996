/** Push initiators with rights and limits, against the whole gateway: who is let in, what is refused, what is counted. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { E2eGateway, when } from '../support/e2e-gateway.js';
import { addressOf, Initiator, papDocument, pushElement } from '../support/e2e-initiator.js';
import { instance, TerminalGuest } from '../support/e2e-terminal.js';
import { startGatewayProcess } from '../support/gateway-process.js';
import { MULTIPART_TYPE, submissionBody } from '../support/pap.js';
import { TestCa } from '../support/test-ca.js';

const ALICE = 'sip:alice@example.test';
const BOB = 'sip:bob@elsewhere.test';

let gateway: E2eGateway;
let ca: TestCa;

beforeAll(async () => {
  ca = new TestCa();
  gateway = await E2eGateway.start();
  await gateway.addUser(ALICE, { phone: instance(1) });
  await gateway.addUser(BOB, { phone: instance(2) });
});
afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]();
  ca?.[Symbol.dispose]();
});

/** Provisions an initiator and gives it to submit with. */
async function provision(id: string, attributes: object): Promise<Initiator> {
  const { status } = await gateway.admin('PUT', `/push-initiators/${id}`, { password: 'pw', ...attributes });
  expect(status).toBe(201);
  return new Initiator(gateway, { id, password: 'pw' });
}

const usage = async (id: string) =>
  ((await gateway.admin('GET', `/push-initiators/${id}`)).body as { usage: { pendingPushes: number } }).usage;

describe('a quota of pending pushes', () => {
  it('holds exactly when many pushes come together, and outlives a crash', async () => {
    const initiator = await provision('full', { limits: { pendingPushes: 5 } });
    const order = (index: number) => ({ pushId: `${index}@full`, to: addressOf(ALICE) });
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) => initiator.submit(order(index))),
    );
    const refused = answers.filter(({ code }) => code !== 1001);
    expect(answers.length - refused.length).toBe(5);
    for (const answer of refused) {
      expect(answer).toMatchObject({ status: 202, kind: 'push-response', code: 4001 });
      expect(answer.text).toContain('quota of 5 pending pushes is used up');
    }
    await gateway.crashAndRestart();
    expect(await usage('full')).toEqual({ pendingPushes: 5, pendingBytes: 25 });
    expect((await initiator.submit({ pushId: 'one more@full', to: addressOf(ALICE) })).code).toBe(4001);
  });

  it('has room again when a push is cancelled', async () => {
    const initiator = await provision('cancels', { limits: { pendingPushes: 1 } });
    await initiator.push({ pushId: '1@cancels', to: addressOf(ALICE) });
    expect((await initiator.submit({ pushId: '2@cancels', to: addressOf(ALICE) })).code).toBe(4001);
    await initiator.ask('<cancel-message push-id="1@cancels"/>');
    await when(
      () => usage('cancels'),
      ({ pendingPushes }) => pendingPushes === 0,
      'usage',
    );
    await initiator.push({ pushId: '2@cancels', to: addressOf(ALICE) });
  });
});

describe('rights', () => {
  it('refuse an address and an application by name', async () => {
    const rights = { addresses: ['sip:*@example.test'], applicationIds: ['mms.ua'] };
    const initiator = await provision('narrow', { rights });
    const headers = ['X-Wap-Application-Id: x-wap-application:mms.ua'];
    await initiator.push({ pushId: '1@narrow', to: addressOf(ALICE), headers });
    const elsewhere = await initiator.submit({ pushId: '2@narrow', to: addressOf(BOB), headers });
    expect(elsewhere.code).toBe(2001);
    expect(elsewhere.text).toMatch(/desc="address [^"]*elsewhere\.test[^"]* is not allowed/);
    const other = await initiator.submit({ pushId: '3@narrow', to: addressOf(ALICE) });
    expect(other.code).toBe(2001);
    expect(other.text).toContain('application id x-wap-application:wml.ua is not allowed');
  });
});

describe('a rate', () => {
  it('refuses what comes too fast, with the rate', async () => {
    const initiator = await provision('fast', { limits: { pushesPerSecond: 0.01, burst: 2 } });
    const answers = [];
    for (const index of [1, 2, 3]) {
      answers.push(await initiator.submit({ pushId: `${index}@fast`, to: addressOf(ALICE) }));
    }
    expect(answers.map(({ code }) => code)).toEqual([1001, 1001, 4001]);
    expect(answers[2]?.text).toContain('rate limit of 0.01 pushes/s reached');
  });
});

describe('who is let in', () => {
  it('by token, until it is taken back', async () => {
    await provision('tokens', {});
    const { body } = await gateway.admin('POST', '/push-initiators/tokens/tokens');
    const { token, tokenId } = body as { token: string; tokenId: string };
    const initiator = new Initiator(gateway, { token });
    await initiator.push({ pushId: '1@tokens', to: addressOf(ALICE) });
    await gateway.admin('DELETE', `/push-initiators/tokens/tokens/${tokenId}`);
    await when(
      () => initiator.submit({ pushId: '1@tokens', to: addressOf(ALICE) }),
      ({ status }) => status === 401,
      'the token',
    );
  });

  it('from its networks only', async () => {
    const inside = await provision('inside', { sourceNetworks: ['127.0.0.0/8', '::1/128'] });
    await inside.push({ pushId: '1@inside', to: addressOf(ALICE) });
    const outside = await provision('outside', { sourceNetworks: ['192.0.2.0/24'] });
    expect((await outside.submit({ pushId: '1@outside', to: addressOf(ALICE) })).status).toBe(403);
  });
});

describe('a gateway with TLS', () => {
  const PI_URI = 'https://pi.example.test/service';
  let secure: E2eGateway;
  let client: { readonly cert: Buffer; readonly key: Buffer };
  beforeAll(async () => {
    const { certFile, keyFile } = ca.issue('gateway', '/CN=localhost');
    const { cert, key } = ca.issue('client', '/O=Example/CN=pi');
    client = { cert, key };
    secure = await E2eGateway.start({
      CARILLON_HTTP_TLS_CERT_FILE: certFile,
      CARILLON_HTTP_TLS_KEY_FILE: keyFile,
      CARILLON_HTTP_TLS_CLIENT_CA_FILE: ca.caFile,
      CARILLON_PUSH_INITIATORS: JSON.stringify([
        {
          id: 'by-certificate',
          certificates: [{ subject: 'CN=pi,O=Example' }],
          trust: { initiatorUris: ['https://pi.example.test/*'], content: true },
        },
      ]),
    });
  });
  afterAll(() => secure?.[Symbol.asyncDispose]());

  /** Posts over HTTPS with the client's certificate; gives status and body of the answer. */
  async function post(body: string | Buffer, contentType: string): Promise<[number | undefined, string]> {
    const outgoing = request({
      host: '127.0.0.1',
      port: secure.ports.http,
      path: '/pap',
      method: 'POST',
      headers: { 'content-type': contentType },
      agent: false,
      ca: ca.ca,
      ...client,
    });
    outgoing.end(body);
    const [answer] = await once(outgoing, 'response');
    return [answer.statusCode, await text(answer)];
  }

  it('speaks HTTPS and knows a configured initiator by its certificate', async () => {
    const [status] = await post('nonsense', 'application/xml');
    expect(status).toBe(202); // let in, and told in PAP that this is no PAP
    const line = await secure.logged(({ msg }) => msg === 'pap');
    expect(line['initiator']).toBe('by-certificate');
  });

  it('tells the terminal what it may believe, whatever the initiator says of itself', async () => {
    await secure.addUser(ALICE, { phone: instance(1) });
    await using guest = await TerminalGuest.start(secure, { user: ALICE, instance: instance(1) });
    const control = papDocument(pushElement({ pushId: 'flag@pi', to: addressOf(ALICE) }));
    const headers = `Content-Type: text/plain\r\nX-Wap-Initiator-URI: ${PI_URI}\r\nPush-Flag: 7`;
    const [, answer] = await post(submissionBody(control, 'trusted', headers), MULTIPART_TYPE);
    expect(answer).toContain('code="1001"');
    const [received] = await guest.after('content');
    const pushHeaders = received?.content.headers.filter(({ name }) => /push-flag|initiator/i.test(name));
    expect(pushHeaders).toEqual([
      { name: 'X-Wap-Initiator-URI', value: PI_URI },
      { name: 'Push-Flag', value: '3' },
    ]);
  });

  it('does not start on a certificate that it cannot read, and says which key is wrong', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'carillon-tls-'));
    try {
      const environment = {
        CARILLON_HTTP_TLS_CERT_FILE: join(directory, 'absent.pem'),
        CARILLON_HTTP_TLS_KEY_FILE: join(directory, 'absent.key'),
      };
      const process = startGatewayProcess(directory, { environment });
      expect(await process.ended).not.toBe(0);
      expect(process.printed).toMatch(/http\.tls\.certFile cannot be read: .*absent\.pem/);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
