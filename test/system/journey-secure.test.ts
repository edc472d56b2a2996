/**
 * A push that nobody on the way can read: submitted by https, announced by a SIR over SIP/TLS, delivered by MSRP over TLS,
 * with a second terminal on WebSocket over TLS that hears nothing. The capture says what was on the wire in the clear: nothing.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Capture, canCapture } from '../support/e2e-capture.js';
import { E2eGateway, INITIATOR } from '../support/e2e-gateway.js';
import { addressOf, Initiator } from '../support/e2e-initiator.js';
import { instance, TerminalGuest } from '../support/e2e-terminal.js';
import { TestCa } from '../support/test-ca.js';

const ALICE = 'sip:alice@carillon.test';
const CONTENT = 'the-word-that-nobody-may-read '.repeat(4000);
const credentials = { username: 'alice', password: 'wonderland' };

let ca: TestCa;
let gateway: E2eGateway;
beforeAll(async () => {
  ca = new TestCa();
  const { certFile, keyFile } = ca.issue('gateway', '/CN=gateway');
  const certificate = (section: string) => ({
    [`CARILLON_${section}_TLS_CERT_FILE`]: certFile,
    [`CARILLON_${section}_TLS_KEY_FILE`]: keyFile,
  });
  gateway = await E2eGateway.start({
    ...certificate('HTTP'),
    ...certificate('SIP'),
    CARILLON_SIP_TLS_PORT: '0',
    ...certificate('MSRP'),
    CARILLON_MSRP_TLS_PORT: '0',
    CARILLON_SIP_REGISTRAR_ALLOW_WITHOUT_CREDENTIALS: 'false',
  });
});
afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]();
  ca?.[Symbol.dispose]();
});

describe.skipIf(!(await canCapture()))('a push by https, SIP over TLS and MSRP over TLS', () => {
  it('reaches its terminal whole, another one hears nothing, and nothing is in the clear', async () => {
    await gateway.addUser(ALICE, { phone: instance(981), desk: instance(982) }, { sip: credentials });
    const { http, sip, sips, msrp, msrps } = gateway.ports;
    await using capture = await Capture.start([http, sip, sips, msrp, msrps]);
    const common = { user: ALICE, credentials, tls: { ca: ca.ca }, secureSessions: true };
    const at = (port: number) => ({ at: { host: '127.0.0.1', port } });
    await using phone = await TerminalGuest.start(gateway, {
      ...common,
      instance: instance(981),
      transport: 'tls',
      ...at(sips),
    });
    await using desk = await TerminalGuest.start(gateway, {
      ...common,
      instance: instance(982),
      transport: 'wss',
      ...at(http),
    });
    const initiator = new Initiator(gateway, INITIATOR, ca.ca);
    await initiator.push({ pushId: 'secret@pi', to: addressOf(ALICE, instance(981)), content: CONTENT });
    await gateway.pushBecomes('secret@pi', 'delivered');
    expect(phone.texts).toEqual([CONTENT]);
    expect(phone.all('content')[0]?.content.via).toBe('msrp');
    expect(desk.all('sir')).toEqual([]);

    await capture.stop();
    const frames = (filter: string) => capture.fields(filter, ['frame.number']);
    expect(await frames('frame contains "the-word-that-nobody-may-read"')).toEqual([]);
    expect(
      await frames('frame contains "alice" or frame contains "SIP/2.0" or frame contains "MSRP "'),
    ).toEqual([]);
    expect(await frames(`udp.port == ${sip} or tcp.port == ${sip} or tcp.port == ${msrp}`)).toEqual([]);
    for (const port of [http, sips, msrps]) {
      const hellos = await capture.fields(`tls.handshake.type == 2 and tcp.srcport == ${port}`, [
        'tcp.srcport',
      ]);
      expect(hellos.length).toBeGreaterThan(0);
    }
  });
});
