/** What happens to content before it is acknowledged. */
import { beforeEach, expect, it } from 'vitest';
import type { ReceivedContent } from '../../src/terminal/content.js';
import { ContentReceiving } from '../../src/terminal/content-receiving.js';
import { ReceivedIds } from '../../src/terminal/received-ids.js';
import type { TerminalFact } from '../../src/terminal/terminal-events.js';

let reported: string[];
let ids: ReceivedIds;

beforeEach(async () => {
  reported = [];
  ids = await ReceivedIds.open();
});

function receiving(take: (content: ReceivedContent) => Promise<void> = () => Promise.resolve()) {
  const emit = (fact: TerminalFact) => {
    if (fact.kind === 'content') reported.push(`${fact.content.id}${fact.isDuplicate ? ' again' : ''}`);
  };
  return new ContentReceiving({ ids, events: { emit }, take });
}

const message = (id: string) =>
  ({ id, via: 'msrp', contentType: 'text/plain', headers: [], bytes: Buffer.from(id) }) as const;

/** A promise that the test settles. */
function pending() {
  let settle: { resolve: () => void; reject: (error: Error) => void } | undefined;
  const promise = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, resolve: () => settle?.resolve(), reject: (error: Error) => settle?.reject(error) };
}

it('content is reported in the order of its arrival, however long taking it lasts', async () => {
  const slow = pending();
  const all = receiving(({ id }) => (id === 'a' ? slow.promise : Promise.resolve()));
  const acknowledged = [all.receive(message('a')), all.receive(message('b'))];
  expect(reported).toEqual([]);
  slow.resolve();
  await Promise.all(acknowledged);
  expect(reported).toEqual(['a', 'b']);
});

it('content that could not be taken is not acknowledged, not reported, and not known', async () => {
  const failing = receiving(() => Promise.reject(new Error('disk full')));
  await expect(failing.receive(message('a'))).rejects.toThrow('disk full');
  expect(reported).toEqual([]);
  expect(ids.has('content', 'a')).toBe(false);
});

it('what follows content that could not be taken is not held up', async () => {
  const all = receiving(({ id }) => (id === 'a' ? Promise.reject(new Error('x')) : Promise.resolve()));
  const [first, second] = [all.receive(message('a')), all.receive(message('b'))];
  await expect(first).rejects.toThrow('x');
  await second;
  expect(reported).toEqual(['b']);
});

it('the same content on two sessions at once is taken once', async () => {
  let taken = 0;
  const slow = pending();
  const all = receiving(() => {
    taken += 1;
    return slow.promise;
  });
  const both = [all.receive(message('a')), all.receive(message('a'))];
  slow.resolve();
  await Promise.all(both);
  expect(taken).toBe(1);
  expect(reported).toEqual(['a', 'a again']);
});

it('when the first of two could not be taken the second is the new one', async () => {
  const first = pending();
  let taken = 0;
  const all = receiving(() => {
    taken += 1;
    return taken === 1 ? first.promise : Promise.resolve();
  });
  const [one, two] = [all.receive(message('a')), all.receive(message('a'))];
  first.reject(new Error('x'));
  await expect(one).rejects.toThrow('x');
  await two;
  expect(reported).toEqual(['a']);
});

it('a digest and the size come with it', async () => {
  const seen: ReceivedContent[] = [];
  await receiving((content) => {
    seen.push(content);
    return Promise.resolve();
  }).receive(message('abc'));
  expect(seen[0]).toMatchObject({
    size: 3,
    sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  });
});
