/**
 * The registry in Redis: one hash for a user and its terminals, one for the identities that must be unique within the
 * user, one for the registered contacts. Aliases are claimed one by one before the user names them; a claim that a crash
 * left without its user counts for nothing and lapses.
 */
import { RefusedError } from '../kernel/errors.js';
import type { Binding } from '../registry/binding.js';
import { identityKeys } from '../registry/device-identity.js';
import type { Registry } from '../registry/ports.js';
import type { PublicUserIdentity } from '../registry/public-user-identity.js';
import type { TerminalId } from '../registry/terminal-id.js';
import type { Terminal, User } from '../registry/user.js';
import * as keys from './keys.js';
import { changeBindings } from './lua/change-bindings.js';
import { deleteTerminal, putTerminal } from './lua/put-terminal.js';
import type { RedisClient } from './redis-connection.js';

/** Longer than writing a user takes. */
const CLAIM_SECONDS = 60;

/** What `put-terminal` takes for "whatever is there". */
const ANY_RECORD = '*';
/** Terminals whose users a process remembers. */
const OWNERS_REMEMBERED = 100_000;
/** Changes of one terminal that come in between, at most, before the caller is asked to come again. */
const MAX_CHANGES = 20;

const TERMINAL_FIELD = 'terminal:';

type OwnAttributes = Omit<User, 'terminals'>;

export class RedisRegistry implements Registry {
  readonly #redis: RedisClient;
  readonly #now: () => number;
  /** Whose id a terminal's is never changes, whether the terminal is there or not: ids are digests of user and name. */
  readonly #owners = new Map<TerminalId, PublicUserIdentity>();

  constructor(redis: RedisClient, options: { now: () => number }) {
    this.#redis = redis;
    this.#now = options.now;
  }

  async findUser(identityOrAlias: string): Promise<User | undefined> {
    const [hash, owner] = await Promise.all([
      this.#redis.hgetall(keys.userKey(identityOrAlias as PublicUserIdentity)),
      this.#redis.get(keys.aliasKey(identityOrAlias)),
    ]);
    const user = userFrom(hash);
    if (user || owner === null) return user;
    const named = userFrom(await this.#redis.hgetall(keys.userKey(owner as PublicUserIdentity)));
    return named?.aliases.includes(identityOrAlias) ? named : undefined;
  }

  async putUser(user: OwnAttributes): Promise<void> {
    const before = await this.#ownAttributes(user.id);
    const claimed: string[] = [];
    for (const alias of user.aliases) {
      if (await this.#claimAlias(alias, user.id)) {
        claimed.push(alias);
        continue;
      }
      await this.#dropAliases(claimed.filter((name) => !before?.aliases.includes(name)));
      throw new RefusedError('conflict', `the alias ${alias} belongs to another user`);
    }
    const { id, aliases, policy, sip, sirKey } = user;
    const own: OwnAttributes = {
      id,
      aliases,
      policy,
      ...(sip === undefined ? {} : { sip }),
      ...(sirKey === undefined ? {} : { sirKey }),
    };
    await this.#redis.hset(keys.userKey(user.id), 'user', JSON.stringify(own));
    await this.#redis.zadd(keys.usersKey, 0, user.id);
    await Promise.all(aliases.map((alias) => this.#redis.persist(keys.aliasKey(alias))));
    await this.#dropAliases((before?.aliases ?? []).filter((alias) => !user.aliases.includes(alias)));
  }

  /**
   * A first claim holds for a while, until the user that made it has been written with the alias; then it is kept for good.
   * Two users that want an alias at the same time cannot both have it, and what a crash leaves behind lapses by itself.
   */
  async #claimAlias(alias: string, user: PublicUserIdentity): Promise<boolean> {
    if (await this.#redis.exists(keys.userKey(alias as PublicUserIdentity))) return false;
    const isFirst = await this.#redis.set(keys.aliasKey(alias), user, 'EX', CLAIM_SECONDS, 'NX');
    return isFirst === 'OK' || (await this.#redis.get(keys.aliasKey(alias))) === user;
  }

  async #ownAttributes(user: PublicUserIdentity): Promise<OwnAttributes | undefined> {
    const text = await this.#redis.hget(keys.userKey(user), 'user');
    return text === null ? undefined : (JSON.parse(text) as OwnAttributes);
  }

  async #dropAliases(aliases: readonly string[]): Promise<void> {
    await Promise.all(aliases.map((alias) => this.#redis.del(keys.aliasKey(alias))));
  }

  async deleteUser(user: PublicUserIdentity): Promise<boolean> {
    const known = await this.findUser(user);
    if (known?.id !== user) return false;
    await this.#redis.unlink(
      keys.userKey(user),
      keys.identitiesKey(user),
      keys.bindingsKey(user),
      keys.sourcesKey(user),
    );
    await Promise.all([
      this.#redis.zrem(keys.usersKey, user),
      this.#dropAliases(known.aliases),
      ...known.terminals.map((terminal) => this.#redis.del(keys.terminalOwnerKey(terminal.id))),
    ]);
    return true;
  }

  async listUsers(options: {
    cursor?: string;
    limit: number;
  }): Promise<{ users: readonly User[]; cursor?: string }> {
    const after = options.cursor === undefined ? '-' : `(${options.cursor}`;
    const names = await this.#redis.zrangebylex(keys.usersKey, after, '+', 'LIMIT', 0, options.limit);
    const users = await Promise.all(names.map((name) => this.findUser(name)));
    const last = names.at(-1);
    return {
      users: users.filter((user) => user !== undefined),
      ...(names.length === options.limit && last !== undefined ? { cursor: last } : {}),
    };
  }

  async putTerminal(terminal: Terminal): Promise<void> {
    await this.#putTerminal(terminal, ANY_RECORD);
  }

  async changeTerminal(
    user: PublicUserIdentity,
    id: TerminalId,
    edit: (before: Terminal | undefined) => Terminal,
  ): Promise<{ readonly before: Terminal | undefined; readonly terminal: Terminal }> {
    for (let attempt = 0; attempt < MAX_CHANGES; attempt += 1) {
      const text = await this.#redis.hget(keys.userKey(user), `${TERMINAL_FIELD}${id}`);
      const before = text === null ? undefined : (JSON.parse(text) as Terminal);
      const terminal = edit(before);
      if (await this.#putTerminal(terminal, text ?? '')) return { before, terminal };
    }
    throw new RefusedError('busy', `the terminal ${id} is being changed by others`, 'later');
  }

  /** False when another record than `expected` is there. */
  async #putTerminal(terminal: Terminal, expected: string): Promise<boolean> {
    await this.#redis.set(keys.terminalOwnerKey(terminal.id), terminal.user);
    const reply = String(
      await putTerminal.run(
        this.#redis,
        [keys.userKey(terminal.user), keys.identitiesKey(terminal.user)],
        [
          terminal.id,
          JSON.stringify(terminal),
          expected,
          ...new Set(terminal.identities.flatMap(identityKeys)),
        ],
      ),
    );
    if (reply === 'unknown user') throw new RefusedError('notFound', `there is no user ${terminal.user}`);
    if (reply.startsWith('conflict:')) {
      throw new RefusedError(
        'conflict',
        `another terminal of ${terminal.user} has the identity ${reply.slice(9)}`,
      );
    }
    return reply === 'stored';
  }

  async deleteTerminal(user: PublicUserIdentity, terminal: TerminalId): Promise<boolean> {
    const gone = await deleteTerminal.run(
      this.#redis,
      [keys.userKey(user), keys.identitiesKey(user)],
      [terminal],
    );
    if (gone !== 1) return false;
    const left = (await this.bindings(user)).filter((binding) => binding.terminal === terminal);
    await Promise.all([
      this.#redis.del(keys.terminalOwnerKey(terminal)),
      ...left.map((binding) => this.#redis.hdel(keys.bindingsKey(user), binding.key)),
    ]);
    return true;
  }

  async findOwner(terminal: TerminalId): Promise<User | undefined> {
    const owner = await this.#ownerOf(terminal);
    const user = owner && userFrom(await this.#redis.hgetall(keys.userKey(owner)));
    return user?.terminals.some(({ id }) => id === terminal) ? user : undefined;
  }

  async #ownerOf(terminal: TerminalId): Promise<PublicUserIdentity | undefined> {
    const remembered = this.#owners.get(terminal);
    if (remembered !== undefined) return remembered;
    const owner = (await this.#redis.get(keys.terminalOwnerKey(terminal))) as PublicUserIdentity | null;
    if (owner === null) return undefined;
    this.#owners.set(terminal, owner);
    const [oldest] = this.#owners.keys();
    if (this.#owners.size > OWNERS_REMEMBERED && oldest !== undefined) this.#owners.delete(oldest);
    return owner;
  }

  async findTerminal(terminal: TerminalId): Promise<Terminal | undefined> {
    const user = await this.#ownerOf(terminal);
    if (user === undefined) return undefined;
    const text = await this.#redis.hget(keys.userKey(user), `${TERMINAL_FIELD}${terminal}`);
    return text === null ? undefined : (JSON.parse(text) as Terminal);
  }

  async bindings(user: PublicUserIdentity): Promise<readonly Binding[]> {
    return liveBindings(await this.#redis.hvals(keys.bindingsKey(user)), this.#now());
  }

  async changeBindings(
    user: PublicUserIdentity,
    change: {
      readonly put: readonly Binding[];
      readonly remove: readonly { key: string; callId: string; cseq: number }[];
    },
  ): Promise<readonly Binding[]> {
    const reply = (await changeBindings.run(
      this.#redis,
      [keys.bindingsKey(user)],
      [
        this.#now(),
        change.put.length,
        ...change.put.flatMap((binding) => [
          binding.key,
          binding.callId,
          binding.cseq,
          JSON.stringify(binding),
        ]),
        ...change.remove.flatMap(({ key, callId, cseq }) => [key, callId, cseq]),
      ],
    )) as string[];
    if (reply[0] === 'conflict')
      throw new RefusedError('conflict', 'a REGISTER as new as this one was applied before');
    return liveBindings(reply, this.#now());
  }
}

function userFrom(hash: Record<string, string>): User | undefined {
  const { user } = hash;
  if (user === undefined) return undefined;
  const terminals = Object.entries(hash)
    .filter(([field]) => field.startsWith(TERMINAL_FIELD))
    .map(([, text]) => JSON.parse(text) as Terminal)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return { ...(JSON.parse(user) as OwnAttributes), terminals };
}

/** Newest first; what has expired is not shown. */
function liveBindings(records: readonly string[], now: number): readonly Binding[] {
  return records
    .map((text) => JSON.parse(text) as Binding)
    .filter((binding) => binding.expiresAt > now)
    .sort((a, b) => b.registeredAt - a.registeredAt);
}
