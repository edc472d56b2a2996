/**
 * The latest events of this process, numbered, for readers who lost their connection for a moment. A bounded ring in memory: what
 * has left it is gone, and nothing survives the process. The log is the record; this is a window.
 */
import type { EventFeed, GatewayEvent } from './events.js';

export interface RecordedEvent {
  /** Unique among all events of all processes: that of the process, and a number. */
  readonly id: string;
  readonly at: number;
  readonly event: GatewayEvent;
}

export interface RecentEventsOptions {
  readonly now: () => number;
  /** Unique for this process, without a dot. */
  readonly process: string;
  /** Events kept. */
  readonly size: number;
}

export class RecentEvents {
  readonly #options: RecentEventsOptions;
  readonly #ring: RecordedEvent[] = [];
  readonly #followers = new Set<(recorded: RecordedEvent) => void>();
  #count = 0;

  constructor(feed: EventFeed, options: RecentEventsOptions) {
    this.#options = options;
    feed.subscribe((event) => this.#record(event));
  }

  #record(event: GatewayEvent): void {
    const { now, process, size } = this.#options;
    const recorded = { id: `${process}.${this.#count}`, at: now(), event };
    this.#ring[this.#count % size] = recorded;
    this.#count += 1;
    for (const follower of this.#followers) follower(recorded);
  }

  /** Tells `follower` every event from now on. It must not throw. Returns how to stop. */
  follow(follower: (recorded: RecordedEvent) => void): () => void {
    this.#followers.add(follower);
    return () => {
      this.#followers.delete(follower);
    };
  }

  /**
   * What came after the event of this id. When that cannot be told, because the event has left the ring or is of
   * another process, everything that there is, and `isComplete` is false.
   */
  after(id: string): { readonly events: readonly RecordedEvent[]; readonly isComplete: boolean } {
    const { process, size } = this.#options;
    const first = Math.max(0, this.#count - size);
    const number = /^\d{1,15}$/.exec(id.slice(process.length + 1))?.[0];
    const next = id.startsWith(`${process}.`) && number !== undefined ? Number(number) + 1 : -1;
    const isComplete = next >= first && next <= this.#count;
    return { events: this.#from(isComplete ? next : first), isComplete };
  }

  #from(start: number): RecordedEvent[] {
    const events: RecordedEvent[] = [];
    for (let number = start; number < this.#count; number += 1) {
      const recorded = this.#ring[number % this.#options.size];
      if (recorded) events.push(recorded);
    }
    return events;
  }
}
