/** Presence documents: what is read, what is refused, and what they say of each device (RFC 3863, RFC 4479). */
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../../src/kernel/errors.js';
import { decodePidf, devicesOf, PIDF_LIMITS } from '../../../src/protocols/pidf/index.js';
import { mutated } from '../../support/mutations.js';
import { seededRandom } from '../../support/seeded-random.js';

const NS =
  'xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" xmlns:caps="urn:ietf:params:xml:ns:pidf:caps"';
const PHONE = 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6';
const PC = 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6b00';
const NOON = Date.UTC(2024, 5, 1, 12);

const pidf = (content: string, entity = 'sip:alice@example.test') =>
  Buffer.from(
    `<?xml version="1.0" encoding="UTF-8"?>\n<presence ${NS} entity="${entity}">${content}</presence>`,
  );
const tuple = (id: string, basic: string | undefined, ...more: string[]) =>
  `<tuple id="${id}"><status>${basic === undefined ? '' : `<basic>${basic}</basic>`}</status>${more.join('')}</tuple>`;
const device = (urn: string) => `<dm:deviceID>${urn}</dm:deviceID>`;
const at = (text: string) => `<timestamp>${text}</timestamp>`;
const devices = (content: string) => devicesOf(decodePidf(pidf(content)));

/** Laid out like the document of a presence server that aggregates two devices. */
const TWO_DEVICES = pidf(
  `<tuple id="t1">
     <status><basic>open</basic><im xmlns="urn:example:im">busy</im></status>
     <dm:deviceID>${PHONE}</dm:deviceID>
     <contact priority="0.8">sip:alice@192.0.2.7;transport=tcp</contact>
     <note>on the way</note>
     <timestamp>2024-06-01T14:00:00.5+02:00</timestamp>
   </tuple>
   <tuple id="t2"><status><basic>closed</basic></status><dm:deviceID>${PC}</dm:deviceID></tuple>
   <dm:device id="d1">
     <dm:deviceID>${PHONE}</dm:deviceID>
     <caps:devcaps><caps:mobility><caps:supported><caps:mobile/></caps:supported></caps:mobility></caps:devcaps>
     <dm:timestamp>2024-06-01T11:00:00Z</dm:timestamp>
   </dm:device>
   <dm:person id="p1"><activities xmlns="urn:ietf:params:xml:ns:pidf:rpid"><away/></activities></dm:person>`,
);

describe('a document is read', () => {
  it('with its tuples, devices and persons', () => {
    expect(decodePidf(TWO_DEVICES)).toEqual({
      entity: 'sip:alice@example.test',
      tuples: [
        {
          id: 't1',
          basic: 'open',
          contact: 'sip:alice@192.0.2.7;transport=tcp',
          priority: 0.8,
          deviceId: PHONE,
          timestamp: NOON + 500,
        },
        { id: 't2', basic: 'closed', deviceId: PC },
      ],
      devices: [{ id: 'd1', deviceId: PHONE, timestamp: NOON - 3_600_000 }],
      persons: [{ id: 'p1' }],
    });
  });

  it('with an instance among the capabilities', () => {
    const caps = `<caps:servcaps><caps:audio>true</caps:audio><sip.instance xmlns="urn:example:x">"&lt;${PHONE}&gt;"</sip.instance></caps:servcaps>`;
    expect(decodePidf(pidf(tuple('t', 'open', caps))).tuples[0]?.instance).toBe(PHONE);
  });

  it.each(['yesterday', '2024-06-01', '2024-13-01T12:00:00Z', '2024-06-01T12:00:00'])(
    'without the timestamp "%s", which is none',
    (text) => {
      expect(decodePidf(pidf(tuple('t', 'open', at(text)))).tuples[0]).toEqual({ id: 't', basic: 'open' });
    },
  );
});

describe('a document is refused', () => {
  it.each([
    [
      'of another format',
      Buffer.from('<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="0" state="full"/>'),
    ],
    ['in no namespace', Buffer.from('<presence entity="sip:a@b.test"/>')],
    ['without an entity', Buffer.from(`<presence ${NS}/>`)],
    ['with a tuple without an id', pidf('<tuple><status/></tuple>')],
    ['with a basic status of its own', pidf(tuple('t', 'ajar'))],
    ['with a device without an id of its own', pidf('<dm:device id="d"/>')],
    ['cut short', TWO_DEVICES.subarray(0, 500)],
    [
      'that declares an entity',
      Buffer.from(`<!DOCTYPE presence [<!ENTITY x "y">]><presence ${NS} entity="sip:a@b"/>`),
    ],
    [
      'that asks for a file',
      Buffer.from(
        `<!DOCTYPE presence [<!ENTITY x SYSTEM "file:///etc/passwd">]><presence ${NS} entity="&x;"/>`,
      ),
    ],
    ['that is no XML', Buffer.from('open')],
  ])('%s', (_, octets) => {
    expect(() => decodePidf(octets)).toThrow(DecodeError);
  });

  it.each([
    ['octets', { maxBytes: 100 }],
    ['elements', { maxElements: 5 }],
    ['tuples', { maxTuples: 1 }],
    ['devices', { maxDevices: 1 }],
    ['characters of one value', { maxTextLength: 10 }],
  ])('over the limit of %s', (_, limits) => {
    expect(() => decodePidf(TWO_DEVICES, { limits: { ...PIDF_LIMITS, ...limits } })).toThrow(
      expect.objectContaining({ code: 'limitExceeded' }),
    );
  });

  it('or read, whatever is done to its octets', () => {
    const random = seededRandom(3863);
    for (let round = 0; round < 300; round += 1) {
      try {
        devicesOf(decodePidf(mutated(TWO_DEVICES, random)));
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError);
      }
    }
  });
});

describe('the devices of a document', () => {
  it('are open or closed as their tuples are, with contact and newest moment', () => {
    expect(devicesOf(decodePidf(TWO_DEVICES))).toEqual([
      {
        names: [PHONE],
        basic: 'open',
        contact: 'sip:alice@192.0.2.7;transport=tcp',
        timestamp: NOON + 500,
      },
      { names: [PC], basic: 'closed' },
    ]);
  });

  it('are open when one of several tuples is, and are called where that one says', () => {
    const two =
      tuple('a', 'closed', device(PHONE), '<contact>sip:a@192.0.2.1</contact>') +
      tuple('b', 'open', device(PHONE), '<contact priority="0.1">sip:b@192.0.2.1</contact>') +
      tuple('c', 'open', device(PHONE), '<contact priority="0.9">sip:c@192.0.2.1</contact>');
    expect(devices(two)).toEqual([{ names: [PHONE], basic: 'open', contact: 'sip:c@192.0.2.1' }]);
  });

  it('say nothing about a device that is only described', () => {
    expect(devices(`<dm:device id="d">${device(PHONE)}</dm:device>`)).toEqual([{ names: [PHONE] }]);
  });

  it('leave out tuples that are about the user and no device', () => {
    expect(devices(tuple('t', 'open', '<contact>mailto:alice@example.test</contact>'))).toEqual([]);
  });

  it.each([
    ['a GRUU', `sip:alice@example.test;gr=${PHONE}`, [`sip:alice@example.test;gr=${PHONE}`]],
    [
      'a GRUU in angle brackets',
      `&lt;sip:alice@example.test;gr=${PHONE}&gt;`,
      [`sip:alice@example.test;gr=${PHONE}`],
    ],
    ['an instance behind the address', `sip:alice@192.0.2.1;+sip.instance="&lt;${PHONE}&gt;"`, [PHONE]],
    [
      'an instance behind the brackets',
      `&lt;sip:alice@192.0.2.1;ob&gt;;+sip.instance="&lt;${PHONE}&gt;";q=1`,
      [PHONE],
    ],
  ])('are named by %s in the contact', (_, contact, names) => {
    expect(devices(tuple('t', 'open', `<contact>${contact}</contact>`))[0]?.names).toEqual(names);
  });

  it('are one when their names turn out to be', () => {
    const three =
      tuple('a', 'closed', device(PHONE)) +
      tuple('b', 'closed', `<contact>sip:alice@example.test;gr=x</contact>`) +
      tuple('c', 'open', device(PHONE), `<contact>sip:alice@example.test;gr=x</contact>`);
    expect(devices(three)).toEqual([
      {
        names: [PHONE, 'sip:alice@example.test;gr=x'],
        basic: 'open',
        contact: 'sip:alice@example.test;gr=x',
      },
    ]);
  });
});
