/** Mutated chunks into every MSRP decoder: they return or throw DecodeError, and do so alike however the stream is cut. */
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../../src/kernel/errors.js';
import {
  encodeRequest,
  encodeResponse,
  formatMsrpUri,
  hasEndLine,
  MsrpMessageAssembler,
  MsrpStreamReader,
  parseMsrpUri,
} from '../../../src/protocols/msrp/index.js';
import { type SeededRandom, seededRandom } from '../../support/seeded-random.js';
import { SAMPLES, TO } from './samples.js';

const ROUNDS = 3000;
const LIMITS = { maxHeaderBytes: 1024, maxChunkBytes: 300, maxHeaders: 12 };
const STREAM = Buffer.concat(SAMPLES.map((sample) => sample.wire));
const TOKENS = [
  '\r\n',
  '-------',
  '$\r\n',
  'MSRP ',
  'To-Path: ',
  'Byte-Range: 1-*/5\r\n',
  ' ',
  ':',
  '\0',
  '\xff',
  'd93kswow',
  '#\r\n',
];

function mutate(bytes: Buffer, random: SeededRandom): Buffer {
  let mutated = bytes;
  for (let times = 1 + random.below(4); times > 0; times -= 1) {
    const at = random.below(mutated.length + 1);
    const length = random.below(30);
    const token = Buffer.from(TOKENS[random.below(TOKENS.length)] ?? '', 'latin1');
    const kind = random.below(4);
    if (kind === 0) mutated = Buffer.concat([mutated.subarray(0, at), token, mutated.subarray(at)]);
    else if (kind === 1) mutated = Buffer.concat([mutated.subarray(0, at), mutated.subarray(at + length)]);
    else if (kind === 2) mutated = Buffer.concat([mutated.subarray(0, at + length), mutated.subarray(at)]);
    else {
      mutated = Buffer.from(mutated);
      if (at < mutated.length) mutated[at] = random.below(256);
    }
  }
  return mutated;
}

/** What reading gives: the events as JSON, and the error that ended it, if any. */
function outcomeOf(bytes: Buffer, pieceSize: () => number): string[] {
  const reader = new MsrpStreamReader(LIMITS);
  const seen: string[] = [];
  try {
    for (let at = 0; at < bytes.length; ) {
      const end = at + pieceSize();
      reader.push(Buffer.from(bytes.subarray(at, end)));
      at = end;
      for (let event = reader.next(); event !== undefined; event = reader.next())
        seen.push(JSON.stringify(event));
    }
    reader.end();
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    seen.push('broken');
  }
  return seen;
}

describe('hostile MSRP input', () => {
  it('gives the same events in pieces of any size', () => {
    const random = seededRandom(1);
    for (let round = 0; round < ROUNDS; round += 1) {
      const bytes = mutate(STREAM, random);
      const whole = outcomeOf(bytes, () => bytes.length);
      const pieces = outcomeOf(bytes, () => 1 + random.below(40));
      expect(pieces).toEqual(whole);
    }
  });

  it('never makes events that cannot be written again', () => {
    const random = seededRandom(2);
    let written = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const reader = new MsrpStreamReader(LIMITS);
      reader.push(mutate(STREAM, random));
      try {
        for (let event = reader.next(); event !== undefined; event = reader.next()) {
          if (event.problem !== undefined || (event.kind === 'request' && event.isOversize)) continue;
          const again = new MsrpStreamReader();
          const body = event.kind === 'request' ? event.body : undefined;
          if (body !== undefined && hasEndLine(body, event.transactionId)) continue;
          again.push(event.kind === 'request' ? encodeRequest(event) : encodeResponse(event));
          expect(again.next()).toEqual(event);
          written += 1;
        }
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
      }
    }
    expect(written).toBeGreaterThan(ROUNDS);
  });

  it('never breaks the assembler', () => {
    const random = seededRandom(3);
    const assembler = new MsrpMessageAssembler({ maxMessageBytes: 5000, maxOpenMessages: 4 });
    for (let round = 0; round < ROUNDS; round += 1) {
      const reader = new MsrpStreamReader(LIMITS);
      reader.push(mutate(STREAM, random));
      try {
        for (let event = reader.next(); event !== undefined; event = reader.next()) {
          if (event.kind === 'request') assembler.add(event, round);
        }
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
      }
      expect(assembler.openCount).toBeLessThanOrEqual(4);
    }
  });

  it('never breaks the URI parser, and what it reads can be written and read again', () => {
    const random = seededRandom(4);
    let parsed = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      try {
        const uri = parseMsrpUri(mutate(Buffer.from(TO), random).toString('latin1'));
        expect(parseMsrpUri(formatMsrpUri(uri))).toEqual(uri);
        parsed += 1;
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
      }
    }
    expect(parsed).toBeGreaterThan(0);
  });
});
