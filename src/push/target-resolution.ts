/**
 * Target resolution: from the address that the initiator wrote to the user that it means, what is known of that user's terminals,
 * and the rules that apply (SIR-28, SIR-36, SIR-41 … SIR-48). The choice itself is a pure function over what was found:
 * `terminal-choice.ts`.
 */
import { DecodeError, RefusedError } from '../kernel/errors.js';
import { decodePushAddress, type PushAddress } from '../protocols/push-address/index.js';
import { type DeviceIdentity, matchesAny, parseDeviceIdentity } from '../registry/device-identity.js';
import type { TargetingRule, TargetPolicy } from '../registry/targeting-rule.js';
import type { TerminalId } from '../registry/terminal-id.js';
import type { SourceReport } from '../registry/terminal-source.js';
import type { Terminal, User } from '../registry/user.js';
import type { Decision } from './push-message.js';
import { type Targeting, targetingFor } from './targeting.js';
import {
  type Choice,
  chooseTerminals,
  type Objection,
  type TerminalState,
  type Unmet,
} from './terminal-choice.js';

/** What is known of a user's terminals at this moment, and from where. */
export interface TerminalStates {
  /** With the terminals that were found on the way. */
  readonly user: User;
  readonly states: ReadonlyMap<TerminalId, TerminalState>;
  readonly sources: readonly SourceReport[];
}

export interface ResolutionPorts {
  findUser(identityOrAlias: string): Promise<User | undefined>;
  terminalStates(user: User): Promise<TerminalStates>;
  /** There are sources outside, which may know of terminals that the registry does not: every push asks. */
  readonly asksOutside?: boolean;
  /** Our own domain: completes a USER value that is a bare name. */
  readonly domain: string;
  readonly targeting: TargetingOptions;
}

/** What the operator has decided about choosing terminals. */
export interface TargetingOptions {
  readonly rules: readonly TargetingRule[];
  /** For pushes and users that no rule says anything about. */
  readonly defaultTarget: TargetPolicy;
  /** What makes a user one of several terminals: those provisioned, or those registered now (SIR-44, SIR-45). */
  readonly countTerminals: 'provisioned' | 'registered';
  /** SIP URI of this gateway. */
  readonly gateway: string;
}

export interface PushWish {
  /** Application id of the content (`X-Wap-Application-Id`). */
  readonly applicationId: string;
  readonly contentType: string;
  /** From when on the first terminal may get it (ms epoch). */
  readonly startsAt: number;
  /** Asked of every terminal that would be chosen; the first that speaks against it counts. */
  readonly objections?: readonly Objection[];
  /** The objections look at the state of the terminal. */
  readonly needsState?: boolean;
}

/** Application id that a content without one means (Push Message §6.2.2.1). */
export const DEFAULT_APPLICATION_ID = 'x-wap-application:wml.ua';

/**
 * Throws RefusedError with words for the initiator: `addressMalformed`, `addressNotFound`, or the code of an objection when objections
 * leave no terminal.
 */
export async function resolveTarget(
  address: string,
  wish: PushWish,
  ports: ResolutionPorts,
): Promise<Decision> {
  const target = readAddress(address);
  const user = await findUser(target, ports);
  if (!user) throw nobody();
  return decideFor(user, narrowing(target), wish, ports);
}

/** How the address narrows the push to some terminals of the user. */
export interface Narrowing {
  readonly device?: DeviceIdentity | undefined;
  readonly isForAll?: boolean | undefined;
}

/** Decides for one user. Throws like `resolveTarget`. */
export async function decideFor(
  user: User,
  narrowed: Narrowing,
  wish: PushWish,
  ports: DecisionPorts,
): Promise<Decision> {
  const { decision, refusal } = await weigh(user, narrowed, wish, ports);
  if (refusal) throw refusal;
  return decision;
}

/** What was weighed, whether or not a terminal is left. */
export interface Weighed {
  readonly decision: Decision;
  /** The rules that applied. */
  readonly targeting: Targeting;
  /** Why the push would not be taken. */
  readonly refusal?: RefusedError;
}

export async function weigh(
  user: User,
  { device, isForAll }: Narrowing,
  wish: PushWish,
  ports: DecisionPorts,
): Promise<Weighed> {
  const { rules, defaultTarget, gateway } = ports.targeting;
  const { applicationId, contentType, startsAt, objections } = wish;
  const targeting = withDefault(
    targetingFor({ user: user.id, applicationId, contentType }, user.policy, rules),
    defaultTarget,
  );
  const known = await knowledge(user, device, wish, targeting, ports);
  const isMulti = countOf(known, ports.targeting) > 1;
  const unmet = new Map<TerminalId, Unmet>();
  const chosen = chooseTerminals(
    known.user,
    { applicationId, contentType, startsAt, device, isForAll, objections, targeting, gateway, isMulti },
    known.states,
    unmet,
  );
  const { sources } = known;
  const decision: Decision = {
    user: user.id,
    multi: isMulti,
    ...chosen,
    ...(sources.length === 0 ? {} : { sources }),
  };
  if (chosen.terminals.some(({ selected }) => selected)) return { decision, targeting };
  const [first] = unmet.values();
  const refusal = first
    ? RefusedError.telling(first.code, first.reason)
    : new RefusedError('addressNotFound', whyNobody(chosen, device));
  return { decision, targeting, refusal };
}

function withDefault({ settings, from }: Targeting, target: TargetPolicy): Targeting {
  return {
    settings: { target, ...settings },
    from: { target: 'the default (push.defaultPolicy)', ...from },
  };
}

export type DecisionPorts = Pick<ResolutionPorts, 'terminalStates' | 'asksOutside' | 'targeting'>;

/** How many terminals the user has, by the operator's way of counting. */
export function countOf(
  { user, states }: Pick<TerminalStates, 'user' | 'states'>,
  { countTerminals }: Pick<TargetingOptions, 'countTerminals'>,
): number {
  if (countTerminals === 'provisioned') return user.terminals.length;
  return [...states.values()].filter(({ bindings = [], isAvailable }) => bindings.length > 0 || isAvailable)
    .length;
}

/** What the decision needs to know; the registry's own word where that is enough. */
async function knowledge(
  user: User,
  device: DeviceIdentity | undefined,
  wish: PushWish,
  { settings }: Targeting,
  ports: DecisionPorts,
): Promise<TerminalStates> {
  const { countTerminals } = ports.targeting;
  const rulesNeedState =
    device === undefined && settings.target !== 'all-subscribed' && user.terminals.length > 1;
  const isNamedAndKnown =
    device !== undefined && user.terminals.some(({ identities }) => matchesAny([device], identities));
  const asksOutside = ports.asksOutside === true && !isNamedAndKnown;
  if (wish.needsState || rulesNeedState || asksOutside || countTerminals === 'registered') {
    return ports.terminalStates(user);
  }
  return { user, states: new Map(), sources: [] };
}

/**
 * The user of an address and its terminals, or the one that the address names. Throws RefusedError `addressMalformed` or
 * `addressNotFound`.
 */
export async function findTerminals(
  address: string,
  ports: Pick<ResolutionPorts, 'findUser' | 'domain'>,
): Promise<{ readonly user: User; readonly terminals: readonly Terminal[] }> {
  const target = readAddress(address);
  const user = await findUser(target, ports);
  if (!user) throw nobody();
  const device = readDevice(target);
  if (device === undefined) return { user, terminals: user.terminals };
  const terminals = user.terminals.filter(({ identities }) => matchesAny([device], identities));
  if (terminals.length === 0) throw new RefusedError('addressNotFound', 'the user has no such terminal');
  return { user, terminals };
}

export function nobody(): RefusedError {
  return new RefusedError('addressNotFound', 'nobody is known by this address');
}

export function readAddress(address: string): PushAddress {
  return orRefuse(() => decodePushAddress(address));
}

/** The device and the scope that an address names. */
export function narrowing(target: PushAddress): Narrowing {
  return { device: readDevice(target), isForAll: target.scope === 'all' };
}

function readDevice({ device }: PushAddress): DeviceIdentity | undefined {
  return device === undefined ? undefined : orRefuse(() => parseDeviceIdentity(device));
}

function orRefuse<T>(decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (error instanceof DecodeError) throw new RefusedError('addressMalformed', error.detail);
    throw error;
  }
}

export async function findUser(
  target: PushAddress,
  ports: Pick<ResolutionPorts, 'findUser' | 'domain'>,
): Promise<User | undefined> {
  for (const identity of identitiesMeant(target, ports.domain)) {
    const user = await ports.findUser(identity);
    if (user) return user;
  }
  return undefined;
}

/** The identities that an address may stand for, the likeliest first; none for network addresses. `domain` completes a bare name. */
export function identitiesMeant({ recipient, type, value }: PushAddress, domain: string): readonly string[] {
  if (recipient === undefined) return type === 'USER' ? [`sip:${value}@${domain}`] : [];
  // A mail-like user name is as often the user part and domain of a SIP identity.
  if (recipient.startsWith('mailto:')) return [recipient, recipient.replace('mailto:', 'sip:')];
  if (recipient.startsWith('sips:')) return [recipient, recipient.replace('sips:', 'sip:')];
  return [recipient];
}

function whyNobody({ terminals }: Choice, device: DeviceIdentity | undefined): string {
  if (terminals.length === 0) return 'the user has no terminal yet';
  if (device !== undefined) return 'the user has no such terminal';
  return 'no terminal of the user takes this push';
}
