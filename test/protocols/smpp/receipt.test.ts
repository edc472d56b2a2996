/** Receipts as SMSCs write them, ids in their spellings, and times (SMPP 3.4 appendix B, §7.1.1). */
import { describe, expect, it } from 'vitest';
import {
  canonicalId,
  decodeReceipt,
  formatInstant,
  formatSpan,
  isReceipt,
  NO_PARAMETERS,
  PARAMETER,
  receiptIds,
  submittedIds,
} from '../../../src/protocols/smpp/index.js';

const read = (text: string, parameters = NO_PARAMETERS) =>
  decodeReceipt(Buffer.from(text, 'latin1'), parameters);

describe('the text of a receipt', () => {
  it.each([
    [
      'as appendix B has it',
      'id:0123456789 sub:001 dlvrd:001 submit date:2611270101 done date:2611270102 stat:DELIVRD err:000 text:hello',
      { messageId: '0123456789', state: 'delivered', error: '000' },
    ],
    [
      'in other letters',
      'ID:1a2B SUB:001 DLVRD:000 STAT:UNDELIV ERR:0x1 TEXT:',
      { messageId: '1a2B', state: 'undeliverable', error: '0x1' },
    ],
    [
      'with spaces behind colons',
      'id: 77 sub: 1 stat: EXPIRED err: 5',
      { messageId: '77', state: 'expired', error: '5' },
    ],
    ['without what is not needed', 'id:9 stat:REJECTD', { messageId: '9', state: 'rejected' }],
    ['with the fields in another order', 'stat:ACCEPTD id:9', { messageId: '9', state: 'accepted' }],
    [
      'with an id that is a UUID',
      'id:3f2a-11-beef stat:DELETED',
      { messageId: '3f2a-11-beef', state: 'deleted' },
    ],
    ['of a message under way', 'id:9 stat:BUFFRED', { messageId: '9', state: 'enroute' }],
  ])('is read %s', (_, text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  it.each([
    ['names no message', 'sub:001 stat:DELIVRD'],
    ['names no state', 'id:12 sub:001'],
    ['names a state that nobody knows', 'id:12 stat:WHATEVR'],
    ['is something else', 'hello'],
  ])('says nothing when it %s', (_, text) => {
    expect(read(text)).toBeUndefined();
  });
});

it('its text may stand in message_payload, and an empty id in the parameters says nothing', () => {
  const text = 'id:7 sub:001 stat:DELIVRD err:000';
  const parameters = new Map([
    [PARAMETER.messagePayload, Buffer.from(text)],
    [PARAMETER.receiptedMessageId, Buffer.of(0)],
  ]);
  expect(read('', parameters)).toEqual({ messageId: '7', state: 'delivered', error: '000' });
});

it('that goes on for ever is read to where a receipt ends', () => {
  const parameters = new Map([
    [PARAMETER.messagePayload, Buffer.from(`${' '.repeat(60_000)}id:7 stat:DELIVRD`)],
  ]);
  expect(read('', parameters)).toBeUndefined();
});

it('what the parameters say goes before what the text says', () => {
  const parameters = new Map([
    [PARAMETER.receiptedMessageId, Buffer.from('beef\0')],
    [PARAMETER.messageState, Buffer.of(2)],
    [PARAMETER.networkErrorCode, Buffer.from('030021', 'hex')],
  ]);
  expect(read('id:48879 stat:ENROUTE err:7', parameters)).toEqual({
    messageId: 'beef',
    state: 'delivered',
    error: '33',
  });
  expect(read('', parameters)).toMatchObject({ messageId: 'beef', state: 'delivered' });
});

it.each([
  [0x04, true],
  [0x44, true],
  [0x08, true],
  [0x20, true],
  [0x00, false],
  [0x40, false],
  [0x10, false],
])('esm_class 0x%s tells whether it is one', (esmClass, expected) => {
  expect(isReceipt(esmClass)).toBe(expected);
});

describe('message ids', () => {
  it('are equal without zeros in front and in either letter case', () => {
    expect(canonicalId('000012AB')).toBe(canonicalId('12ab'));
    expect(canonicalId('0000')).toBe('0');
  });

  it.each([
    ['auto', '0000006699', ['6699', '1a2b', '26265']],
    ['same', '0000006699', ['6699']],
    ['hex-to-decimal', '0000006699', ['1a2b']],
    ['decimal-to-hex', '1A2B', ['6699']],
    ['hex-to-decimal', 'b1946ac9-2492', ['b1946ac9-2492']],
  ] as const)('a receipt means, %s, for %s the submissions %j', (relation, id, expected) => {
    expect(submittedIds(id, relation)).toEqual(expected);
  });

  it.each([
    ['hex-to-decimal', ['1a2b', '6699', '0', 'ffffffff', 'x-7']],
    ['decimal-to-hex', ['6699', '0', '4294967295', 'x-7']],
    ['same', ['1a2b', '6699']],
    ['auto', ['1a2b', '6699']],
  ] as const)('are found, %s, from either side, whichever comes first', (relation, ids) => {
    for (const id of ids) {
      for (const receipt of receiptIds(id, relation)) {
        expect(submittedIds(receipt, relation), `${id} ${receipt}`).toContain(id);
      }
    }
  });
});

describe('times', () => {
  it.each([
    [1, '000000000001000R'],
    [61_000, '000000000101000R'],
    [2 * 86_400_000 + 3 * 3_600_000, '000002030000000R'],
    [-5, '000000000001000R'],
    [1e15, '000099000000000R'],
  ])('a span of %d ms', (ms, expected) => {
    expect(formatSpan(ms)).toBe(expected);
  });

  it('an instant is in UTC', () => {
    expect(formatInstant(Date.UTC(2026, 10, 27, 3, 5, 9, 400))).toBe('261127030509400+');
  });
});
