/**
 * One journey on the wire, read by tshark from a capture of the loopback interface: PAP in, SIR out, session, content, result. What it
 * dissects is what we meant, nothing is malformed, and the terminals that the push was not for saw none of it.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Capture, canCapture } from '../support/e2e-capture.js';
import { E2eGateway, PPG_URI } from '../support/e2e-gateway.js';
import { addressOf, Initiator } from '../support/e2e-initiator.js';
import { ResultServer } from '../support/e2e-result-server.js';
import { instance, TerminalGuest } from '../support/e2e-terminal.js';

const ALICE = 'sip:alice@example.test';
const PHONE = instance(1);

describe.skipIf(!(await canCapture()))(
  'a push for the phone among three terminals, as tshark sees it',
  () => {
    let gateway: E2eGateway;
    let results: ResultServer;
    let capture: Capture;
    let sipPorts: Record<'phone' | 'pc' | 'pda', number>;
    let decodeAs: readonly string[];
    let sirId: string;
    // Text, because the dissector looks for line ends in what MSRP carries and stumbles over some binary content.
    const content = Buffer.from(Array.from({ length: 10_000 }, (_, line) => `line ${line}\r\n`).join(''));

    beforeAll(async () => {
      gateway = await E2eGateway.start({ CARILLON_NOTIFY_ALLOW_PRIVATE_ADDRESSES: 'true' });
      results = await ResultServer.start();
      await gateway.addUser(ALICE, { phone: PHONE, pc: instance(2), pda: instance(3) });
      const { http, sip, msrp } = gateway.ports;
      const resultPort = Number(new URL(results.url).port);
      capture = await Capture.start([http, sip, msrp, resultPort]);

      const start = (urn: string) => TerminalGuest.start(gateway, { user: ALICE, instance: urn });
      await using phone = await start(PHONE);
      await using pc = await start(instance(2));
      await using pda = await start(instance(3));
      sipPorts = {
        phone: phone.terminal.address.port,
        pc: pc.terminal.address.port,
        pda: pda.terminal.address.port,
      };
      await new Initiator(gateway).push({
        pushId: 'wire@pi',
        to: addressOf(ALICE, PHONE),
        content,
        contentType: 'text/plain',
        headers: ['X-Wap-Application-Id: x-wap-application:mms.ua'],
        notifyTo: results.url,
      });
      await results.about('wire@pi');
      sirId = phone.all('sir')[0]?.sir.citableId ?? '';
      expect(Buffer.compare(phone.all('content')[0]?.content.bytes ?? Buffer.alloc(0), content)).toBe(0);
      await Promise.all([phone, pc, pda].map(({ terminal }) => terminal.close()));
      await capture.stop();
      decodeAs = [
        ...['-d', `tcp.port==${http},http`, '-d', `tcp.port==${resultPort},http`],
        ...['-d', `tcp.port==${msrp},msrp`, '-d', `udp.port==${sip},sip`],
      ];
    });
    afterAll(async () => {
      await capture[Symbol.asyncDispose]();
      await results[Symbol.asyncDispose]();
      await gateway[Symbol.asyncDispose]();
    });

    const fields = <Name extends string>(filter: string, names: readonly Name[]) =>
      capture.fields(filter, names, decodeAs);

    it('PAP comes in by HTTP as multipart and is answered 202 with 1001', async () => {
      const requests = await fields(`http.request and tcp.dstport == ${gateway.ports.http}`, [
        'http.request.method',
        'http.request.uri',
        'http.content_type',
        'mime_multipart.header.content-type',
      ]);
      expect(requests).toHaveLength(1);
      expect(requests[0]).toMatchObject({
        'http.request.method': ['POST'],
        'http.request.uri': ['/pap'],
        'mime_multipart.header.content-type': ['application/xml', 'text/plain'],
      });
      const [answer] = await fields(`http.response and tcp.srcport == ${gateway.ports.http}`, [
        'http.response.code',
        'xml.tag',
        'xml.attribute',
      ]);
      expect(answer?.['http.response.code']).toEqual(['202']);
      expect(answer?.['xml.tag'].join(' ')).toContain('<push-response');
      expect(answer?.['xml.attribute']).toEqual(expect.arrayContaining(['push-id="wire@pi"', 'code="1001"']));
    });

    it('only the port of the phone sees the SIR, and it sees one (SIR-74, SIR-109)', async () => {
      const sirs = await fields('sip.Method == "MESSAGE" and sip.Request-Line', [
        'udp.dstport',
        'sip.r-uri',
        'sip.to.addr',
        'sip.pai.addr',
        'sip.Call-ID',
        'sip.Content-Type',
        'wap.sir.version',
        'wap.sir.protocol_options',
      ]);
      const target = `${ALICE};gr=${PHONE}`;
      expect(sirs).toEqual([
        {
          'udp.dstport': [String(sipPorts.phone)],
          'sip.r-uri': [target],
          'sip.to.addr': [target],
          'sip.pai.addr': [PPG_URI],
          'sip.Call-ID': [sirId],
          'sip.Content-Type': ['application/vnd.wap.sia'],
          'wap.sir.version': ['1'],
          'wap.sir.protocol_options': ['256'],
        },
      ]);
    });

    it('the PC and the PDA get answers to their REGISTERs and nothing else', async () => {
      const toOthers = await fields(
        `sip and (udp.dstport == ${sipPorts.pc} or udp.dstport == ${sipPorts.pda})`,
        ['sip.Status-Code', 'sip.CSeq.method'],
      );
      expect(toOthers).toHaveLength(4);
      expect(toOthers).toEqual(
        Array(4).fill({ 'sip.Status-Code': ['200'], 'sip.CSeq.method': ['REGISTER'] }),
      );
    });

    it('the phone opens one session, whose offer and answer are MSRP (SIR-158)', async () => {
      const names = [
        'sip.Method',
        'sip.Status-Code',
        'sdp.media.media',
        'sdp.media.proto',
        'sdp.media_attr',
      ] as const;
      const [invite, ok, ...others] = await fields('sdp', names);
      const shared = { 'sdp.media.media': ['message'], 'sdp.media.proto': ['TCP/MSRP'] };
      expect(invite).toMatchObject({ ...shared, 'sip.Method': ['INVITE'] });
      expect(ok).toMatchObject({ ...shared, 'sip.Status-Code': ['200'] });
      expect(others).toEqual([]);
      expect(invite?.['sdp.media_attr']).toEqual(expect.arrayContaining(['setup:active']));
      expect(ok?.['sdp.media_attr']).toEqual(
        expect.arrayContaining([
          'setup:passive',
          expect.stringMatching(`^path:msrp://127.0.0.1:${gateway.ports.msrp}/`),
        ]),
      );
      const [cited] = await fields('sip.Method == "INVITE" and sip.Request-Line', [
        'sip.In-Reply-To',
        'sip.r-uri',
      ]);
      expect(cited).toEqual({ 'sip.In-Reply-To': [sirId], 'sip.r-uri': [PPG_URI] });
    });

    it('the content goes in chunks of one message, each answered, and is reported as a whole', async () => {
      const frames = await fields('msrp', [
        'msrp.method',
        'msrp.status.code',
        'msrp.byte.range',
        'msrp.messageid',
        'msrp.cnt.flg',
      ]);
      const column = (name: keyof (typeof frames)[number]) => frames.flatMap((frame) => frame[name]);
      const { uid } = await gateway.push('wire@pi');
      expect(column('msrp.method').filter((method) => method === 'SEND').length).toBeGreaterThan(1);
      expect(new Set(column('msrp.status.code'))).toEqual(new Set(['200']));
      expect(column('msrp.messageid')).toContain(uid);
      expect(column('msrp.byte.range').join(' ')).toContain(`/${content.length}`);
      // The dissector stops at the first message of a segment, and the report follows the last 200.
      const reports = await fields('frame contains " REPORT\\r\\nTo-Path"', ['tcp.payload']);
      expect(reports).toHaveLength(1);
      const report = Buffer.from(reports[0]?.['tcp.payload'].join('') ?? '', 'hex').toString('latin1');
      expect(report).toContain(`Message-ID: ${uid}\r\n`);
      expect(report).toContain('Status: 000 200');
    });

    it('the result goes to the initiator as PAP and is acknowledged', async () => {
      const port = Number(new URL(results.url).port);
      const [notification] = await fields(`http.request and tcp.dstport == ${port}`, [
        'http.content_type',
        'xml.attribute',
      ]);
      expect(notification?.['http.content_type']).toEqual(['application/xml']);
      expect(notification?.['xml.attribute']).toEqual(
        expect.arrayContaining(['push-id="wire@pi"', 'message-state="delivered"', 'code="1000"']),
      );
      const [answer] = await fields(`http.response and tcp.srcport == ${port}`, ['http.response.code']);
      expect(answer?.['http.response.code']).toEqual(['200']);
    });

    it('nothing is malformed', async () => {
      const suspicious = await capture.tshark([
        ...decodeAs,
        '-Y',
        '_ws.malformed or _ws.expert.severity >= "Error"',
      ]);
      expect(suspicious).toBe('');
    });
  },
);
