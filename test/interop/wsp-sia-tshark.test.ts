/** tshark as referee of the WSP and SIA encoders (SIR-71, SIR-85): what we write is what an independent dissector reads. */
import { describe, expect, it } from 'vitest';
import { signedSia } from '../../src/bearers/sir-body.js';
import type { ContentType } from '../../src/protocols/mime/content-type.js';
import { parseContentType } from '../../src/protocols/mime/content-type.js';
import { encodeSia, type Sia } from '../../src/protocols/sia/index.js';
import { MEDIA_TYPE_BY_CODE } from '../../src/protocols/wsp/content-type-table.js';
import { APPLICATION_ID_BY_CODE, encodePush, type WspHeader } from '../../src/protocols/wsp/index.js';
import { randomSia, seeded } from '../protocols/sia/random-sia.js';
import type { CapturedPacket } from '../support/pcap.js';
import { randomSir } from '../support/random-sir.js';
import { dissect, dissectFields } from '../support/tshark.js';

const NOTHING = new Uint8Array();
const packet = (
  contentType: ContentType,
  headers: readonly WspHeader[],
  body: Uint8Array,
): CapturedPacket => ({
  protocol: 'udp',
  sourcePort: 9200,
  destinationPort: 2948,
  payload: encodePush({ transactionId: 1, contentType, headers, body }),
});
const sirPacket = (sia: Sia) =>
  packet(
    parseContentType('application/vnd.wap.sia'),
    [{ name: 'X-Wap-Application-Id', value: 'x-wap-application:push.sia' }],
    encodeSia(sia),
  );

describe('push PDUs', () => {
  it('every media type number that the dissector knows has our name', async () => {
    // It knows the numbers of encoding version 1.4 only, and has an earlier name for two of them.
    const renamed = new Map([
      ['text/vnd.wap.channel', 'text/vnd.wap.wta-event'],
      ['application/vnd.wap.channelc', 'application/vnd.wap.wta-eventc'],
    ]);
    const types = [...MEDIA_TYPE_BY_CODE].filter(([code]) => code <= 0x4b).map(([, name]) => name);
    const text = await dissect(
      types.map((type) => packet(parseContentType(type), [], NOTHING)),
      ['-V'],
    );
    const seen = [...text.matchAll(/Method: Push \(0x06\), Content-Type: (\S+)/g)].map((match) =>
      match[1]?.toLowerCase(),
    );
    expect(seen.map((type = '') => renamed.get(type) ?? type)).toEqual(types);
  });

  it('every application id number that the dissector knows has our name', async () => {
    const ids = [...APPLICATION_ID_BY_CODE].filter(([code]) => code <= 0x0a).map(([, id]) => id);
    const frames = await dissectFields(
      ids.map((value) =>
        packet(parseContentType('text/plain'), [{ name: 'X-Wap-Application-Id', value }], NOTHING),
      ),
      ['wsp.header.x_wap_application_id'],
    );
    expect(frames.map((frame) => frame.get('wsp.header.x_wap_application_id')?.[0])).toEqual(ids);
  });

  it('header values of every type are read as we meant them', async () => {
    const headers: readonly (readonly [field: string, name: string, value: string, seen: string])[] = [
      ['wsp.header.age', 'Age', '9000', '9000 seconds'],
      ['wsp.header.content_length', 'Content-Length', '65536', '65536'],
      ['wsp.header.expires', 'Expires', 'Tue, 15 Nov 1994 08:12:31 GMT', 'Nov 15, 1994 08:12:31'],
      ['wsp.header.content_encoding', 'Content-Encoding', 'gzip', 'gzip'],
      ['wsp.header.encoding_version', 'Encoding-Version', '1.3', '1.3'],
      ['wsp.header.accept_charset', 'Accept-Charset', 'utf-8', 'UTF-8'],
      ['wsp.header.push_flag', 'Push-Flag', '7', 'Last push message'],
      ['wsp.header.accept', 'Accept', 'text/vnd.wap.wml', 'text/vnd.wap.wml'],
      ['wsp.header.etag', 'Etag', 'abc', 'abc'],
    ];
    const frames = await dissectFields(
      [
        packet(
          parseContentType('text/plain'),
          headers.map(([, name, value]) => ({ name, value })),
          NOTHING,
        ),
      ],
      [...headers.map(([field]) => field), '_ws.malformed'],
    );
    const frame = frames[0];
    for (const [field, , , seen] of headers) expect(frame?.get(field)?.[0]).toContain(seen);
    expect(frame?.get('_ws.malformed')).toEqual([]);
  });
});

describe('session initiation requests', () => {
  const random = seeded(2948);
  const sender = { ppgUri: 'sip:ppg@example.test', contactPoint: { address: '192.0.2.1', port: 5060 } };
  const bodies = Array.from({ length: 10_000 }, (_, index) =>
    index % 2 === 0 ? randomSia(random) : signedSia(randomSir(random), sender),
  );
  const FIELDS = [
    'wap.sir.version',
    'wap.sir.protocol_options',
    'wap.sir.prov_url',
    'wap.sir.cpi_tag',
    'wsp.address.flags',
    'wsp.address.bearer_type',
    '_ws.malformed',
    '_ws.expert.severity',
  ] as const;
  const points = (sia: Sia) => [...sia.wspContactPoints, ...sia.contactPoints];
  const hex = (octets: Uint8Array) => Buffer.from(octets).toString('hex');

  it('10,000 bodies, half of them of SIRs of every mode, the others with anything that may stand there, are dissected without a complaint into our values', async () => {
    const frames = await dissectFields(bodies.map(sirPacket), FIELDS);
    const seen = frames.map((frame) => ({
      version: Number(frame.get('wap.sir.version')?.[0]),
      options: frame.get('wap.sir.protocol_options')?.map(Number),
      url: frame.get('wap.sir.prov_url')?.[0] ?? '',
      tags: frame.get('wap.sir.cpi_tag'),
      flags: frame.get('wsp.address.flags')?.map(Number),
      bearers: frame.get('wsp.address.bearer_type')?.map(Number),
      malformed: frame.get('_ws.malformed'),
      expert: frame.get('_ws.expert.severity'),
    }));
    expect(seen).toEqual(
      bodies.map((sia) => ({
        version: sia.version,
        options: sia.protocolOptions,
        url: sia.provisioningUrl,
        tags: sia.cpiTags.map(hex),
        flags: points(sia).map(
          ({ bearer, port, address }) =>
            (bearer === undefined ? 0 : 0x80) | (port === undefined ? 0 : 0x40) | address.length,
        ),
        bearers: points(sia).flatMap(({ bearer }) => (bearer === undefined ? [] : [bearer])),
        malformed: [],
        expert: [],
      })),
    );
  });

  it('the port of a contact point stands where the dissector looks for it', async () => {
    // This version of the dissector shows every port as 0, so the octets that it points at are compared instead.
    const some = bodies.slice(0, 400);
    const pdml = await dissect(some.map(sirPacket), ['-T', 'pdml']);
    const seen = [...pdml.matchAll(/<field name="wsp\.address\.port"[^>]* value="([0-9a-f]{4})"/g)].map(
      (match) => match[1],
    );
    const ports = some.flatMap((sia) =>
      points(sia).flatMap(({ port }) => (port === undefined ? [] : [port])),
    );
    expect(ports.length).toBeGreaterThan(200);
    expect(seen).toEqual(ports.map((port) => port.toString(16).padStart(4, '0')));
  });

  it('the application ids of the list are read as header fields', async () => {
    const applicationIds = ['x-wap-application:wml.ua', 'x-wap-application:mms.ua', 'x-acme:meter'];
    const sia: Sia = {
      version: 1,
      applicationIds,
      wspContactPoints: [],
      contactPoints: [],
      protocolOptions: [],
      provisioningUrl: '',
      cpiTags: [],
    };
    const [frame] = await dissectFields([sirPacket(sia)], ['wsp.header.accept_application', '_ws.malformed']);
    expect(frame?.get('wsp.header.accept_application')).toEqual(applicationIds);
  });
});
