/**
 * The sources outside put together: subscriptions at the SIP core and at the presence server, the memory of what they said last, and the
 * lanes that hear when a terminal can be reached again.
 */
import type { Config } from '../config/schema.js';
import { REGISTRAR_LIMITS } from '../endpoints/sip/registrar.js';
import type { ToldDevices } from '../endpoints/sip/registration-body.js';
import { describeError } from '../kernel/errors.js';
import { SECOND_MS } from '../kernel/units.js';
import type { EventPackage } from '../peers/event-package.js';
import { PRESENCE } from '../peers/presence/presence-package.js';
import { REG_EVENT } from '../peers/reg-event/reg-event-package.js';
import { ToldRegistrations } from '../peers/reg-event/told-registrations.js';
import { SubscribedUsers } from '../peers/subscribed-users.js';
import { devicesArrived, type SourceChange } from '../push/arrivals.js';
import type { OutsideReach } from '../registry/outside-reach.js';
import type { PublicUserIdentity } from '../registry/public-user-identity.js';
import type { TerminalId } from '../registry/terminal-id.js';
import {
  type ConfiguredSource,
  type KnowledgePorts,
  reachOutside,
  type TerminalKnowledge,
  terminalKnowledge,
} from '../registry/terminal-knowledge.js';
import type { OutsideSourceName, TerminalSource } from '../registry/terminal-source.js';
import type { Terminal, User } from '../registry/user.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import type { SipStack } from '../transports/sip-stack/sip-stack.js';
import { Subscriber } from '../transports/sip-stack/subscriber.js';
import type { Stores } from './stores.js';
import { systemClock } from './system-clock.js';
import { ownStates } from './terminal-states.js';

type SourceSection = NonNullable<Config['sources']['presence']>;

export interface Sources {
  /** There are any besides the registry. */
  readonly asksOutside: boolean;
  /** Subscriptions that are kept up. */
  readonly size: number;
  states(user: User): Promise<TerminalKnowledge>;
  /** How a terminal that is not registered here can be reached. Never rejects. */
  reach(terminal: Terminal): Promise<OutsideReach>;
  /** The core has told that the registrations of a user changed, and which they are when it told. */
  registrationsChanged(user: PublicUserIdentity, told: ToldDevices | undefined): Promise<void>;
  /** From now on lanes hear of terminals that can be reached again. */
  announceTo(wakeLane: (terminal: TerminalId, dueAt?: number) => void): void;
  close(): void;
}

/** A core that only tells: its source looks into our own store. */
const TOLD = { timeoutMs: 2 * SECOND_MS, createTerminals: true };

export function openSources(
  config: Config,
  stack: SipStack,
  stores: Stores,
  { log, metrics }: Telemetry,
  ppgUri: string,
): Sources {
  const { regEvent, presence } = config.sources;
  const { sourceMemory: memory, registry, lanes } = stores;
  const clock = systemClock;
  const subscriber = new Subscriber({ stack, clock, log: (event) => log(event) });
  let wakeLane: (terminal: TerminalId, dueAt?: number) => void = () => {};

  const arrived = (change: SourceChange) =>
    devicesArrived(change, {
      findUser: (user) => registry.findUser(user),
      lanes,
      wakeLane: (terminal, dueAt) => wakeLane(terminal, dueAt),
      now: () => clock.now(),
    });
  const subscribed = <View>(eventPackage: EventPackage<View>, { uri, ttlSeconds, maxUsers }: SourceSection) =>
    new SubscribedUsers(
      eventPackage,
      {
        subscriber,
        clock,
        onChange(user, state, before) {
          const { source } = eventPackage;
          const change = { source, user, before, after: state.devices };
          Promise.all([memory.save(user, source, state), arrived(change)]).catch((error: unknown) =>
            log({ level: 'warn', message: 'source not followed', source, reason: describeError(error) }),
          );
        },
      },
      { from: `<${ppgUri}>`, route: [`<${uri}>`], lifeMs: ttlSeconds * SECOND_MS, maxUsers },
    );

  const core = regEvent && subscribed(REG_EVENT, regEvent);
  const server = presence && subscribed(PRESENCE, presence);
  const isTold = core === undefined && config.sip.trustedPeers.length > 0;
  const told = isTold ? new ToldRegistrations({ memory, clock }) : undefined;
  const registrations = core && regEvent ? configured(core, regEvent) : told && configured(told, TOLD);
  const sources: Partial<Record<OutsideSourceName, ConfiguredSource>> = {
    ...(registrations === undefined ? {} : { 'reg-event': registrations }),
    ...(server && presence ? { presence: configured(server, presence) } : {}),
  };
  const ports: KnowledgePorts = {
    sources,
    memory,
    clock,
    registry,
    onUnidentified: (_, reason) => log({ level: 'warn', message: 'device without a terminal', reason }),
    observe: ({ source, state }) => metrics.sourceAnswers.inc({ source, state }),
    ownStates: (user) => ownStates(user, stores),
  };

  return {
    asksOutside: Object.keys(sources).length > 0,
    get size() {
      return subscriber.size;
    },
    states: (user) =>
      terminalKnowledge(user, ports, {
        maxTerminals: REGISTRAR_LIMITS.maxTerminals,
        multiCheck: config.targeting.multiCheck,
      }),
    reach: (terminal) => reachOutside(terminal, ports, { mayTry: config.sip.outboundProxy !== undefined }),
    async registrationsChanged(user, devices) {
      core?.refresh(user);
      if (told === undefined || devices === undefined) return;
      const { state, before } = await told.tell(user, devices);
      await arrived({ source: 'reg-event', user, before, after: state.devices });
    },
    announceTo(listener) {
      wakeLane = listener;
    },
    close() {
      core?.close();
      server?.close();
      subscriber.close();
    },
  };
}

function configured(
  source: TerminalSource,
  { timeoutMs, createTerminals }: { readonly timeoutMs: number; readonly createTerminals: boolean },
): ConfiguredSource {
  return { source, timeoutMs, createsTerminals: createTerminals };
}
