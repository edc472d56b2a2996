/**
 * A terminal of a crash test: the reference terminal with its memory in a file, started and ended over and over as its habit
 * says. What it sees goes into the books.
 */
import { setMaxListeners } from 'node:events';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { randomBytes, systemClock } from '../../src/app/system-clock.js';
import { ReferenceTerminal } from '../../src/terminal/reference-terminal.js';
import type { TerminalEvent } from '../../src/terminal/terminal-events.js';
import type { TerminalOptions } from '../../src/terminal/terminal-options.js';
import { type CrashBooks, nameOf, type TerminalName } from './crash-books.js';
import type { Chance } from './crash-chance.js';

/**
 * `steady` is always there; `visiting` comes and goes in order; `flapping` vanishes without a word and is back at once;
 * `late` comes only at the end; `gone` never comes.
 */
export type Habit = 'steady' | 'visiting' | 'flapping' | 'late' | 'gone';

export interface CrashTerminalOptions {
  readonly name: TerminalName;
  readonly instance: string;
  readonly habit: Habit;
  readonly profile: 'S1' | 'both';
  readonly transport: 'udp' | 'tcp';
  /** Does it open a session again that broke, or wait to be woken? */
  readonly reconnects: boolean;
  readonly sipPort: number;
  /** Where its memory lies. */
  readonly directory: string;
  readonly chance: Chance;
}

const PRESENCE = {
  visiting: { there: [500, 4000], away: [500, 5000] },
  flapping: { there: [50, 2500], away: [0, 800] },
} as const;
const RETRY_MS = 100;
const RECONNECT_MS = 150;

export class CrashTerminal {
  readonly options: CrashTerminalOptions;
  readonly #books: CrashBooks;
  readonly #settling = new AbortController();
  #terminal: ReferenceTerminal | undefined;
  lives = 0;

  constructor(options: CrashTerminalOptions, books: CrashBooks) {
    this.options = options;
    this.#books = books;
    setMaxListeners(0, this.#settling.signal);
  }

  /** Lives by its habit until `settle`; resolves when it is there to stay (at once when it never comes). */
  async run(): Promise<void> {
    const { habit, chance } = this.options;
    if (habit === 'gone') return;
    if (habit === 'late') await this.#wait(Number.POSITIVE_INFINITY);
    while (habit === 'visiting' || habit === 'flapping') {
      const { there, away } = PRESENCE[habit];
      await this.#appear();
      await this.#wait(chance.between(there[0], there[1]));
      if (this.#settling.signal.aborted) return;
      await this.#disappear();
      await this.#wait(chance.between(away[0], away[1]));
    }
    await this.#appear();
  }

  /** From now on it comes, if it ever does, and stays. */
  settle(): void {
    this.#settling.abort();
  }

  async close(): Promise<void> {
    await this.#terminal?.close();
    this.#terminal = undefined;
  }

  async #appear(): Promise<void> {
    while (this.#terminal === undefined) {
      try {
        this.#terminal = await this.#start();
        this.lives += 1;
      } catch {
        await pause(RETRY_MS); // no gateway answers at the moment
      }
    }
  }

  async #disappear(): Promise<void> {
    const { habit } = this.options;
    await (habit === 'flapping' ? this.#terminal?.abandon() : this.#terminal?.close());
    this.#terminal = undefined;
  }

  #start(): Promise<ReferenceTerminal> {
    const { name, instance, profile, transport, reconnects, sipPort, directory } = this.options;
    const options: TerminalOptions = {
      user: name.user,
      instance,
      registrar: { host: '127.0.0.1', port: sipPort, transport },
      profile,
      features: profile === 'both' ? ['+g.oma.pusheventapp="push.sia"'] : [],
      statePath: join(directory, `${name.terminal}.received`),
      policy: { reconnectDelayMs: reconnects ? RECONNECT_MS : 'never' },
    };
    const ports = { clock: systemClock, randomBytes, product: 'crash-test', log: () => undefined };
    return ReferenceTerminal.start(options, ports, (event) => {
      appendFileSync(join(directory, `${name.terminal}.events`), `${inShort(event)}\n`);
      if (event.kind !== 'content') return;
      const { id, sha256, via } = event.content;
      this.#books.saw(name, { id, at: event.at, sha256, via, isDuplicate: event.isDuplicate });
    });
  }

  /** Ends early when it is to settle. */
  async #wait(ms: number): Promise<void> {
    const { signal } = this.#settling;
    const limit = Math.min(ms, 0x7fff_ffff);
    await pause(limit, undefined, { signal }).catch(() => undefined);
  }

  toString(): string {
    const { name, habit, profile, transport } = this.options;
    return `${nameOf(name)} (${habit}, ${profile}, ${transport})`;
  }
}

/** For whoever looks into a failed run. */
function inShort(event: TerminalEvent): string {
  const time = new Date(event.at).toISOString();
  const told = event.kind === 'content' ? { ...event, content: event.content.id } : event;
  return `${time} ${JSON.stringify(told, (key, value: unknown) => (key === 'at' ? undefined : value))}`;
}
