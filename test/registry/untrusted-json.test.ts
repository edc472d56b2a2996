import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { DecodeError, InvariantError } from '../../src/kernel/errors.js';
import { at, each, readBySchema } from '../../src/registry/untrusted-json.js';

const schema = z.strictObject({ list: z.array(z.strictObject({ name: z.string() })) });

describe('what is wrong with JSON', () => {
  it.each([
    ['the whole', 7, '', /^body: /],
    ['a property', { list: 7 }, '', /^list: /],
    ['something inside a list', { list: [{ name: 'a' }, { name: 7 }] }, '', /^list\[1\]\.name: /],
    ['something in a part of the body', { list: 7 }, 'policy.rules', /^policy\.rules\.list: /],
  ])('is told with its path: %s', (_, json, path, expected) => {
    expect(() => readBySchema(schema, json, path)).toThrow(
      expect.objectContaining({ code: 'malformed', detail: expect.stringMatching(expected) }),
    );
  });

  it('is told in few words, whatever the properties of the body are called', () => {
    const detail = expect.stringMatching(/^.{300}$/);
    const read = () => readBySchema(schema, { list: [], ['x'.repeat(5000)]: 1 });
    expect(read).toThrow(expect.objectContaining({ detail }));
  });
});

describe('a reader of our own', () => {
  it('has the path put in front of its refusal, which stays what it was', () => {
    const read = (text: string) => {
      if (text.length > 1)
        throw new DecodeError('too long', { code: 'limitExceeded', clause: 'RFC 3966 §3' });
      return text.toUpperCase();
    };
    expect(each('members', ['a', 'b'], read)).toEqual(['A', 'B']);
    expect(() => each('members', ['a', 'bc'], read)).toThrow(
      expect.objectContaining({
        code: 'limitExceeded',
        clause: 'RFC 3966 §3',
        detail: 'members[1]: too long',
      }),
    );
  });

  it('that fails by a defect of ours is not taken for a refusal', () => {
    const defect = new InvariantError('a table without a row');
    expect(() =>
      at('x', () => {
        throw defect;
      }),
    ).toThrow(defect);
  });
});
