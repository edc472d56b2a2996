/** Tells the demonstration line by line, each claim with what was observed, and keeps count of what did not come true. */

export interface Evidence {
  readonly isTrue: boolean;
  readonly observed: string;
}

export class Narrator {
  readonly #write: (text: string) => void;
  readonly #startedAt = performance.now();
  #claims = 0;
  #failed = 0;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  get claims(): number {
    return this.#claims;
  }

  get failed(): number {
    return this.#failed;
  }

  get elapsedSeconds(): number {
    return (performance.now() - this.#startedAt) / 1000;
  }

  /** A heading: what happens now. */
  scene(text: string): void {
    this.#write(`\n${text}\n`);
  }

  /** A remark that asserts nothing. */
  remark(text: string): void {
    this.#write(`    ${text}\n`);
  }

  /** One line for one claim: whether it came true, when, and what was seen. */
  claim(text: string, { isTrue, observed }: Evidence): void {
    this.#claims += 1;
    if (!isTrue) this.#failed += 1;
    const at = this.elapsedSeconds.toFixed(2).padStart(5);
    this.#write(`  ${isTrue ? '✓' : '✗'} ${text}\n    ${at} s · ${observed}\n`);
  }
}
