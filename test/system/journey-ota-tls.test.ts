/** OTA-HTTP over TLS through the whole gateway, with certificates of an operator's own CA, in both directions. */
import { createHash, X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { terminalKey } from '../../src/protocols/ota-http/index.js';
import { OtaHttpListener } from '../../src/terminal/ota-http-listener.js';
import { OtaResponder } from '../../src/terminal/ota-http-responder.js';
import { OtaHttpSession } from '../../src/terminal/ota-http-session.js';
import { E2eGateway } from '../support/e2e-gateway.js';
import { addressOf, Initiator } from '../support/e2e-initiator.js';
import { instance } from '../support/e2e-terminal.js';
import { TestCa } from '../support/test-ca.js';

const USER = 'sip:tls@example.test';
const PHONE = instance(50_000);
const SECRET = 'a secret for terminals';

let ca: TestCa;
let gateway: E2eGateway;
let initiator: Initiator;
const taken: string[] = [];

const responder = (terminalId: string) =>
  new OtaResponder({
    terminalId,
    take: async ({ content }) => {
      taken.push(Buffer.from(content).toString());
      return 400;
    },
  });

beforeAll(async () => {
  ca = new TestCa();
  const { certFile, keyFile } = ca.issue('gateway', '/CN=gateway');
  gateway = await E2eGateway.start({
    CARILLON_BEARERS_OTA_HTTP_ALLOW_PRIVATE_ADDRESSES: 'true',
    CARILLON_BEARERS_OTA_HTTP_CA_FILE: ca.caFile,
    CARILLON_OTA_HTTP_ENABLED: 'true',
    CARILLON_OTA_HTTP_PORT: '0',
    CARILLON_OTA_HTTP_TLS_CERT_FILE: certFile,
    CARILLON_OTA_HTTP_TLS_KEY_FILE: keyFile,
    CARILLON_OTA_HTTP_TERMINAL_SECRET: SECRET,
  });
  initiator = new Initiator(gateway);
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  ca[Symbol.dispose]();
});

it('a push reaches a terminal that listens, and then the one that calls, under its GRUU and key', async () => {
  const tls = ca.issue('phone', '/CN=phone');
  await using listener = await OtaHttpListener.start(responder(PHONE), { host: '127.0.0.1', port: 0, tls });
  const identities = [{ kind: 'uuid', value: PHONE }];
  const activation = [{ bearer: 'ota-http', address: listener.url }];
  await gateway.addUser(USER, { phone: { identities, activation } });
  const to = addressOf(USER, PHONE);
  await initiator.push({ pushId: 'listens@pi', to, content: 'called' });
  await gateway.pushBecomes('listens@pi', 'delivered');

  const { id } = await gateway.lane(USER, 'phone');
  await using _session = await OtaHttpSession.open(responder(`${USER};gr=${PHONE}`), {
    host: '127.0.0.1',
    port: gateway.ports.ota,
    key: terminalKey(SECRET, id),
    tls: { ca: ca.ca },
  });
  await gateway.laneWhen(USER, 'phone', ({ state }) => state === 'connected');
  await initiator.push({ pushId: 'calls@pi', to, content: 'calls' });
  const push = await gateway.pushBecomes('calls@pi', 'delivered');
  expect(push.recipients[0]?.deliveries[0]).toMatchObject({ bearer: 'ota-session' });
  expect(taken).toEqual(['called', 'calls']);
});

it('a terminal that calls is known by the fingerprint of its certificate, and nobody else gets its content (SIR-20)', async () => {
  const user = 'sip:fingerprint@example.test';
  const [phone, pc] = [ca.issue('fingerprint-phone', '/CN=phone'), ca.issue('fingerprint-pc', '/CN=pc')];
  const nameOf = ({ cert }: { readonly cert: Buffer }) =>
    `ni:///sha-256;${createHash('sha256').update(new X509Certificate(cert).raw).digest('base64url')}`;
  await gateway.addUser(user, {
    phone: { identities: [{ kind: 'fingerprint', value: nameOf(phone) }], activation: [] },
    pc: { identities: [{ kind: 'fingerprint', value: nameOf(pc) }], activation: [] },
  });
  const got: Record<string, string[]> = { phone: [], pc: [], stranger: [] };
  const call = async (who: 'phone' | 'pc' | 'stranger', tls: { cert: Buffer; key: Buffer }, as: string) =>
    OtaHttpSession.open(
      new OtaResponder({
        terminalId: (await gateway.lane(user, as)).id,
        take: async ({ content }) => {
          got[who]?.push(Buffer.from(content).toString());
          return 400;
        },
      }),
      { host: '127.0.0.1', port: gateway.ports.ota, tls: { ca: ca.ca, ...tls } },
    );
  await initiator.push({
    pushId: 'fingerprint@pi',
    to: addressOf(user, nameOf(phone)),
    content: 'for the phone',
  });

  const stranger = await call('stranger', ca.issue('fingerprint-stranger', '/CN=phone'), 'phone');
  await stranger.closed;
  const thief = await call('stranger', pc, 'phone');
  await thief.closed;
  await using _pc = await call('pc', pc, 'pc');
  await gateway.laneWhen(user, 'pc', ({ state }) => state === 'connected');
  await using _phone = await call('phone', phone, 'phone');
  await gateway.pushBecomes('fingerprint@pi', 'delivered');
  expect(got).toEqual({ phone: ['for the phone'], pc: [], stranger: [] });
});
