/**
 * The terminal that a registered instance belongs to: one that the user already has with an equal identity, or a new one
 * under the name of the instance (SIR-166). A provisioned terminal keeps its name and everything that was provisioned.
 */
import { DecodeError, RefusedError } from '../kernel/errors.js';
import { type DeviceIdentity, instanceIdentity, matchesAny } from './device-identity.js';
import type { Registry } from './ports.js';
import type { TerminalId } from './terminal-id.js';
import { terminalId } from './terminal-id.js';
import type { ActivationMethod, Terminal, User } from './user.js';

export interface RegisteredTerminalPorts {
  readonly registry: Pick<Registry, 'findUser' | 'putTerminal'>;
  /** An instance that gets no terminal, for the log. */
  readonly onUnidentified: (user: User, reason: string) => void;
}

/**
 * The terminal of the instance, created with `activation` when there is none. Undefined for an instance that is no device identity and when
 * the user has `maxTerminals` already: such a contact can be called, but no push can be targeted at it.
 */
export async function registeredTerminal(
  user: User,
  instance: string,
  ports: RegisteredTerminalPorts,
  {
    activation,
    maxTerminals,
  }: { readonly activation: readonly ActivationMethod[]; readonly maxTerminals: number },
): Promise<TerminalId | undefined> {
  let identity: DeviceIdentity;
  try {
    identity = instanceIdentity(instance);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    ports.onUnidentified(user, `+sip.instance: ${error.detail}`);
    return undefined;
  }
  const known = terminalWith(identity, user);
  if (known !== undefined) return known.id;
  if (user.terminals.length >= maxTerminals) {
    // A client that makes up an instance at every start must not fill the registry.
    ports.onUnidentified(user, `the user has ${user.terminals.length} terminals already`);
    return undefined;
  }
  return createTerminal(user, identity, activation, ports);
}

async function createTerminal(
  user: User,
  identity: DeviceIdentity,
  activation: readonly ActivationMethod[],
  { registry }: RegisteredTerminalPorts,
): Promise<TerminalId | undefined> {
  const terminal: Terminal = {
    id: terminalId(user.id, identity.value),
    user: user.id,
    name: identity.value,
    identities: [identity],
    activation,
    preferences: {},
    capabilities: {},
    origin: 'registered',
  };
  try {
    await registry.putTerminal(terminal);
    return terminal.id;
  } catch (error) {
    // Somebody gave the identity to another terminal since we looked: that one it is.
    if (!(error instanceof RefusedError) || error.code !== 'conflict') throw error;
    const again = await registry.findUser(user.id);
    return again && terminalWith(identity, again)?.id;
  }
}

function terminalWith(identity: DeviceIdentity, user: User): Terminal | undefined {
  return user.terminals.find((candidate) => matchesAny([identity], candidate.identities));
}
