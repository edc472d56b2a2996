/** A stage for the push journey: the memory twins, a user with terminals, and everything outside remembered instead of done. */

import type { RandomBytes } from '../../src/kernel/clock.js';
import type { ConnectionItem, ConnectionOutcome, TerminalConnection } from '../../src/lane/ports.js';
import type { Way } from '../../src/push/bearer-choice.js';
import { PushDelivery } from '../../src/push/delivery.js';
import type { Alarms } from '../../src/push/ports.js';
import type { PushUid } from '../../src/push/push-message.js';
import type { DeliveryFact } from '../../src/push/settling.js';
import {
  type Submission,
  type SubmissionOptions,
  type SubmissionPorts,
  submit,
} from '../../src/push/submission.js';
import type { TargetingOptions } from '../../src/push/target-resolution.js';
import type { PublicUserIdentity } from '../../src/registry/public-user-identity.js';
import type { TerminalId } from '../../src/registry/terminal-id.js';
import { terminalId } from '../../src/registry/terminal-id.js';
import type { Terminal, User } from '../../src/registry/user.js';
import { contentValidator } from './content.js';
import { FakeClock } from './fake-clock.js';
import { MemoryGroupDirectory } from './memory-groups.js';
import { MemoryInitiatorQuotas } from './memory-initiator-quotas.js';
import { MemoryLaneStore } from './memory-lane-store.js';
import { MemoryPushStore } from './memory-push-store.js';
import { ALICE, HELLO, HERE } from './pushes.js';

export const MAX_AGE_MS = 259_200_000;
export const BOB = 'sip:bob@example.test' as PublicUserIdentity;
export const TO_ALICE = 'WAPPUSH=alice/TYPE=USER@ppg.test';
export const TO_BOB = 'WAPPUSH=bob/TYPE=USER@ppg.test';
export const TO_NOBODY = 'WAPPUSH=nobody/TYPE=USER@ppg.test';
export const NONSENSE = 'WAPPUSH=/TYPE=';

/** An operator without wishes. */
export const NO_RULES: TargetingOptions = {
  rules: [],
  defaultTarget: 'all-subscribed',
  countTerminals: 'provisioned',
  gateway: 'sip:ppg@example.test',
};

/** Alarms that are remembered: what is due, and when. */
export class RememberedAlarms implements Alarms {
  readonly lanes: { readonly terminal: TerminalId; readonly at: number }[] = [];
  readonly results: { readonly uid: PushUid; readonly recipient: number; readonly at: number }[] = [];

  async laneDue(terminal: TerminalId, at: number): Promise<void> {
    this.lanes.push({ terminal, at });
  }

  async promoteLane(): Promise<void> {}

  async resultDue(uid: PushUid, recipient: number, at: number): Promise<void> {
    this.results.push({ uid, recipient, at });
  }
}

/** A connection that answers as it is told and remembers what it was given. */
export class ScriptedTerminal implements TerminalConnection {
  readonly bearer = 'msrp';
  readonly window = 4;
  readonly isOpen = true;
  readonly items: ConnectionItem[] = [];
  answer: ConnectionOutcome = { kind: 'confirmed' };
  /** Media types that it takes; everything while this is undefined. */
  takes: readonly string[] | undefined;

  accepts(contentType: string): boolean {
    return this.takes === undefined || this.takes.includes(contentType.split(';', 1)[0] ?? '');
  }

  async deliver(item: ConnectionItem): Promise<ConnectionOutcome> {
    this.items.push(item);
    return this.answer;
  }
}

export class PushStage {
  readonly clock = new FakeClock();
  readonly lanes = new MemoryLaneStore({ now: () => this.clock.now(), leastSirIntervalMs: 0 });
  readonly quotas = new MemoryInitiatorQuotas({ now: () => this.clock.now() });
  readonly store = new MemoryPushStore(this.lanes, {
    now: () => this.clock.now(),
    retentionMs: 1000,
    uncount: (push) => this.quotas.release(push),
  });
  readonly alarms = new RememberedAlarms();
  readonly kicked: TerminalId[] = [];
  readonly facts: DeliveryFact[] = [];
  readonly users = new Map<string, User>();
  readonly groups = new MemoryGroupDirectory();
  readonly terminal = new ScriptedTerminal();
  /** To every terminal, for every push. */
  ways: readonly Way[] = [];
  targeting: TargetingOptions = NO_RULES;
  readonly options: SubmissionOptions = { maxAgeMs: MAX_AGE_MS, maxAddresses: 5, maxContentBytes: 1000 };

  constructor() {
    this.has(ALICE, ['phone', 'pc']);
    this.has(BOB, ['phone']);
  }

  get submissionPorts(): SubmissionPorts {
    return {
      store: this.store,
      quotas: this.quotas,
      bearers: new Set(['sip']),
      alarms: this.alarms,
      kick: (terminal) => this.kicked.push(terminal),
      clock: this.clock,
      randomBytes: this.randomBytes,
      findUser: async (identity) => this.users.get(identity),
      terminalStates: async (user) => ({ user, states: new Map(), sources: [] }),
      groups: this.groups,
      domain: 'example.test',
      targeting: this.targeting,
    };
  }

  #drawn = 0;
  readonly randomBytes: RandomBytes = (size) => {
    this.#drawn += 1;
    return Buffer.alloc(size, this.#drawn);
  };

  has(user: PublicUserIdentity, names: readonly string[], aliases: readonly string[] = []): void {
    const terminals = names.map(
      (name): Terminal => ({
        id: terminalId(user, name),
        user,
        name,
        identities: [],
        activation: [{ bearer: 'sip' }],
        preferences: {},
        capabilities: {},
        origin: 'provisioned',
      }),
    );
    const record: User = { id: user, aliases, policy: { target: 'all-subscribed' }, terminals };
    for (const name of [user, ...aliases]) this.users.set(name, record);
  }

  submit(options: Partial<Submission> = {}) {
    return submit(this.submission(options), this.submissionPorts, this.options);
  }

  submission(options: Partial<Submission> = {}): Submission {
    return {
      initiator: 'pi',
      pushId: 'one@pi.test',
      addresses: [TO_ALICE],
      contentType: 'text/plain',
      headers: [],
      content: HELLO,
      progressNotes: false,
      papVersion: '2.0',
      ...options,
    };
  }

  delivery(store = this.store as ConstructorParameters<typeof PushDelivery>[0]['store']): PushDelivery {
    return new PushDelivery({
      store,
      contentValidator,
      clock: this.clock,
      alarms: this.alarms,
      observe: (fact) => this.facts.push(fact),
      ways: async () => this.ways,
    });
  }

  /** Takes the lease of a lane and returns its token. */
  async token(terminal: TerminalId): Promise<number> {
    const held = await this.lanes.open(
      terminal,
      { now: this.clock.now(), leaseMs: 30_000, limit: 100 },
      HERE,
    );
    if (!held) throw new Error('the lease was not to be had');
    return held.lease.token;
  }

  async state(uid: PushUid, terminal: TerminalId): Promise<string | undefined> {
    const story = await this.store.story(uid);
    return story?.deliveries.find((one) => one.terminal === terminal)?.state;
  }

  async held(terminal: TerminalId): Promise<readonly string[]> {
    return (await this.lanes.entries(terminal, 100)).map(({ id }) => id);
  }
}
