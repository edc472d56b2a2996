/**
 * A policy file as the policy of the reference terminal: keys become checks, the user becomes answers, applications become programs
 * that run, and what the terminal tells of itself follows from what it judges by, unless the file says otherwise.
 */
import type { TerminalPolicyFile } from '../config/terminal-policy.js';
import { SECOND_MS } from '../kernel/units.js';
import { isSameApplication } from '../terminal/own-information.js';
import type { PushApplication, ReceivedSir } from '../terminal/sir.js';
import { verifierWith } from '../terminal/sir-key.js';
import type {
  ApplicationSet,
  Information,
  ReturnRoute,
  TerminalPolicy,
  UserAnswer,
} from '../terminal/terminal-options.js';

export interface TerminalPolicyPorts {
  /** Runs the program of an application and resolves with what it says. */
  readonly run: (application: PushApplication, program: ApplicationProgram) => Promise<Information>;
  /** Resolves after this time. */
  readonly pause: (delayMs: number) => Promise<void>;
  /** Asks whoever sits before the terminal. */
  readonly ask: (sir: ReceivedSir, signal: AbortSignal) => Promise<UserAnswer>;
}

export interface ApplicationProgram {
  readonly command: readonly string[];
  readonly timeoutMs: number;
}

export function terminalPolicy(file: TerminalPolicyFile, ports: TerminalPolicyPorts): TerminalPolicy {
  const { safety, capability, subscription, preference, user, connect, activation } = file;
  const key = file.return.key ?? safety?.key;
  return {
    safety: safety && {
      allowedGateways: safety.gateways,
      onlyFromRegistrar: safety.onlyFromRegistrar,
      ...(safety.key === undefined ? {} : { verifySignature: verifierWith(safety.key) }),
    },
    installedApplications: orAny(capability.applications),
    acceptedTypes: orAny(capability.accept),
    maxMessageSize: capability.maxMessageSize,
    subscribedApplications: orAny(subscription.applications),
    acceptedApplications: orAny(preference.applications),
    refusedTypes: preference.refusedTypes,
    quietHours: preference.quietHours,
    askUser: user && ((sir, signal) => answerOf(user, sir, signal, ports)),
    askUserTimeoutMs: (user?.timeoutSeconds ?? 20) * SECOND_MS,
    connect: connect.automatically ? 'automatically' : 'manually',
    sessionWays: connect.by,
    homeGateway: connect.gateway ?? safety?.gateways.find((gateway) => /^sips?:/i.test(gateway)),
    reconnectDelayMs: connect.reconnectSeconds === 0 ? 'never' : connect.reconnectSeconds * SECOND_MS,
    activation: activation.when,
    activate: (application) => activate(application, activation.applications, ports),
    information: informationOf(file),
    withheld: file.return.withhold,
    returnRoute: routeOf(file.return),
    returnKey: key,
  };
}

function orAny(list: readonly string[] | undefined): ApplicationSet {
  return list ?? 'any';
}

async function answerOf(
  { answer, afterSeconds }: NonNullable<TerminalPolicyFile['user']>,
  sir: ReceivedSir,
  signal: AbortSignal,
  { ask, pause }: TerminalPolicyPorts,
): Promise<UserAnswer> {
  if (answer === 'ask') return ask(sir, signal);
  if (answer === 'timeout') return new Promise(() => undefined);
  if (afterSeconds > 0) await pause(afterSeconds * SECOND_MS);
  return answer;
}

async function activate(
  application: PushApplication,
  applications: TerminalPolicyFile['activation']['applications'],
  { run }: TerminalPolicyPorts,
): Promise<Information | undefined> {
  const known = applications.find(({ id }) => isSameApplication(id, application.id));
  if (known === undefined) return undefined;
  const { command, timeoutSeconds, information = {} } = known;
  if (command === undefined) return information;
  const said = await run(application, { command, timeoutMs: timeoutSeconds * SECOND_MS });
  return { ...information, ...said };
}

/** In the words that a gateway understands (docs/targeting.md, "What terminals say"). */
function informationOf({
  safety,
  capability,
  subscription,
  preference,
  return: back,
}: TerminalPolicyFile): Information {
  const { applications: applicationIds, accept, maxMessageSize } = capability;
  const { refusedTypes, quietHours } = preference;
  const derived: Information = {
    ...(Object.keys(capability).length === 0
      ? {}
      : { capability: withoutAbsent({ applicationIds, accept, maxMessageSize }) }),
    ...(refusedTypes.length === 0 && quietHours === undefined
      ? {}
      : { preference: withoutAbsent({ refusedTypes, quietHours }) }),
    ...(subscription.applications === undefined
      ? {}
      : { subscription: { applications: subscription.applications } }),
    ...(safety === undefined ? {} : { security: { trustedGateways: safety.gateways } }),
  };
  return { ...derived, ...back.information };
}

function withoutAbsent(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** The schema sees to it that url and number are there. */
function routeOf({ by, url = '', to = '' }: TerminalPolicyFile['return']): ReturnRoute {
  switch (by) {
    case 'sip':
      return { by };
    case 'http':
      return { by, url };
    case 'sms':
      return { by, to };
  }
}
