/** Groups in memory: the twin of the Redis adapter, for tests. Values go in and out by copy. */
import type { Group, GroupDirectory } from '../../src/registry/group.js';
import type { PublicUserIdentity } from '../../src/registry/public-user-identity.js';

export class MemoryGroupDirectory implements GroupDirectory {
  readonly #groups = new Map<string, Group>();

  async findGroup(address: string): Promise<Group | undefined> {
    return structuredClone(this.#groups.get(address));
  }

  async putGroup(group: Group): Promise<boolean> {
    const isNew = !this.#groups.has(group.id);
    this.#groups.set(group.id, structuredClone(group));
    return isNew;
  }

  async deleteGroup(id: PublicUserIdentity): Promise<boolean> {
    return this.#groups.delete(id);
  }

  async listGroups({ cursor = '', limit }: { readonly cursor?: string; readonly limit: number }) {
    const page = [...this.#groups.values()]
      .filter(({ id }) => id > cursor)
      .sort((left, right) => (left.id < right.id ? -1 : 1))
      .slice(0, limit);
    const last = page.at(-1)?.id;
    return {
      groups: structuredClone(page),
      ...(page.length === limit && last !== undefined ? { cursor: last } : {}),
    };
  }
}
