/**
 * Registrations at the core as the core itself tells them, in the bodies of its third-party REGISTERs: the source for a core that has no
 * registration event package. What it was told is kept by the memory of sources, so any node and any later start has it.
 */
import type { Clock } from '../../kernel/clock.js';
import { matchesAny } from '../../registry/device-identity.js';
import type { PublicUserIdentity } from '../../registry/public-user-identity.js';
import type {
  DeviceReport,
  SourceAnswer,
  SourceMemory,
  SourceState,
  TerminalSource,
} from '../../registry/terminal-source.js';

export interface ToldRegistrationsPorts {
  readonly memory: SourceMemory;
  readonly clock: Pick<Clock, 'now'>;
}

export class ToldRegistrations implements TerminalSource {
  readonly name = 'reg-event';
  readonly #ports: ToldRegistrationsPorts;

  constructor(ports: ToldRegistrationsPorts) {
    this.#ports = ports;
  }

  async states(user: PublicUserIdentity): Promise<SourceAnswer> {
    const { memory, clock } = this.#ports;
    const state = await memory.load(user, this.name).catch(() => undefined);
    if (state === undefined) {
      return { kind: 'missing', why: 'notConfigured', detail: 'the core has told nothing of this user' };
    }
    return { kind: 'found', at: state.at, devices: live(state.devices, clock.now()) };
  }

  /**
   * Takes in what the core told. `isWhole`: these are all that are registered; otherwise only those that changed. Returns what is
   * registered now and what was before.
   */
  async tell(
    user: PublicUserIdentity,
    told: { readonly devices: readonly DeviceReport[]; readonly isWhole: boolean },
  ): Promise<{ readonly state: SourceState; readonly before: readonly DeviceReport[] }> {
    const { memory, clock } = this.#ports;
    const at = clock.now();
    const before = live((await memory.load(user, this.name))?.devices ?? [], at);
    const isNamed = ({ identities }: DeviceReport) =>
      told.devices.some((device) => matchesAny(device.identities, identities));
    const others = told.isWhole ? [] : before.filter((device) => !isNamed(device));
    const state = { at, devices: [...others, ...live(told.devices, at)] };
    await memory.save(user, this.name, state);
    return { state, before };
  }
}

function live(devices: readonly DeviceReport[], now: number): readonly DeviceReport[] {
  return devices.filter(({ expiresAt }) => expiresAt === undefined || expiresAt > now);
}
