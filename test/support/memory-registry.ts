/** The registry in memory: the twin of the Redis adapter, for tests. Values go in and out by copy, as through a store. */

import { RefusedError } from '../../src/kernel/errors.js';
import type { Binding } from '../../src/registry/binding.js';
import { identityKeys } from '../../src/registry/device-identity.js';
import type { Registry } from '../../src/registry/ports.js';
import type { PublicUserIdentity } from '../../src/registry/public-user-identity.js';
import type { TerminalId } from '../../src/registry/terminal-id.js';
import type { Terminal, User } from '../../src/registry/user.js';

type OwnAttributes = Omit<User, 'terminals'>;

interface UserRecord {
  own: OwnAttributes;
  readonly terminals: Map<TerminalId, Terminal>;
  readonly bindings: Map<string, Binding>;
}

export class MemoryRegistry implements Registry {
  readonly #users = new Map<string, UserRecord>();
  readonly #now: () => number;

  constructor(options: { readonly now: () => number }) {
    this.#now = options.now;
  }

  async findUser(identityOrAlias: string): Promise<User | undefined> {
    const record = this.#users.get(identityOrAlias) ?? this.#aliasOwner(identityOrAlias);
    return record && userOf(record);
  }

  async putUser(user: OwnAttributes): Promise<void> {
    for (const alias of user.aliases) {
      const owner = this.#users.get(alias) ?? this.#aliasOwner(alias);
      if (owner !== undefined && owner.own.id !== user.id) {
        throw new RefusedError('conflict', `the alias ${alias} belongs to another user`);
      }
    }
    const { id, aliases, policy, sip, sirKey } = structuredClone(user);
    const own: OwnAttributes = {
      id,
      aliases,
      policy,
      ...(sip === undefined ? {} : { sip }),
      ...(sirKey === undefined ? {} : { sirKey }),
    };
    const record = this.#users.get(id);
    if (record === undefined) this.#users.set(id, { own, terminals: new Map(), bindings: new Map() });
    else record.own = own;
  }

  async deleteUser(user: PublicUserIdentity): Promise<boolean> {
    return this.#users.delete(user);
  }

  async listUsers(options: {
    cursor?: string;
    limit: number;
  }): Promise<{ users: readonly User[]; cursor?: string }> {
    const { cursor = '', limit } = options;
    const page = [...this.#users.entries()]
      .filter(([id]) => id > cursor)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .slice(0, limit);
    const last = page.at(-1)?.[0];
    return {
      users: page.map(([, record]) => userOf(record)),
      ...(page.length === limit && last !== undefined ? { cursor: last } : {}),
    };
  }

  async putTerminal(terminal: Terminal): Promise<void> {
    const record = this.#users.get(terminal.user);
    if (record === undefined) throw new RefusedError('notFound', `there is no user ${terminal.user}`);
    const taken = new Set(
      [...record.terminals.values()]
        .filter(({ id }) => id !== terminal.id)
        .flatMap(({ identities }) => identities.flatMap(identityKeys)),
    );
    const clash = terminal.identities.flatMap(identityKeys).find((key) => taken.has(key));
    if (clash !== undefined) {
      throw new RefusedError('conflict', `another terminal of ${terminal.user} has the identity ${clash}`);
    }
    record.terminals.set(terminal.id, structuredClone(terminal));
  }

  async changeTerminal(
    user: PublicUserIdentity,
    id: TerminalId,
    edit: (before: Terminal | undefined) => Terminal,
  ): Promise<{ readonly before: Terminal | undefined; readonly terminal: Terminal }> {
    const before = structuredClone(this.#users.get(user)?.terminals.get(id));
    const terminal = edit(before);
    await this.putTerminal(terminal);
    return { before, terminal };
  }

  async deleteTerminal(user: PublicUserIdentity, terminal: TerminalId): Promise<boolean> {
    const record = this.#users.get(user);
    if (record === undefined || !record.terminals.delete(terminal)) return false;
    for (const [key, binding] of record.bindings)
      if (binding.terminal === terminal) record.bindings.delete(key);
    return true;
  }

  async findOwner(terminal: TerminalId): Promise<User | undefined> {
    const owner = [...this.#users.values()].find(({ terminals }) => terminals.has(terminal));
    return owner && userOf(owner);
  }

  async findTerminal(terminal: TerminalId): Promise<Terminal | undefined> {
    for (const { terminals } of this.#users.values()) {
      const found = terminals.get(terminal);
      if (found !== undefined) return structuredClone(found);
    }
    return undefined;
  }

  async bindings(user: PublicUserIdentity): Promise<readonly Binding[]> {
    const record = this.#users.get(user);
    return record === undefined ? [] : this.#live(record);
  }

  async changeBindings(
    user: PublicUserIdentity,
    change: {
      readonly put: readonly Binding[];
      readonly remove: readonly { key: string; callId: string; cseq: number }[];
    },
  ): Promise<readonly Binding[]> {
    const record = this.#users.get(user) ?? { own: undefined, terminals: new Map(), bindings: new Map() };
    const live = new Map(this.#live(record).map((binding) => [binding.key, binding]));
    for (const { key, callId, cseq } of [...change.put, ...change.remove]) {
      const before = live.get(key);
      if (before !== undefined && before.callId === callId && before.cseq >= cseq) {
        throw new RefusedError('conflict', 'a REGISTER as new as this one was applied before');
      }
    }
    for (const binding of change.put) record.bindings.set(binding.key, structuredClone(binding));
    for (const { key } of change.remove) record.bindings.delete(key);
    return this.#live(record);
  }

  #aliasOwner(alias: string): UserRecord | undefined {
    for (const record of this.#users.values()) if (record.own.aliases.includes(alias)) return record;
    return undefined;
  }

  #live({ bindings }: Pick<UserRecord, 'bindings'>): readonly Binding[] {
    const now = this.#now();
    return structuredClone([...bindings.values()])
      .filter((binding) => binding.expiresAt > now)
      .sort((a, b) => b.registeredAt - a.registeredAt);
  }
}

function userOf({ own, terminals }: UserRecord): User {
  const sorted = [...terminals.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return structuredClone({ ...own, terminals: sorted });
}
