/**
 * Chance for the crash tests: one seed decides everything that a run decides, printed by every run and taken from
 * CARILLON_SEED when that is set. Each actor draws from a stream of its own, so that one actor's draws do not move another's.
 * Not decided here is what the operating system decides: which instruction a killed process had come to.
 */
import { seededRandom } from './seeded-random.js';

export interface Chance {
  /** A whole number from `from` to `to`, both included. */
  between(from: number, to: number): number;
  /** True with a probability from 0 to 1. */
  happens(probability: number): boolean;
  pick<T>(from: readonly [T, ...T[]]): T;
  octets(size: number): Uint8Array;
  /** An independent stream; the same name gives the same one. */
  stream(name: string): Chance;
}

export function chance(seed: number): Chance {
  const random = seededRandom(seed);
  const between = (from: number, to: number) => from + random.below(to - from + 1);
  return {
    between,
    happens: (probability) => random.below(1_000_000) < probability * 1_000_000,
    pick: (from) => from[random.below(from.length)] ?? from[0],
    octets(size) {
      const octets = Buffer.allocUnsafe(size);
      for (let at = 0; at < size; at += 1) octets[at] = random.below(256);
      return octets;
    },
    stream: (name) => chance(mixed(seed, name)),
  };
}

/** The seed of this run: CARILLON_SEED, else one that was not used before. */
export function seedOfRun(): number {
  const given = process.env['CARILLON_SEED'];
  if (given !== undefined && !/^\d{1,10}$/.test(given)) throw new Error('CARILLON_SEED is not a number');
  return given === undefined ? Date.now() % 0x1_0000_0000 : Number(given) % 0x1_0000_0000;
}

/** FNV-1a over the name, begun with the seed. */
function mixed(seed: number, name: string): number {
  let hash = (seed ^ 0x811c9dc5) >>> 0;
  for (const octet of Buffer.from(name)) hash = Math.imul(hash ^ octet, 0x01000193) >>> 0;
  return hash;
}
