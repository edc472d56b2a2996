/**
 * A text as the user data of short messages: in the default alphabet where that has all of its characters, else in UCS-2; in one short message,
 * or in as many as it takes, each with a header that says which part it is (3GPP TS 23.040 §9.2.3.24.1).
 */
import { RefusedError } from '../../kernel/errors.js';
import { DATA_CODING } from './data-coding.js';
import { encodeGsmText } from './gsm-alphabet.js';
import type { Reference } from './segmentation.js';
import { encodeHeader, MAX_PARTS } from './user-data-header.js';

export interface TextMessage {
  /** As SMPP names it. */
  readonly dataCoding: number;
  /** The parts begin with a user data header. */
  readonly hasHeader: boolean;
  /** One septet in an octet where the alphabet is the default one, as SMPP carries it. */
  readonly parts: readonly Uint8Array[];
}

/** Room in one short message, and in one of several behind a header of six octets. */
const ROOM = {
  septets: { alone: 160, part: 153 },
  octets: { alone: 140, part: 134 },
} as const;
const ESCAPE = 0x1b;

/** `reference` is the same for no other message to the same number at that time. Throws RefusedError `limitExceeded` beyond 255 parts. */
export function textMessage(text: string, reference: Reference): TextMessage {
  const septets = encodeGsmText(text);
  const octets = septets ?? Buffer.from(text, 'utf16le').swap16();
  const room = septets === undefined ? ROOM.octets : ROOM.septets;
  const dataCoding = septets === undefined ? DATA_CODING.ucs2 : DATA_CODING.smscDefault;
  if (octets.length <= room.alone) return { dataCoding, hasHeader: false, parts: [octets] };
  const pieces = cut(octets, room.part, septets === undefined ? halfOfSurrogates : halfOfEscape);
  if (pieces.length > MAX_PARTS)
    throw new RefusedError('limitExceeded', `${pieces.length} parts are too many for a short message`);
  const parts = pieces.map((piece, index) => {
    const part = { ...reference, total: pieces.length, number: index + 1 };
    return Buffer.concat([encodeHeader({ part }), piece]);
  });
  return { dataCoding, hasHeader: true, parts };
}

/** Never between the two halves of one character: `half` gives the octets of a first half that ends a piece. */
function cut(octets: Uint8Array, size: number, half: (piece: Uint8Array) => number): readonly Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let from = 0; from < octets.length; ) {
    const full = octets.subarray(from, from + size);
    const isLast = from + full.length >= octets.length;
    const piece = isLast ? full : full.subarray(0, full.length - half(full));
    pieces.push(piece);
    from += piece.length;
  }
  return pieces;
}

function halfOfEscape(piece: Uint8Array): number {
  return piece.at(-1) === ESCAPE ? 1 : 0;
}

function halfOfSurrogates(piece: Uint8Array): number {
  return ((piece.at(-2) ?? 0) & 0xfc) === 0xd8 ? 2 : 0;
}
