/** SIP over a byte stream: framing, keep-alive, and how far a broken message spoils what follows. */
import { describe, expect, test } from 'vitest';
import { type SipStreamEvent, SipStreamReader } from '../../../src/protocols/sip/index.js';
import { seededRandom } from '../../support/seeded-random.js';

const octets = (text: string) => Buffer.from(text, 'latin1');

function eventsOf(reader: SipStreamReader): SipStreamEvent[] {
  const events: SipStreamEvent[] = [];
  for (let event = reader.next(); event !== undefined; event = reader.next()) events.push(event);
  return events;
}

function read(text: string): SipStreamEvent[] {
  const reader = new SipStreamReader();
  reader.push(octets(text));
  return eventsOf(reader);
}

const message = (id: string, body = '', extra = '') =>
  `MESSAGE sip:a@b SIP/2.0\r\nCall-ID: ${id}\r\n${extra}Content-Length: ${body.length}\r\n\r\n${body}`;
const kindsOf = (events: SipStreamEvent[]) => events.map(({ kind }) => kind);
const bodiesOf = (events: SipStreamEvent[]) =>
  events.map((event) =>
    event.kind === 'message' ? Buffer.from(event.message.body).toString('latin1') : event.kind,
  );

const BINARY = '\0\r\n\r\n\xff\xfe\r\n\r\nMESSAGE';
const STREAM = `\r\n${message('1', BINARY)}\r\n\r\n${message('2')}${message('3', 'x'.repeat(5000))}\r\n`;
const EXPECTED = [BINARY, 'ping', '', 'x'.repeat(5000)];

describe('framing', () => {
  test('several messages in one piece come out one by one, pings between them', () => {
    expect(bodiesOf(read(STREAM))).toEqual(EXPECTED);
  });

  test('octet by octet the same events come out', () => {
    const reader = new SipStreamReader();
    const events = [...octets(STREAM)].flatMap((octet) => {
      reader.push(Uint8Array.of(octet));
      return eventsOf(reader);
    });
    expect(bodiesOf(events)).toEqual(EXPECTED);
  });

  test('cut at random places the same events come out', () => {
    const random = seededRandom(5626);
    for (let round = 0; round < 50; round += 1) {
      const reader = new SipStreamReader();
      const events: SipStreamEvent[] = [];
      const all = octets(STREAM);
      for (let at = 0; at < all.length; ) {
        const size = 1 + random.below(700);
        reader.push(all.subarray(at, at + size));
        events.push(...eventsOf(reader));
        at += size;
      }
      expect(bodiesOf(events)).toEqual(EXPECTED);
    }
  });

  test('a body stays as it is when more octets follow', () => {
    const reader = new SipStreamReader();
    reader.push(octets(message('1', 'first')));
    const [first] = eventsOf(reader);
    reader.push(octets(message('2', 'other')));
    eventsOf(reader);
    expect(first?.kind === 'message' && Buffer.from(first.message.body).toString()).toBe('first');
  });

  test('a single empty line is the answer to a ping of ours and says nothing', () => {
    expect(read('\r\n')).toEqual([]);
  });

  test('it is known whether a message is under way', () => {
    const reader = new SipStreamReader();
    expect(reader.isMidMessage).toBe(false);
    reader.push(octets('MESS'));
    expect(reader.isMidMessage).toBe(true);
  });
});

describe('a broken message', () => {
  test('with a legible length is skipped, and the next one is read', () => {
    const broken = message('1', 'body', 'no colon\r\n');
    expect(kindsOf(read(`${broken}${message('2')}`))).toEqual(['malformed', 'message']);
  });

  test('is skipped even when its body arrives later', () => {
    const reader = new SipStreamReader();
    const broken = message('1', 'abcdefgh', 'no colon\r\n');
    reader.push(octets(broken.slice(0, -5)));
    expect(eventsOf(reader)).toMatchObject([{ kind: 'malformed', fatal: false }]);
    reader.push(octets(broken.slice(-5) + message('2', 'z')));
    expect(bodiesOf(eventsOf(reader))).toEqual(['z']);
  });

  test.each([
    ['without Content-Length', 'MESSAGE sip:a@b SIP/2.0\r\nCall-ID: 1\r\n\r\n'],
    ['with a Content-Length that is no number', message('1').replace('Length: 0', 'Length: x')],
    ['with a body over the limit', message('1').replace('Length: 0', 'Length: 65536')],
    ['whose head never ends', `MESSAGE sip:a@b SIP/2.0\r\n${'X-A: b\r\n'.repeat(9000)}`],
    ['that is not SIP at all', `GET / HTTP/1.1\r\nHost: a\r\n\r\n`],
  ])('%s ends the stream', (_name, text) => {
    expect(read(`${text}${message('2')}`)).toMatchObject([{ kind: 'malformed', fatal: true }]);
  });

  test('at the end of the stream is told', () => {
    const reader = new SipStreamReader();
    reader.push(octets(message('1', 'abc').slice(0, -1)));
    expect(eventsOf(reader)).toEqual([]);
    expect(reader.end()).toMatchObject({ kind: 'malformed', fatal: true });
  });

  test('random octets are refused within the limits and never throw', () => {
    const random = seededRandom(11);
    for (let round = 0; round < 300; round += 1) {
      const reader = new SipStreamReader();
      for (let piece = 0; piece < 20; piece += 1) {
        const noise = Uint8Array.from({ length: random.below(200) }, () =>
          random.below(4) === 0 ? 10 + 3 * random.below(2) : random.below(256),
        );
        reader.push(noise);
        eventsOf(reader);
      }
      reader.end();
    }
  });
});
