/**
 * The lanes of this process: who asked for a run, how many run at once, and an orderly end. One run per terminal at a
 * time; a kick during a run is answered by that run, or by another one right after it, so that a connection made at the
 * last moment is seen.
 */
import type { TerminalId } from '../registry/terminal-id.js';
import { Kicks } from './kicks.js';
import { runLane } from './run-lane.js';
import type { LaneOptions, LanePorts } from './under-lease.js';

export interface LanesOptions extends Omit<LaneOptions, 'isStopping'> {
  /** Lanes run at once in this process; further kicks wait their turn. */
  readonly maxRunning: number;
  /** A run that failed (the store was away, say). The lane's due moment brings it back. Must not throw. */
  onError(terminal: TerminalId, error: unknown): void;
}

interface Running {
  readonly kicks: Kicks;
  /** Comes when the run is over, or is not waited for any more. */
  readonly end: Turn;
}

export class Lanes {
  readonly #ports: LanePorts;
  readonly #options: LanesOptions;
  readonly #running = new Map<TerminalId, Running>();
  readonly #waiting = new Map<TerminalId, Turn>();
  #isStopping = false;

  constructor(ports: LanePorts, options: LanesOptions) {
    this.#ports = ports;
    this.#options = options;
  }

  /** Runs the lane soon. Cheap, never throws, safe to repeat. */
  kick(terminal: TerminalId): void {
    if (this.#isStopping) return;
    const running = this.#running.get(terminal);
    if (running) running.kicks.kick();
    else if (this.#running.size < this.#options.maxRunning) this.#start(terminal);
    else if (!this.#waiting.has(terminal)) this.#waiting.set(terminal, new Turn());
  }

  /** Runs the lane and resolves when that run is over: for the alarm's worker. Resolves at once during the shut-down. */
  async run(terminal: TerminalId): Promise<void> {
    this.kick(terminal);
    await this.#waiting.get(terminal)?.comes;
    await this.#running.get(terminal)?.end.comes;
  }

  get running(): number {
    return this.#running.size;
  }

  /** Stops starting deliveries and resolves when those under way have ended, or are abandoned. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const { kicks } of this.#running.values()) kicks.kick(); // whoever waits for a bearer stops waiting
    for (const turn of this.#waiting.values()) turn.come();
    this.#waiting.clear();
    await Promise.all([...this.#running.values()].map(({ end }) => end.comes));
  }

  /**
   * Nobody waits for the deliveries under way any more, after `stop`: a terminal may take longer to answer than the process may
   * take to end. What they do not settle before the store closes is delivered again, as a repetition, after the next start.
   */
  abandon(): void {
    for (const { end } of this.#running.values()) end.come();
  }

  #start(terminal: TerminalId): void {
    const running = { kicks: new Kicks(), end: new Turn() };
    this.#running.set(terminal, running);
    void this.#loop(terminal, running);
  }

  async #loop(terminal: TerminalId, { kicks, end }: Running): Promise<void> {
    await undefined;
    do {
      kicks.answer();
      try {
        await runLane(terminal, this.#ports, { ...this.#options, isStopping: () => this.#isStopping }, kicks);
      } catch (error) {
        this.#options.onError(terminal, error);
      }
    } while (kicks.isPending && !this.#isStopping);
    // In the same turn as the last look at `kicks`: a kick from now on starts a new run instead of being lost.
    this.#running.delete(terminal);
    end.come();
    this.#startNext();
  }

  #startNext(): void {
    const [next] = this.#waiting;
    if (!next || this.#isStopping) return;
    const [terminal, turn] = next;
    this.#waiting.delete(terminal);
    this.#start(terminal);
    turn.come();
  }
}

/** A wait for something that comes once. */
class Turn {
  come: () => void = () => undefined;
  readonly comes = new Promise<void>((resolve) => {
    this.come = resolve;
  });
}
