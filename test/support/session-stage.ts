/**
 * What an endpoint for the sessions of terminals is given in tests: a user with a phone and a PC, SIRs that were sent, sessions; and what the
 * endpoint said so far. Whatever is opened on the stage is closed with it, the last one first.
 */
import { createHash } from 'node:crypto';
import type { PushSessionFact } from '../../src/endpoints/sip/push-session.js';
import { Sessions } from '../../src/lane/sessions.js';
import type { SirRecord } from '../../src/push/sir.js';
import type { TerminalId } from '../../src/registry/terminal-id.js';
import { terminalId } from '../../src/registry/terminal-id.js';
import type { Terminal } from '../../src/registry/user.js';
import { FakeClock, T0 } from './fake-clock.js';
import { MemoryLaneStore } from './memory-lane-store.js';
import { MemoryRegistry } from './memory-registry.js';
import { ALICE, PHONE } from './ota-names.js';

/** The secret that the keys of terminals come from. */
export const SECRET = 'the secret of the operator';
export const SIR_ID = 'sir.1';

/** A SIR to these terminals. */
export const sirFor = (...mayOpen: readonly TerminalId[]): SirRecord => ({
  id: SIR_ID,
  user: ALICE,
  mode: 'routed',
  bearer: 'sms',
  terminal: mayOpen[0] ?? PHONE,
  mayOpen,
  applicationId: 'x-wap-application:wml.ua',
  return: [],
  send: [],
  createdAt: T0,
  expiresAt: T0 + 600_000,
});

export class SessionStage implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly registry = new MemoryRegistry({ now: () => this.clock.now() });
  readonly sessions = new Sessions({
    store: new MemoryLaneStore({ now: () => this.clock.now(), leastSirIntervalMs: 0 }),
    node: 'here',
    wakeLane: () => {},
  });
  readonly facts: PushSessionFact[] = [];
  readonly log: { message: string; reason?: unknown }[] = [];
  readonly #open: AsyncDisposable[] = [];
  #sirs: readonly SirRecord[] = [];
  #changed = () => {};
  #chance = 0;

  /** `own`: how the terminals are named and reached, which differs from one endpoint to the other. */
  static async set(own: (name: string) => Partial<Terminal>): Promise<SessionStage> {
    const stage = new SessionStage();
    await stage.registry.putUser({ id: ALICE, aliases: [], policy: { target: 'all-subscribed' } });
    for (const name of ['phone', 'pc']) await stage.putTerminal(name, own(name));
    return stage;
  }

  async putTerminal(name: string, own: Partial<Terminal>): Promise<void> {
    await this.registry.putTerminal({
      id: terminalId(ALICE, name),
      user: ALICE,
      name,
      identities: [],
      activation: [],
      preferences: {},
      capabilities: {},
      origin: 'provisioned',
      ...own,
    });
  }

  /** From now on these SIRs were sent, and no others. */
  sent(...sirs: readonly SirRecord[]): void {
    this.#sirs = sirs;
  }

  /** The ports that every endpoint for sessions has. */
  get ports() {
    return {
      registry: this.registry,
      sessions: this.sessions,
      findSir: async (id: string) => this.#sirs.find((sir) => sir.id === id),
      now: () => this.clock.now(),
      clock: this.clock,
      randomBytes: this.randomBytes,
      log: (line: object) => {
        this.log.push(line as (typeof this.log)[number]);
        this.#changed();
      },
      observe: (fact: PushSessionFact) => {
        this.facts.push(fact);
        this.#changed();
      },
    };
  }

  /** Another value at every call, the same ones in every run. */
  readonly randomBytes = (size: number): Uint8Array => {
    this.#chance += 1;
    return createHash('sha256').update(String(this.#chance)).digest().subarray(0, size);
  };

  /** Waits for facts and log lines. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }

  opened<Part extends AsyncDisposable>(part: Part): Part {
    this.#open.push(part);
    return part;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const part of this.#open.splice(0).reverse()) await part[Symbol.asyncDispose]();
    this.sessions.closeAll('the test is over');
  }
}
