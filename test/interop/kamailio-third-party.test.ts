/**
 * A core without a registration event package that tells of registrations by itself: third-party REGISTERs of Kamailio are all that the gateway
 * learns from, users included (SIR-166: each source alone suffices).
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { E2eGateway, when } from '../support/e2e-gateway.js';
import { addressOf, Initiator } from '../support/e2e-initiator.js';
import { instance, TerminalGuest } from '../support/e2e-terminal.js';
import { CORE_DOMAIN, Kamailio } from '../support/kamailio.js';
import { freePort } from '../support/ports.js';

const ALICE = `sip:alice@${CORE_DOMAIN}`;

let core: Kamailio;
let gateway: E2eGateway;
let initiator: Initiator;

beforeAll(async () => {
  const gatewayPort = await freePort();
  core = await Kamailio.start({ gatewayPort, users: ['alice'], host: '127.0.0.4' });
  gateway = await E2eGateway.start({
    CARILLON_SIP_PORT: String(gatewayPort),
    CARILLON_SIP_OUTBOUND_PROXY: core.uri,
    CARILLON_SIP_TRUSTED_PEERS: `${core.host}/32`,
    CARILLON_SOURCES_CREATE_USERS: 'true',
    CARILLON_WAKE_RETRY_SECONDS: '2',
  });
  initiator = new Initiator(gateway);
});
afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]();
  await core?.[Symbol.asyncDispose]();
});

const guest = (number: number) => TerminalGuest.start(gateway, core.terminalOf('alice', number));
const known = async () => (await gateway.admin('GET', `/users/${encodeURIComponent(ALICE)}`)).status;

it('a user exists as soon as a terminal of the user registers at the core', async () => {
  expect(await known()).toBe(404);
  await using _phone = await guest(951);
  await when(known, (status) => status === 200, 'the user');
});

it('a push reaches the terminals that the core told of, and those that it tells of later', async () => {
  await using phone = await guest(951);
  await using pc = await guest(952);
  await when(known, (status) => status === 200, 'the user');
  await initiator.push({ pushId: 'told@pi', to: addressOf(ALICE, instance(952)), content: 'for the PC' });
  const push = await gateway.pushBecomes('told@pi', 'delivered');
  expect([phone.texts, pc.texts]).toEqual([[], ['for the PC']]);
  expect(push.recipients[0]?.decision?.sources?.find(({ source }) => source === 'reg-event')).toMatchObject({
    state: 'used',
    detail: '2 devices, 2 available',
  });
});

it('a push that waits is delivered when the terminal registers again, after a crash of the gateway too', async () => {
  await initiator.push({ pushId: 'waits@pi', to: addressOf(ALICE, instance(951)), content: 'welcome back' });
  await gateway.crashAndRestart();
  await using phone = await guest(951);
  await gateway.pushBecomes('waits@pi', 'delivered');
  expect(phone.texts).toEqual(['welcome back']);
});
