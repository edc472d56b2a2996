/** What sources last said, in memory: the twin of the Redis adapter. `knows` tells which users exist. */
import type { PublicUserIdentity } from '../../src/registry/public-user-identity.js';
import type { OutsideSourceName, SourceMemory, SourceState } from '../../src/registry/terminal-source.js';

export class MemorySourceMemory implements SourceMemory {
  readonly #kept = new Map<string, SourceState>();
  readonly #knows: (user: PublicUserIdentity) => Promise<boolean> | boolean;

  constructor(knows: (user: PublicUserIdentity) => Promise<boolean> | boolean = () => true) {
    this.#knows = knows;
  }

  async save(user: PublicUserIdentity, source: OutsideSourceName, state: SourceState): Promise<void> {
    if (await this.#knows(user)) this.#kept.set(`${user} ${source}`, structuredClone(state));
  }

  async load(user: PublicUserIdentity, source: OutsideSourceName): Promise<SourceState | undefined> {
    return structuredClone(this.#kept.get(`${user} ${source}`));
  }
}
