/**
 * Requests as the initiators in the field write them, octet by octet: BlackBerry push initiators (PAP 2.0 and 2.1, bare addresses,
 * odd boundaries and endings), Oracle's gatekeeper (PAP 2.0, several addresses), Kannel's test client (PAP 1.0).
 */
import { afterEach, expect, it } from 'vitest';
import type { PushEntity } from '../../../src/endpoints/pap/pap-application.js';
import type { PushMessage } from '../../../src/protocols/pap/index.js';
import { type PapServer, RawConnection, requestText, startPapServer } from './pap-server.js';

let server: PapServer | undefined;
let connection: RawConnection | undefined;
afterEach(async () => {
  connection?.destroy();
  await server?.[Symbol.asyncDispose]();
});

interface Dialect {
  readonly contentType: string;
  readonly lines: readonly string[];
  /** What stands behind the last line; CRLF otherwise. */
  readonly ending?: string;
  readonly version: string;
  readonly message: Partial<PushMessage>;
  readonly entityType: string;
  readonly content: string;
}

const DIALECTS: Readonly<Record<string, Dialect>> = {
  'BlackBerry, PAP 2.1': {
    contentType: 'multipart/related; boundary=mPsbVQo0a68eIL3OAxnm; type=application/xml',
    lines: [
      '--mPsbVQo0a68eIL3OAxnm',
      'Content-Type: application/xml; charset=UTF-8',
      '',
      '<?xml version="1.0"?>',
      '<!DOCTYPE pap PUBLIC "-//WAPFORUM//DTD PAP 2.1//EN" "http://www.openmobilealliance.org/tech/DTD/pap_2.1.dtd">',
      '<pap>',
      '<push-message push-id="1285363431" deliver-before-timestamp="2026-09-24T22:00:00Z" source-reference="300-abc">',
      '<address address-value="push_all"/>',
      '<quality-of-service delivery-method="unconfirmed"/>',
      '</push-message>',
      '</pap>',
      '--mPsbVQo0a68eIL3OAxnm',
      'Content-Type: text/plain',
      'Push-Message-ID: 1285363431',
      '',
      'Hello there',
      '--mPsbVQo0a68eIL3OAxnm--',
    ],
    ending: '\n\r',
    version: '2.1',
    message: {
      pushId: '1285363431',
      sourceReference: '300-abc',
      deliverBeforeTimestamp: Date.UTC(2026, 8, 24, 22),
      addresses: ['push_all'],
    },
    entityType: 'text/plain',
    content: 'Hello there',
  },
  'BlackBerry, PAP 2.0 with a version instruction and a PIN and port': {
    contentType: 'multipart/related; type="application/xml"; boundary="PMasdfglkjhqwert"',
    lines: [
      '',
      '--PMasdfglkjhqwert',
      'Content-Type: application/xml; charset=UTF-8',
      '',
      '<?xml version="1.0" encoding="UTF-8"?>',
      '<!DOCTYPE pap PUBLIC "-//WAPFORUM//DTD PAP 2.0//EN"',
      '  "http://www.wapforum.org/DTD/pap_2.0.dtd"',
      '  [<?wap-pap-ver supported-versions="2.0,1.*"?>]>',
      '<pap>',
      '  <push-message push-id="pushID:12" ppg-notify-requested-to="http://10.1.1.1:7778/push">',
      '    <address address-value="WAPPUSH=2100000A%3A7874/TYPE=USER@rim.net"/>',
      '    <quality-of-service delivery-method="preferconfirmed"/>',
      '  </push-message>',
      '</pap>',
      '',
      '--PMasdfglkjhqwert',
      'Content-Encoding: binary',
      'Content-Type: text/html',
      'X-RIM-Push-Type: Channel',
      '',
      '<html/>',
      '--PMasdfglkjhqwert--',
    ],
    ending: '',
    version: '2.0',
    message: {
      pushId: 'pushID:12',
      ppgNotifyRequestedTo: 'http://10.1.1.1:7778/push',
      addresses: ['WAPPUSH=2100000A%3A7874/TYPE=USER@rim.net'],
    },
    entityType: 'text/html',
    content: '<html/>',
  },
  'Oracle, PAP 2.0 to several addresses with a replacement': {
    contentType:
      'multipart/related; boundary="----=_Part_1_3.25"; type="application/xml"; start="<control@pi>"',
    lines: [
      '------=_Part_1_3.25',
      'Content-Type: application/xml',
      'Content-ID: <control@pi>',
      '',
      '<?xml version="1.0" encoding="UTF-8" standalone="no"?>',
      '<!DOCTYPE pap PUBLIC "-//WAPFORUM//DTD PAP 2.0//EN" "http://www.wapforum.org/DTD/pap_2.0.dtd">',
      '<pap product-name="OCSG">',
      '<push-message push-id="mypushid-1" replace-push-id="mypushid-0" replace-method="pending-only"',
      ' deliver-after-timestamp="2026-02-28T06:50:00Z" progress-notes-requested="false">',
      '<address address-value="WAPPUSH=+4610000001/TYPE=PLMN@ppg.example.net"></address>',
      '<address address-value="wappush=+4610000002/type=plmn@ppg.example.net"></address>',
      '<address address-value="WAPPUSH=10.1.2.3/TYPE=IPv4@ppg.example.net"></address>',
      '<quality-of-service priority="low" delivery-method="notspecified" network="" bearer="SMS" bearer-required="true"/>',
      '</push-message></pap>',
      '------=_Part_1_3.25',
      'Content-Type: text/vnd.wap.si',
      '',
      '<si><indication href="http://m.example.org/" si-id="1">x</indication></si>',
      '------=_Part_1_3.25--',
      '',
    ],
    version: '2.0',
    message: {
      pushId: 'mypushid-1',
      replacePushId: 'mypushid-0',
      replaceMethod: 'pending-only',
      addresses: [
        'WAPPUSH=+4610000001/TYPE=PLMN@ppg.example.net',
        'wappush=+4610000002/type=plmn@ppg.example.net',
        'WAPPUSH=10.1.2.3/TYPE=IPv4@ppg.example.net',
      ],
    },
    entityType: 'text/vnd.wap.si',
    content: '<si><indication href="http://m.example.org/" si-id="1">x</indication></si>',
  },
  'Kannel, PAP 1.0': {
    contentType: 'multipart/related; boundary=asdlfkjiurwghasf; type="application/xml"',
    lines: [
      '',
      '',
      '--asdlfkjiurwghasf',
      'Content-Type: application/xml',
      '',
      '<?xml version="1.0"?>',
      '<!DOCTYPE pap PUBLIC "-//WAPFORUM//DTD PAP//EN"',
      ' "http://www.wapforum.org/DTD/pap_1.0.dtd">',
      '<pap>',
      "  <push-message push-id='9fjeo39jf084@pi.com' deliver-before-timestamp='2026-11-01T06:45:00Z'>",
      '    <address address-value="WAPPUSH=+358408676001/TYPE=PLMN@ppg.carrier.com"/>',
      '    <quality-of-service priority="low" delivery-method="unconfirmed" network-required="true" network="GSM" bearer-required="true" bearer="SMS"/>',
      '  </push-message>',
      '</pap>',
      '--asdlfkjiurwghasf  ',
      'Content-Type: text/vnd.wap.si',
      'X-WAP-Application-Id: http://www.wiral.com:wml.ua',
      '',
      '<si/>',
      '',
      '--asdlfkjiurwghasf--',
      'epilogue',
    ],
    version: '1.0',
    message: {
      pushId: '9fjeo39jf084@pi.com',
      addresses: ['WAPPUSH=+358408676001/TYPE=PLMN@ppg.carrier.com'],
    },
    entityType: 'text/vnd.wap.si',
    content: '<si/>\r\n',
  },
};

it.each(Object.entries(DIALECTS))('the request of %s is understood', async (_, dialect) => {
  const seen: { message?: PushMessage; entity?: PushEntity; version?: string } = {};
  server = await startPapServer({
    push: async ({ version }, message, entity) => {
      Object.assign(seen, { version, message, entity });
      return { code: 1001 };
    },
  });
  const body = dialect.lines.join('\r\n') + (dialect.ending ?? '\r\n');
  connection = new RawConnection(server.port);
  connection.write(requestText(body, { 'content-type': dialect.contentType }));
  const answer = await connection.until('</pap>');

  expect(answer).toContain('<response-result code="1001" desc="Accepted for processing"/>');
  expect(answer).toContain(`DTD PAP ${dialect.version}//EN`);
  expect(seen.version).toBe(dialect.version);
  expect(seen.message).toMatchObject(dialect.message);
  expect(seen.entity?.contentType).toBe(dialect.entityType);
  expect(Buffer.from(seen.entity?.content ?? []).toString()).toBe(dialect.content);
});
