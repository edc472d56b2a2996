/** The default alphabet of GSM and its extension (3GPP TS 23.038 §6.2.1), one septet in an octet, as SMPP carries it. */

const DEFAULT =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u001bÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?' +
  '¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà';

const ESCAPE = 0x1b;

const EXTENSION: ReadonlyMap<number, string> = new Map([
  [0x0a, '\f'],
  [0x14, '^'],
  [0x28, '{'],
  [0x29, '}'],
  [0x2f, '\\'],
  [0x3c, '['],
  [0x3d, '~'],
  [0x3e, ']'],
  [0x40, '|'],
  [0x65, '€'],
]);

const SEPTETS: ReadonlyMap<string, readonly number[]> = new Map<string, readonly number[]>([
  ...[...DEFAULT].map((character, septet) => [character, [septet]] as const),
  ...[...EXTENSION].map(([septet, character]) => [character, [ESCAPE, septet]] as const),
]);

/** What stands behind an escape and is not in the extension is shown as it is without it; the eighth bit counts for nothing. */
export function decodeGsmText(septets: Uint8Array): string {
  let text = '';
  for (let index = 0; index < septets.length; index += 1) {
    let septet = (septets[index] ?? 0) & 0x7f;
    if (septet === ESCAPE && index + 1 < septets.length) {
      index += 1;
      septet = (septets[index] ?? 0) & 0x7f;
      text += EXTENSION.get(septet) ?? DEFAULT[septet] ?? '';
    } else if (septet === ESCAPE) text += ' ';
    else text += DEFAULT[septet] ?? '';
  }
  return text;
}

/** Undefined for text that has a character outside the alphabet. */
export function encodeGsmText(text: string): Uint8Array | undefined {
  const septets: number[] = [];
  for (const character of text) {
    const encoded = character === '\u001b' ? undefined : SEPTETS.get(character);
    if (encoded === undefined) return undefined;
    septets.push(...encoded);
  }
  return Uint8Array.from(septets);
}
