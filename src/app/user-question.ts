/**
 * The user of a terminal on the command line: answers come as lines, `accept`, `reject` or `later`, alone for the question that waits
 * longest, or with the id of a SIR behind it. Lines that answer nothing are ignored.
 */
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { ReceivedSir } from '../terminal/sir.js';
import type { UserAnswer } from '../terminal/terminal-options.js';

export class UserQuestion {
  readonly #waiting = new Map<string, (answer: UserAnswer) => void>();

  constructor(input: Readable) {
    createInterface({ input }).on('line', (line) => this.#answer(line));
  }

  /** Resolves with the answer; never, once the signal is given. */
  ask({ id }: Pick<ReceivedSir, 'id'>, signal: AbortSignal): Promise<UserAnswer> {
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      signal.addEventListener('abort', () => this.#waiting.delete(id), { once: true });
    });
  }

  #answer(line: string): void {
    const [, word, id = this.#waiting.keys().next().value] =
      /^\s*(accept|reject|later)(?:\s+(\S+))?\s*$/.exec(line) ?? [];
    if (word === undefined || id === undefined) return;
    this.#waiting.get(id)?.(word as UserAnswer);
    this.#waiting.delete(id);
  }
}
