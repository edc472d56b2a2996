/**
 * Hostile variations of valid input, the same on every run: mutations that hit what decoders trip over (cuts, repeats, flipped
 * bits, structural octets in the wrong place).
 */
import type { SeededRandom } from './seeded-random.js';

const STRUCTURAL = Buffer.from('\0\t\r\n "\'-/:;<=>?[]&%@#\\\xff\xc3', 'latin1');

/** One to four mutations of a copy of `input`. */
export function mutated(input: Uint8Array, random: SeededRandom): Buffer {
  let bytes = Buffer.from(input);
  for (let count = 1 + random.below(4); count > 0; count -= 1) bytes = mutateOnce(bytes, random);
  return bytes;
}

function mutateOnce(bytes: Buffer<ArrayBuffer>, random: SeededRandom): Buffer<ArrayBuffer> {
  const at = random.below(bytes.length + 1);
  const length = random.below(Math.min(64, bytes.length - at + 1));
  const before = bytes.subarray(0, at);
  const piece = bytes.subarray(at, at + length);
  const after = bytes.subarray(at + length);
  switch (random.below(6)) {
    case 0:
      return Buffer.concat([before, after]);
    case 1:
      return Buffer.concat([before, piece, piece, after]);
    case 2:
      return Buffer.from(before);
    case 3:
      return Buffer.concat([before, Buffer.from([random.below(256)]), bytes.subarray(at)]);
    case 4: {
      const octet = STRUCTURAL[random.below(STRUCTURAL.length)] ?? 0;
      return Buffer.concat([before, Buffer.from([octet]), bytes.subarray(at + 1)]);
    }
    default: {
      const flipped = Buffer.from(bytes);
      if (at < flipped.length) flipped[at] = (flipped[at] ?? 0) ^ (1 << random.below(8));
      return flipped;
    }
  }
}
