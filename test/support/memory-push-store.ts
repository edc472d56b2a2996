/** Pushes in memory: the twin of RedisPushStore. The contract suite runs on both, so tests may take this for the other. */
import { deliveriesOf } from '../../src/push/address-result.js';
import type { CountedPush } from '../../src/push/initiator-quota.js';
import { type DeliveryState, isSettled, settledState } from '../../src/push/journey.js';
import type {
  Acceptance,
  Begun,
  HandedOver,
  ListOptions,
  Placement,
  PushStore,
  Settled,
  Settlement,
} from '../../src/push/ports.js';
import { passesFilter } from '../../src/push/push-filter.js';
import {
  type DeliveryRecord,
  endsWithFirst,
  FIRST_HAS_IT,
  laneEntryOf,
  type Push,
  type PushStory,
  type PushUid,
  type RecipientStory,
  type ResultRecord,
  startFor,
} from '../../src/push/push-message.js';
import type { TerminalId } from '../../src/registry/terminal-id.js';
import type { MemoryLaneStore } from './memory-lane-store.js';

interface Kept {
  readonly push: Push;
  readonly acceptance: string;
  readonly deliveries: Map<TerminalId, DeliveryRecord>;
  readonly results: Map<number, ResultRecord>;
  /** Next attempt of each report that is owed. */
  readonly owed: Map<number, number>;
  content: Uint8Array | undefined;
  isPlaced: boolean;
  endedAt?: number;
}

export class MemoryPushStore implements PushStore {
  readonly #pushes = new Map<PushUid, Kept>();
  readonly #lanes: MemoryLaneStore;
  readonly #now: () => number;
  readonly #retentionMs: number;
  readonly #uncount: ((push: CountedPush) => Promise<void>) | undefined;

  constructor(
    lanes: MemoryLaneStore,
    options: {
      now: () => number;
      retentionMs: number;
      uncount?: (push: CountedPush) => Promise<void>;
    },
  ) {
    this.#uncount = options.uncount;
    this.#lanes = lanes;
    this.#now = options.now;
    this.#retentionMs = options.retentionMs;
  }

  async accept(push: Push, content: Uint8Array, acceptance: string): Promise<Acceptance> {
    const before = this.#pushes.get(push.uid);
    if (before && before.acceptance !== acceptance) return { kind: 'duplicate' };
    const kept = before ?? this.#keep(push, content, acceptance);
    return { kind: 'accepted', placed: kept.isPlaced ? this.#place(kept) : [] };
  }

  #keep(push: Push, content: Uint8Array, acceptance: string): Kept {
    const terminals = new Set(push.recipients.flatMap((recipient) => recipient.terminals));
    const deliveries = new Map<TerminalId, DeliveryRecord>();
    for (const terminal of terminals) {
      deliveries.set(terminal, { terminal, state: 'held', at: push.acceptedAt, attempts: 0 });
    }
    const owed = new Map<number, number>();
    if (push.notifyTo !== undefined) {
      for (const [index, { terminals: some }] of push.recipients.entries()) {
        if (some.length === 0) owed.set(index, push.acceptedAt);
      }
    }
    const copy = Uint8Array.from(content);
    const kept = {
      push,
      acceptance,
      deliveries,
      results: new Map(),
      owed,
      content: copy,
      isPlaced: push.replaces === undefined,
    };
    this.#pushes.set(push.uid, kept);
    return kept;
  }

  #place({ push, deliveries }: Kept): readonly Placement[] {
    const { expiresAt: deadline, notBefore = 0, recipients } = push;
    return [...deliveries.values()].map(({ terminal, state }) => {
      if (state !== 'held') return { terminal, kick: false };
      const start = Math.max(notBefore, startFor(terminal, recipients));
      return this.#lanes.place(terminal, laneEntryOf(push), { now: this.#now(), deadline, notBefore: start });
    });
  }

  async begin(
    uid: PushUid,
    terminal: TerminalId,
    attempt: { token: number; bearer: string; at: number },
  ): Promise<Begun> {
    const kept = this.#pushes.get(uid);
    if (!kept) return { kind: 'missing' };
    const before = kept.deliveries.get(terminal);
    if (before?.state === 'handed') return { kind: 'handed' };
    if (before?.state !== 'held') return { kind: 'settled' };
    if (attempt.token !== this.#lanes.newestToken(terminal)) return { kind: 'fenced' };
    if (this.#lanes.isOnHold(terminal)) return { kind: 'onHold' };
    kept.deliveries.set(terminal, {
      ...before,
      attempts: before.attempts + 1,
      lastAttemptAt: attempt.at,
      bearer: attempt.bearer,
    });
    const { recipients: _, ...push } = kept.push;
    const { content } = kept;
    return { kind: 'begun', push, failedBearers: before.failedBearers ?? [], content: async () => content };
  }

  async handOver(
    uid: PushUid,
    terminal: TerminalId,
    { bearer, at }: { bearer: string; at: number },
  ): Promise<HandedOver> {
    const kept = this.#pushes.get(uid);
    const before = kept?.deliveries.get(terminal);
    if (!kept || (before?.state !== 'held' && before?.state !== 'handed')) return 'ended';
    if (before.state === 'held') {
      if (before.failedBearers?.includes(bearer)) return 'givenUp';
      kept.deliveries.set(terminal, { ...before, state: 'handed', at, bearer });
    }
    this.#lanes.park(terminal, laneEntryOf(kept.push));
    return 'handed';
  }

  async giveUp(
    uid: PushUid,
    terminal: TerminalId,
    { bearer, at }: { bearer: string; at: number },
  ): Promise<DeliveryState | undefined> {
    const kept = this.#pushes.get(uid);
    const before = kept?.deliveries.get(terminal);
    if (!kept || !before || isSettled(before.state)) return before?.state;
    const failedBearers = [...new Set([...(before.failedBearers ?? []), bearer])];
    const isItsOwn = before.state === 'handed' && before.bearer === bearer;
    const moved = isItsOwn ? ({ state: 'held', at } as const) : {};
    const after = { ...before, failedBearers, ...moved };
    kept.deliveries.set(terminal, after);
    if (after.state === 'held') this.#lanes.resume(terminal, laneEntryOf(kept.push), at);
    return after.state;
  }

  async settle(uid: PushUid, terminal: TerminalId, settlement: Settlement): Promise<Settled> {
    const { event, at, code, reason, notifyAt, isUnconfirmed } = settlement;
    const kept = this.#pushes.get(uid);
    const before = kept?.deliveries.get(terminal);
    const state = before && settledState(event, before.state);
    const nothing = { moved: false, takenBack: [], owed: [] };
    if (!kept || !before) return nothing;
    if (state !== undefined || isSettled(before.state)) {
      this.#lanes.leave(terminal, laneEntryOf(kept.push));
    }
    if (state === undefined) return { ...nothing, state: before.state };
    kept.deliveries.set(terminal, {
      ...before,
      state,
      at,
      ...(isUnconfirmed ? { isUnconfirmed } : {}),
      ...(code === undefined ? {} : { code }),
      ...(reason === undefined ? {} : { reason }),
    });
    const takenBack = event === 'deliver' ? this.#takeBackOthers(kept, terminal, at) : [];
    for (const other of takenBack) this.#lanes.leave(other, laneEntryOf(kept.push));
    const isHeld = (some: TerminalId) => !isSettled(kept.deliveries.get(some)?.state ?? 'held');
    const finished = [...kept.push.recipients.entries()]
      .filter(
        ([, { terminals }]) =>
          [terminal, ...takenBack].some((one) => terminals.includes(one)) && !terminals.some(isHeld),
      )
      .map(([index]) => index);
    const owed = kept.push.notifyTo === undefined ? [] : finished;
    for (const index of owed) kept.owed.set(index, notifyAt);
    if (![...kept.deliveries.keys()].some(isHeld)) {
      kept.content = undefined;
      kept.endedAt = at;
      const { initiator, content, isCounted } = kept.push;
      const { acceptance } = kept;
      if (isCounted) await this.#uncount?.({ initiator, uid, acceptance, bytes: content.size });
    }
    return { moved: true, state, takenBack, owed };
  }

  #takeBackOthers({ push, deliveries }: Kept, has: TerminalId, at: number): readonly TerminalId[] {
    const enough = push.recipients.filter(
      (recipient) => endsWithFirst(recipient) && recipient.terminals.includes(has),
    );
    const others = [...new Set(enough.flatMap(({ terminals }) => terminals))].filter(
      (other) =>
        deliveries.get(other)?.state === 'held' &&
        push.recipients.filter(({ terminals }) => terminals.includes(other)).length === 1,
    );
    for (const other of others) {
      const before = deliveries.get(other);
      if (before) deliveries.set(other, { ...before, state: 'cancelled', at, reason: FIRST_HAS_IT });
    }
    return others;
  }

  async recipientStory(uid: PushUid, index: number): Promise<RecipientStory | undefined> {
    const story = await this.story(uid);
    const recipient = story?.push.recipients[index];
    if (!story || !recipient) return undefined;
    const { recipients: _, ...push } = story.push;
    const result = story.results.find((one) => one.recipient === index);
    const deliveries = deliveriesOf(recipient, story.deliveries);
    return { push, recipient, deliveries, ...(result === undefined ? {} : { result }) };
  }

  async story(uid: PushUid): Promise<PushStory | undefined> {
    const kept = this.#pushes.get(uid);
    return kept && storyOf(kept);
  }

  async list(options: ListOptions): Promise<{ stories: readonly PushStory[]; cursor?: string }> {
    const all = [...this.#pushes.values()].map(storyOf).sort(newestFirst);
    const rest = all.filter(({ push }) => options.cursor === undefined || positionOf(push) < options.cursor);
    const stories = rest.filter((story) => passesFilter(story, options)).slice(0, options.limit);
    const last = stories.at(-1);
    const isFull = stories.length === options.limit && last !== undefined;
    return { stories, ...(isFull ? { cursor: positionOf(last.push) } : {}) };
  }

  async totals(): Promise<{ held: number; oldestAt?: number }> {
    const held = [...this.#pushes.values()].flatMap(({ push, deliveries }) =>
      [...deliveries.values()].flatMap(({ state }) => (isSettled(state) ? [] : [push.acceptedAt])),
    );
    return { held: held.length, ...(held.length > 0 ? { oldestAt: Math.min(...held) } : {}) };
  }

  async recordResult(uid: PushUid, result: ResultRecord, nextAttemptAt?: number): Promise<void> {
    const kept = this.#pushes.get(uid);
    if (!kept) return;
    const before = kept.results.get(result.recipient);
    const hasEnded = before !== undefined && before.state !== 'owed';
    if (!hasEnded) kept.results.set(result.recipient, result);
    if (hasEnded || nextAttemptAt === undefined) kept.owed.delete(result.recipient);
    else kept.owed.set(result.recipient, nextAttemptAt);
  }

  async forgetResult(uid: PushUid, recipient: number): Promise<void> {
    this.#pushes.get(uid)?.owed.delete(recipient);
  }

  async owedResults(now: number, limit: number): Promise<readonly { uid: PushUid; recipient: number }[]> {
    return [...this.#pushes]
      .flatMap(([uid, { owed }]) => [...owed].map(([recipient, at]) => ({ uid, recipient, at })))
      .filter(({ at }) => at <= now)
      .sort((a, b) => a.at - b.at)
      .slice(0, limit)
      .map(({ uid, recipient }) => ({ uid, recipient }));
  }

  async unplaced(olderThan: number, limit: number): Promise<readonly PushUid[]> {
    return [...this.#pushes.values()]
      .filter(({ isPlaced, push }) => !isPlaced && push.acceptedAt <= olderThan)
      .slice(0, limit)
      .map(({ push }) => push.uid);
  }

  async place(uid: PushUid): Promise<readonly Placement[]> {
    const kept = this.#pushes.get(uid);
    if (!kept) return [];
    kept.isPlaced = true;
    const isHeld = ({ terminal }: Placement) => kept.deliveries.get(terminal)?.state === 'held';
    return this.#place(kept).filter(isHeld);
  }

  async removeEnded(now: number, limit: number): Promise<number> {
    const gone = [...this.#pushes]
      .filter(
        ([, { endedAt, owed }]) =>
          endedAt !== undefined && owed.size === 0 && endedAt <= now - this.#retentionMs,
      )
      .slice(0, limit);
    for (const [uid] of gone) this.#pushes.delete(uid);
    return gone.length;
  }

  /** The octets are lost, as when a disk fails. */
  loseContent(uid: PushUid): void {
    const kept = this.#pushes.get(uid);
    if (kept) kept.content = undefined;
  }
}

function storyOf({ push, deliveries, results, owed }: Kept): PushStory {
  const records = [...push.recipients.keys()].flatMap((recipient) => {
    const record = results.get(recipient);
    if (record) return [record];
    return owed.has(recipient) ? [{ recipient, state: 'owed', attempts: 0, at: 0 } as const] : [];
  });
  return { push, deliveries: [...deliveries.values()], results: records };
}

function newestFirst(a: PushStory, b: PushStory): number {
  return positionOf(a.push) < positionOf(b.push) ? 1 : -1;
}

const positionOf = (push: Push): string => `${push.acceptedAt}.${push.uid}`;
