/** PDUs out of a stream, however it is cut, and streams that cannot be read on. */
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../../src/kernel/errors.js';
import {
  encodePdu,
  NO_PARAMETERS,
  type PduOf,
  SmppStreamReader,
  STATUS,
} from '../../../src/protocols/smpp/index.js';

const enquire = (sequence: number): Buffer =>
  encodePdu<'enquire_link'>({
    command: 'enquire_link',
    status: 0,
    sequence,
    body: {},
    parameters: NO_PARAMETERS,
  });

const response = (sequence: number, messageId: string): Buffer => {
  const pdu: PduOf<'submit_sm_resp'> = {
    command: 'submit_sm_resp',
    status: 0,
    sequence,
    body: { messageId },
    parameters: NO_PARAMETERS,
  };
  return encodePdu(pdu);
};

function readAll(reader: SmppStreamReader): string[] {
  const read: string[] = [];
  for (let pdu = reader.next(); pdu !== undefined; pdu = reader.next())
    read.push(`${pdu.command} ${pdu.sequence}`);
  return read;
}

const STREAM = Buffer.concat([enquire(1), response(2, 'abc'), enquire(3), response(4, 'x'.repeat(60))]);
const ALL = ['enquire_link 1', 'submit_sm_resp 2', 'enquire_link 3', 'submit_sm_resp 4'];

describe('the stream reader', () => {
  it('gives the same PDUs however the stream is cut', () => {
    for (let size = 1; size <= STREAM.length; size += 1) {
      const reader = new SmppStreamReader();
      const read: string[] = [];
      for (let from = 0; from < STREAM.length; from += size) {
        reader.push(STREAM.subarray(from, from + size));
        read.push(...readAll(reader));
      }
      expect(read, `pieces of ${size}`).toEqual(ALL);
    }
  });

  it('reads on behind a PDU that it cannot read, and says what its sender is told', () => {
    const unknown = Buffer.from('00000014000000ff000000000000002a01020304', 'hex');
    const short = Buffer.from('00000012000000040000000000000' + '02b4100', 'hex');
    const reader = new SmppStreamReader();
    reader.push(Buffer.concat([unknown, short, enquire(5)]));
    expect(reader.next()).toMatchObject({
      command: 'unreadable',
      commandId: 0xff,
      sequence: 42,
      status: STATUS.invalidCommand,
    });
    expect(reader.next()).toMatchObject({
      command: 'unreadable',
      commandId: 4,
      sequence: 43,
      status: STATUS.invalidLength,
    });
    expect(readAll(reader)).toEqual(['enquire_link 5']);
  });

  it.each([
    ['shorter than a header', 15],
    ['zero', 0],
    ['longer than any PDU', 0x7fff_ffff],
  ])('gives up a stream whose length is %s', (_, length) => {
    const octets = enquire(1);
    octets.writeUInt32BE(length, 0);
    const reader = new SmppStreamReader();
    reader.push(octets);
    expect(() => reader.next()).toThrow(DecodeError);
  });
});
