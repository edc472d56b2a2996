/** data_coding of SMPP (SMPP 3.4 §5.2.19) and what its octets say as text. */
import { decodeGsmText } from './gsm-alphabet.js';

export const DATA_CODING = { smscDefault: 0x00, ia5: 0x01, octets: 0x04, latin1: 0x03, ucs2: 0x08 } as const;

/** What an SMSC means by its default alphabet: the specification leaves it to the SMSC. */
export const DEFAULT_ALPHABETS = ['gsm', 'latin1', 'utf-8'] as const;
export type DefaultAlphabet = (typeof DEFAULT_ALPHABETS)[number];

/** Octets that cannot be text of their coding become replacement characters. */
export function decodeText(
  octets: Uint8Array,
  dataCoding: number,
  fallback: DefaultAlphabet = 'gsm',
): string {
  switch (alphabetOf(dataCoding, fallback)) {
    case 'gsm':
      return decodeGsmText(octets);
    case 'latin1':
      return Buffer.from(octets).toString('latin1');
    case 'utf-8':
      return new TextDecoder('utf-8').decode(octets);
    case 'ucs2':
      return new TextDecoder('utf-16be').decode(octets);
  }
}

type Alphabet = DefaultAlphabet | 'ucs2';

function alphabetOf(dataCoding: number, fallback: DefaultAlphabet): Alphabet {
  // Message class and the like of 3GPP TS 23.038 §4, passed through by some SMSCs.
  const group = dataCoding & 0xf0;
  if (group === 0xf0) return dataCoding & 0x04 ? 'utf-8' : 'gsm';
  switch (group === 0x10 ? dataCoding & 0x0c : dataCoding) {
    case DATA_CODING.ucs2:
      return 'ucs2';
    case DATA_CODING.ia5:
    case DATA_CODING.latin1:
      return 'latin1';
    case 0x02:
    case DATA_CODING.octets:
      return 'utf-8';
    default:
      return fallback;
  }
}
