/** Counted pushes in memory: the twin of RedisInitiatorQuotas. The contract suite runs on both. */
import type {
  Admission,
  CountedLimits,
  CountedPush,
  InitiatorQuotas,
  InitiatorUsage,
} from '../../src/push/initiator-quota.js';

export class MemoryInitiatorQuotas implements InitiatorQuotas {
  readonly #counted = new Map<string, CountedPush>();
  /** When the next push of an initiator may come, as its rate counts. */
  readonly #next = new Map<string, number>();
  readonly #now: () => number;
  /** How often a place was asked for. */
  asked = 0;

  constructor({ now }: { readonly now: () => number }) {
    this.#now = now;
  }

  async admit(push: CountedPush, limits: CountedLimits): Promise<Admission> {
    this.asked += 1;
    const { pushesPerSecond, burst, pendingPushes, pendingBytes } = limits;
    const held = this.#held(push.initiator);
    const isNew = !this.#counted.has(keyOf(push));
    if (isNew && pendingPushes !== undefined && held.pendingPushes >= pendingPushes) {
      return { kind: 'pendingPushes' };
    }
    if (isNew && pendingBytes !== undefined && held.pendingBytes + push.bytes > pendingBytes) {
      return { kind: 'pendingBytes' };
    }
    if (pushesPerSecond !== undefined) {
      const interval = 1000 / pushesPerSecond;
      const together = burst ?? Math.max(1, Math.floor(pushesPerSecond));
      const next = Math.max(this.#next.get(push.initiator) ?? 0, this.#now());
      const early = next - this.#now() - (together - 1) * interval;
      if (early > 0) return { kind: 'rate', retryAfterMs: Math.ceil(early) };
      this.#next.set(push.initiator, next + interval);
    }
    if (pendingPushes !== undefined || pendingBytes !== undefined) this.#counted.set(keyOf(push), push);
    return { kind: 'admitted' };
  }

  async release(push: CountedPush): Promise<void> {
    this.#counted.delete(keyOf(push));
  }

  async usage(initiator: string): Promise<InitiatorUsage> {
    return this.#held(initiator);
  }

  #held(initiator: string): InitiatorUsage {
    const held = [...this.#counted.values()].filter((push) => push.initiator === initiator);
    return { pendingPushes: held.length, pendingBytes: held.reduce((sum, { bytes }) => sum + bytes, 0) };
  }
}

const keyOf = ({ uid, acceptance }: CountedPush) => `${uid}:${acceptance}`;
