/** Texts as short messages: alphabets, parts, and no character cut in two. */
import { describe, expect, it } from 'vitest';
import { RefusedError } from '../../../src/kernel/errors.js';
import { decodeText, decodeUserData, textMessage } from '../../../src/protocols/sms/index.js';

const REFERENCE = { reference: 7, referenceBits: 8 } as const;

/** What a receiver makes of it, whose parts are read one by one. */
function readBack(text: string): { readonly texts: readonly string[]; readonly dataCoding: number } {
  const { parts, hasHeader, dataCoding } = textMessage(text, REFERENCE);
  const texts = parts.map((part, index) => {
    if (!hasHeader) return decodeText(part, dataCoding);
    const { header, data } = decodeUserData(part);
    expect(header).toEqual({ part: { ...REFERENCE, total: parts.length, number: index + 1 } });
    return decodeText(data, dataCoding);
  });
  return { texts, dataCoding };
}

describe('a text', () => {
  it.each([
    ['nothing', '', 0, [0]],
    ['what fills a short message', 'x'.repeat(160), 0, [160]],
    ['one character more', 'x'.repeat(161), 0, [153, 8]],
    ['what fills two', 'x'.repeat(306), 0, [153, 153]],
    ['a pair of septets at the border', `${'x'.repeat(152)}{${'x'.repeat(20)}`, 0, [152, 21]],
    ['a character of no septet', `${'x'.repeat(69)}ł`, 8, [70]],
    ['the same in parts', `${'x'.repeat(70)}ł`, 8, [67, 4]],
    ['a pair of surrogates at the border', `${'x'.repeat(66)}😀${'x'.repeat(20)}`, 8, [66, 22]],
  ] as const)('of %s is whole again, and no part has half a character', (_, text, coding, lengths) => {
    const { texts, dataCoding } = readBack(text);
    expect([dataCoding, texts.map(({ length }) => length)]).toEqual([coding, lengths]);
    expect(texts.join('')).toBe(text);
  });

  it('has room in a short message, whatever it is', () => {
    for (const text of ['{'.repeat(500), 'x'.repeat(500), 'ł'.repeat(500), '😀'.repeat(500)]) {
      const { parts, dataCoding } = textMessage(text, REFERENCE);
      for (const part of parts) {
        const octets = dataCoding === 8 ? part.length : 6 + Math.ceil(((part.length - 6) * 7) / 8);
        expect(octets).toBeLessThanOrEqual(140);
      }
    }
  });

  it('that takes more parts than can be counted is refused', () => {
    expect(textMessage('x'.repeat(153 * 255), REFERENCE).parts).toHaveLength(255);
    expect(() => textMessage('x'.repeat(153 * 255 + 1), REFERENCE)).toThrow(RefusedError);
  });
});
