import { describe, expect, it } from 'vitest';
import {
  type ContinuationFlag,
  MsrpMessageAssembler,
  OpenMessageBudget,
  type ReceivedMsrpRequest,
} from '../../../src/protocols/msrp/index.js';
import { seededRandom } from '../../support/seeded-random.js';

const CONTENT = Buffer.from('The quick brown fox');

interface ChunkOptions {
  readonly id?: string;
  readonly total?: number | undefined;
  readonly flag?: ContinuationFlag;
  readonly isOversize?: boolean;
}

/** The chunk with the octets of `body`, the first of which is number `start`. */
function chunk(start: number, body: Uint8Array, options: ChunkOptions = {}): ReceivedMsrpRequest {
  const { id = 'm123', flag = '+', isOversize = false } = options;
  const total = 'total' in options ? options.total : CONTENT.length;
  return {
    kind: 'request',
    transactionId: 'abcd',
    method: 'SEND',
    toPath: [],
    fromPath: [],
    messageId: id,
    byteRange: { start, end: undefined, total },
    contentType: 'text/plain',
    headers: [{ name: 'X', value: 'y' }],
    body,
    continuation: flag,
    problem: undefined,
    isOversize,
  };
}

/** Octets `from` to `to` of the content, counted from 1. */
function part(from: number, to: number, options?: ChunkOptions): ReceivedMsrpRequest {
  return chunk(from, CONTENT.subarray(from - 1, to), { flag: to === CONTENT.length ? '$' : '+', ...options });
}

/** Adds chunks in order; every result's kind, and the content if a message became whole. */
function assemble(
  chunks: readonly ReceivedMsrpRequest[],
  assembler = new MsrpMessageAssembler(),
): [string, string?][] {
  return chunks.map((each) => {
    const result = assembler.add(each, 0);
    if (result.kind === 'complete')
      return ['complete', Buffer.from(result.message.content).toString('latin1')];
    return result.kind === 'refused' ? [`refused ${result.status}`] : [result.kind];
  });
}

const WHOLE: [string, string] = ['complete', CONTENT.toString('latin1')];

describe('MsrpMessageAssembler', () => {
  it('gives a message of one chunk at once, with its fields', () => {
    expect(new MsrpMessageAssembler().add(part(1, 19), 0)).toEqual({
      kind: 'complete',
      message: {
        messageId: 'm123',
        contentType: 'text/plain',
        headers: [{ name: 'X', value: 'y' }],
        content: CONTENT,
      },
    });
  });

  it('gives octets of its own', () => {
    const body = Buffer.from(CONTENT);
    const result = new MsrpMessageAssembler().add(chunk(1, body, { flag: '$' }), 0);
    body.fill(0);
    expect(result).toMatchObject({ message: { content: CONTENT } });
  });

  it('gives an empty message', () => {
    expect(assemble([chunk(1, Buffer.alloc(0), { total: 0, flag: '$' })])).toEqual([['complete', '']]);
  });

  it('takes a chunk without Byte-Range for a whole message', () => {
    expect(assemble([{ ...part(1, 19), byteRange: undefined }])).toEqual([WHOLE]);
  });

  it('joins chunks in order', () => {
    expect(assemble([part(1, 5), part(6, 10), part(11, 19)])).toEqual([['open'], ['open'], WHOLE]);
  });

  it('joins chunks in the reverse order', () => {
    expect(assemble([part(11, 19), part(6, 10), part(1, 5)])).toEqual([['open'], ['open'], WHOLE]);
  });

  it('takes duplicates once', () => {
    expect(assemble([part(1, 5), part(1, 5), part(6, 19)])).toEqual([['open'], ['open'], WHOLE]);
  });

  it('takes the later octets where chunks overlap', () => {
    const chunks = [chunk(1, Buffer.from('The quick green')), part(9, 19)];
    expect(assemble(chunks)).toEqual([['open'], WHOLE]);
  });

  it('learns an unknown total from the chunk with the final flag', () => {
    const unknown = { total: undefined };
    expect(assemble([part(1, 5, unknown), part(6, 19, unknown)])).toEqual([['open'], WHOLE]);
  });

  it('ends a message with a final chunk that is empty', () => {
    const chunks = [
      part(1, 19, { total: undefined, flag: '+' }),
      chunk(20, Buffer.alloc(0), { total: undefined, flag: '$' }),
    ];
    expect(assemble(chunks)).toEqual([['open'], WHOLE]);
  });

  it('keeps messages apart by Message-ID', () => {
    const chunks = [part(1, 5), part(1, 6, { id: 'other' }), part(6, 19), part(7, 19, { id: 'other' })];
    expect(assemble(chunks)).toEqual([['open'], ['open'], WHOLE, WHOLE]);
  });

  it('forgets a message that the sender gives up', () => {
    const assembler = new MsrpMessageAssembler();
    expect(assemble([part(1, 5), part(6, 8, { flag: '#' }), part(6, 19)], assembler)).toEqual([
      ['open'],
      ['abandoned'],
      ['open'],
    ]);
  });

  it('starts a message anew under a Message-ID that is done', () => {
    expect(assemble([part(1, 19), part(1, 19)])).toEqual([WHOLE, WHOLE]);
  });

  it.each<[string, ReceivedMsrpRequest[], string]>([
    ['a body without Message-ID', [{ ...part(1, 19), messageId: undefined }], 'refused 400'],
    ['more octets than the total', [chunk(1, Buffer.alloc(20))], 'refused 400'],
    ['a final flag before the total', [part(1, 5, { flag: '$' })], 'refused 400'],
    ['a total that changes', [part(1, 5), part(6, 10, { total: 20 })], 'refused 400'],
    [
      'a total below what is there',
      [part(1, 10, { total: undefined }), part(1, 5, { total: 8 })],
      'refused 400',
    ],
    ['an oversize chunk', [part(1, 5, { isOversize: true })], 'refused 413'],
  ])('refuses %s', (_, chunks, expected) => {
    expect(assemble(chunks).at(-1)).toEqual([expected]);
  });

  it('forgets a message that it refuses', () => {
    const assembler = new MsrpMessageAssembler();
    assemble([part(1, 5), part(6, 10, { total: 20 })], assembler);
    expect(assembler.openCount).toBe(0);
  });

  describe('within its limits', () => {
    it('refuses a message by its total before the octets come', () => {
      const assembler = new MsrpMessageAssembler({ maxMessageBytes: 18 });
      expect(assemble([part(1, 5)], assembler)).toEqual([['refused 413']]);
    });

    it('refuses a message of unknown total when it has grown too large', () => {
      const assembler = new MsrpMessageAssembler({ maxMessageBytes: 18 });
      const chunks = [part(1, 18, { total: undefined }), part(19, 19, { total: undefined })];
      expect(assemble(chunks, assembler)).toEqual([['open'], ['refused 413']]);
    });

    it('refuses one more open message', () => {
      const assembler = new MsrpMessageAssembler({ maxOpenMessages: 2 });
      const ids = ['one1', 'two2', 'three'];
      expect(
        assemble(
          ids.map((id) => part(1, 5, { id })),
          assembler,
        ),
      ).toEqual([['open'], ['open'], ['refused 413']]);
    });

    it('takes a message of one chunk even then', () => {
      const assembler = new MsrpMessageAssembler({ maxOpenMessages: 1 });
      expect(assemble([part(1, 5), part(1, 19, { id: 'other' })], assembler)).toEqual([['open'], WHOLE]);
    });

    it('refuses more memory for open messages, and counts what it frees', () => {
      const assembler = new MsrpMessageAssembler({ maxOpenBytes: 30 });
      const ids = ['one1', 'two2'];
      const late = ids.map((id) => part(10, 18, { id }));
      expect(
        assemble(
          [...late, part(1, 9, { id: 'one1' }), part(19, 19, { id: 'one1' }), ...late.slice(1)],
          assembler,
        ),
      ).toEqual([['open'], ['refused 413'], ['open'], WHOLE, ['open']]);
    });

    it('refuses more memory than several assemblers may use together, and gives it back', () => {
      const budget = new OpenMessageBudget(30);
      const [one, two] = [new MsrpMessageAssembler({}, budget), new MsrpMessageAssembler({}, budget)];
      expect(assemble([part(1, 18)], one)).toEqual([['open']]);
      expect(assemble([part(1, 18)], two)).toEqual([['refused 413']]);
      expect(assemble([part(19, 19)], one)).toEqual([WHOLE]);
      expect(assemble([part(1, 18)], two)).toEqual([['open']]);
    });

    it('refuses chunks that leave too many gaps', () => {
      const assembler = new MsrpMessageAssembler({ maxRuns: 2 });
      expect(assemble([part(1, 1), part(3, 3), part(5, 5)], assembler)).toEqual([
        ['open'],
        ['open'],
        ['refused 413'],
      ]);
    });

    it('forgets messages that got no chunk for long', () => {
      const assembler = new MsrpMessageAssembler();
      assembler.add(part(1, 5, { id: 'old1' }), 100);
      assembler.add(part(1, 5, { id: 'new1' }), 200);
      assembler.forgetIdle(150);
      expect([assembler.has('old1'), assembler.has('new1')]).toEqual([false, true]);
    });
  });

  it('gives the exact octets for any order, overlap and repetition of chunks', () => {
    const random = seededRandom(4975);
    for (let round = 0; round < 200; round += 1) {
      const size = 1 + random.below(300);
      const content = Buffer.from(Array.from({ length: size }, () => random.below(256)));
      const assembler = new MsrpMessageAssembler({ maxRuns: 1000 });
      const covered = new Set<number>();
      for (;;) {
        const start = random.below(size);
        const end = start + 1 + random.below(Math.min(40, size - start));
        for (let at = start; at < end; at += 1) covered.add(at);
        const flag = end === size ? '$' : '+';
        const result = assembler.add(
          chunk(start + 1, content.subarray(start, end), { total: size, flag }),
          0,
        );
        expect(result.kind).toBe(covered.size === size ? 'complete' : 'open');
        if (result.kind !== 'complete') continue;
        expect(content.equals(result.message.content)).toBe(true);
        break;
      }
    }
  });
});
