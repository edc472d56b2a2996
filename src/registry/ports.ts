/** What the registry needs from outside. Adapters: `stores/` (Redis) and the memory twin used by tests. */
import type { Binding } from './binding.js';
import type { PublicUserIdentity } from './public-user-identity.js';
import type { TerminalId } from './terminal-id.js';
import type { Terminal, User } from './user.js';

export interface Registry {
  /** The user of a public user identity or alias (canonical form), with its terminals. Undefined when nobody has it. */
  findUser(identityOrAlias: string): Promise<User | undefined>;
  /**
   * Creates or replaces a user's own attributes; its terminals stay. Refuses (`conflict`) an alias that another user
   * has. Safe to repeat.
   */
  putUser(user: Omit<User, 'terminals'>): Promise<void>;
  /** Removes the user, its terminals, aliases and bindings. True when there was one. */
  deleteUser(user: PublicUserIdentity): Promise<boolean>;
  listUsers(options: {
    cursor?: string;
    limit: number;
  }): Promise<{ users: readonly User[]; cursor?: string }>;

  /**
   * Creates or replaces one terminal. Refuses with `notFound` when the user is unknown, with `conflict` when another terminal
   * of the user has an equal device identity (SIR-24). The check and the write are one step.
   */
  putTerminal(terminal: Terminal): Promise<void>;
  /**
   * Creates or changes one terminal: `edit` gets what is stored, undefined for a new one, and says what is to be stored. It may be
   * called again when somebody else changed the terminal meanwhile. Refuses like `putTerminal`. Durable when it resolves.
   */
  changeTerminal(
    user: PublicUserIdentity,
    terminal: TerminalId,
    edit: (before: Terminal | undefined) => Terminal,
  ): Promise<{ readonly before: Terminal | undefined; readonly terminal: Terminal }>;
  deleteTerminal(user: PublicUserIdentity, terminal: TerminalId): Promise<boolean>;
  /** The user that has the terminal, with all its terminals. */
  findOwner(terminal: TerminalId): Promise<User | undefined>;
  findTerminal(terminal: TerminalId): Promise<Terminal | undefined>;

  /** Live bindings of the user, newest first; expired ones are not shown. */
  bindings(user: PublicUserIdentity): Promise<readonly Binding[]>;
  /**
   * Applies one REGISTER in one step: every `put` replaces the binding of the same key, every `remove` deletes one. Returns
   * the live bindings afterwards. A change whose Call-ID equals the stored one and whose CSeq is not higher is refused with
   * `conflict` and nothing changes (RFC 3261 §10.3 step 7).
   */
  changeBindings(
    user: PublicUserIdentity,
    change: {
      readonly put: readonly Binding[];
      readonly remove: readonly { key: string; callId: string; cseq: number }[];
    },
  ): Promise<readonly Binding[]>;
}
