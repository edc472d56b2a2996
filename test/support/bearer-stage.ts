import type { Sir } from '../../src/push/sir.js';
import type { PushResource } from '../../src/registry/binding.js';
import { publicUserIdentity } from '../../src/registry/public-user-identity.js';
import { terminalId } from '../../src/registry/terminal-id.js';
import type { ActivationMethod, Terminal } from '../../src/registry/user.js';
import { GuardedHttp, type GuardedHttpOptions } from '../../src/transports/guarded-http/guarded-http.js';
import { aSir } from './a-sir.js';
import { anItem } from './an-item.js';
import { FakeClock, T0 } from './fake-clock.js';
import { MemoryRegistry } from './memory-registry.js';

export const STAGE_USER = publicUserIdentity('sip:alice@example.test');
export const SENDER = {
  ppgUri: 'sip:ppg@example.test',
  contactPoint: { address: '192.0.2.1', port: 5060 },
} as const;

export class BearerStage implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly registry = new MemoryRegistry({ now: () => this.clock.now() });
  readonly gone: string[] = [];
  readonly http: GuardedHttp;
  readonly #terminal: Terminal;

  private constructor(http: Partial<GuardedHttpOptions>, activation: readonly ActivationMethod[]) {
    this.http = new GuardedHttp({
      timeoutMs: 5000,
      allowPrivateAddresses: true,
      setting: 'some.allowPrivateAddresses',
      maxPerHost: 16,
      ...http,
    });
    this.#terminal = {
      id: terminalId(STAGE_USER, 'phone'),
      user: STAGE_USER,
      name: 'phone',
      identities: [],
      activation,
      preferences: {},
      capabilities: {},
      origin: 'provisioned',
    };
  }

  static async set(
    activation: readonly ActivationMethod[],
    http: Partial<GuardedHttpOptions> = {},
  ): Promise<BearerStage> {
    const stage = new BearerStage(http, activation);
    await stage.registry.putUser({ id: STAGE_USER, aliases: [], policy: { target: 'all-subscribed' } });
    await stage.registry.putTerminal(stage.#terminal);
    return stage;
  }

  get terminal(): Terminal {
    return this.#terminal;
  }

  get sir(): Sir {
    return aSir({ id: `${this.#terminal.id}.abc`, user: STAGE_USER });
  }

  readonly item = anItem;

  readonly addressGone = async (_: Terminal, address: string, reason: string): Promise<void> => {
    this.gone.push(`${address}: ${reason}`);
  };

  /** The terminal registers, and names what wakes it. */
  async registers(push: PushResource): Promise<void> {
    await this.registry.changeBindings(STAGE_USER, {
      put: [
        {
          user: STAGE_USER,
          terminal: this.#terminal.id,
          key: 'k',
          contact: 'sip:alice@192.0.2.7',
          path: [],
          callId: 'c',
          cseq: 1,
          expiresAt: T0 + 3_600_000,
          registeredAt: T0,
          features: {},
          flow: { transport: 'udp', address: '192.0.2.7', port: 5060, node: 'n' },
          push,
        },
      ],
      remove: [],
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.http.close();
  }
}
