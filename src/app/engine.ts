/** The delivery engine: lanes, the sessions that feed on them, the alarm clock and the sweeper, tied to their stores. */
import type { Config } from '../config/schema.js';
import { describeError } from '../kernel/errors.js';
import { MINUTE_MS, SECOND_MS } from '../kernel/units.js';
import { type HoldPorts, holdLane, releaseLane } from '../lane/hold.js';
import type { LaneConnections } from '../lane/lane.js';
import { Lanes } from '../lane/lanes.js';
import type { TerminalConnection } from '../lane/ports.js';
import { Sessions } from '../lane/sessions.js';
import { sweepAll, sweepLanes } from '../lane/sweeper.js';
import { GuardedPost } from '../peers/guarded-post.js';
import { HttpInitiatorEndpoint } from '../peers/push-initiator.js';
import { HttpWebhookEndpoint } from '../peers/webhook.js';
import type { PapValidator } from '../protocols/pap/index.js';
import type { ContentValidator } from '../push/content-conversion.js';
import { PushDelivery } from '../push/delivery.js';
import { directWay } from '../push/direct-delivery.js';
import type { GivingUpPorts } from '../push/giving-up.js';
import type { Bearer } from '../push/ports.js';
import { laneEntryOf, type PushUid } from '../push/push-message.js';
import { reachFor } from '../push/reach.js';
import { type Receipt, type ReceiptPorts, takeReceipt } from '../push/receipt.js';
import { RecentPushes } from '../push/recent-pushes.js';
import { takeRefusal } from '../push/refusal.js';
import { finishAcceptances } from '../push/replacement.js';
import { notifyResult } from '../push/result-notification.js';
import { SessionInitiation, type SessionInitiationPorts } from '../push/session-initiation.js';
import { type SirReceipt, takeSirReceipt } from '../push/sir-receipt.js';
import {
  type ReturnSender,
  type SirReturnPorts,
  type TakenReturn,
  takeSirReturn,
} from '../push/sir-return.js';
import type { TargetingOptions } from '../push/target-resolution.js';
import { BullAlarms } from '../queues/alarms.js';
import type { BearerName } from '../registry/bearer-name.js';
import type { TerminalId } from '../registry/terminal-id.js';
import type { User } from '../registry/user.js';
import { QUEUE_PREFIX } from '../stores/keys.js';
import { createRedis, type RedisProvision } from '../stores/redis-connection.js';
import { RedisNodes } from '../stores/redis-nodes.js';
import type { Log } from '../telemetry/log.js';
import type { Facts } from './facts.js';
import type { Stores } from './stores.js';
import { randomBytes, systemClock } from './system-clock.js';

export interface Engine extends AsyncDisposable {
  readonly node: string;
  readonly lanes: Lanes;
  readonly sessions: Sessions;
  readonly alarms: BullAlarms;
  /** Something is to be done for the terminal now: runs its lane, and brings its alarm forward when it has one. */
  readonly wakeLane: (terminal: TerminalId, dueAt?: number) => void;
  /** An operator holds a lane, or releases it; see `lane/hold`. */
  readonly hold: (terminal: TerminalId, reason: string) => Promise<boolean>;
  readonly release: (terminal: TerminalId) => Promise<boolean>;
  /** A network says what became of content that it was handed. Resolves when that is durable. */
  readonly receipt: (receipt: Receipt) => Promise<void>;
  /** The same of a session initiation request. */
  readonly sirReceipt: (receipt: SirReceipt) => Promise<void>;
  /** A terminal tells something after a SIR. Resolves when that is durable; throws as `takeSirReturn`. */
  readonly takeReturn: (body: Uint8Array, sender: ReturnSender) => Promise<TakenReturn>;
  /** An operator has told a link something: every node looks. */
  readonly linksChanged: () => Promise<void>;
  /** Starts answering alarms and kicks; before this the bearers must be in place. */
  start(): Promise<void>;
}

export interface EngineOptions {
  readonly config: Config;
  readonly provision: RedisProvision;
  readonly stores: Stores;
  readonly facts: Facts;
  readonly log: Log;
  readonly validator: PapValidator;
  readonly contentValidator: ContentValidator;
  /** Name of this process among all that share the store. */
  readonly node: string;
  readonly bearers: ReadonlyMap<BearerName, Bearer>;
  readonly targeting: TargetingOptions;
  /** Has the user several terminals, by the operator's way of counting? */
  readonly isMulti: (user: User) => Promise<boolean>;
  /** How small content reaches a registered contact; see the SIP bearer. */
  readonly message: (
    terminal: TerminalId,
    connections: LaneConnections,
  ) => Promise<TerminalConnection | undefined>;
  /** Operators may have told links something. Must not throw. */
  readonly onLinks: () => void;
}

const MAX_RUNNING_LANES = 256;
const ALARMS_AT_ONCE = 64;
const SWEEP_EVERY_MS = 5 * SECOND_MS;
const SWEEP_LIMIT = 1000;
/** Longer than any placement takes; shorter than anybody's patience. */
const PLACEMENT_LIMIT_MS = 10 * SECOND_MS;
/** Longer than it takes from counting a push to storing it. */
const COUNTED_LIMIT_MS = MINUTE_MS;
/** A SIR asks for a session now, not tomorrow. */
const SIR_LIFE_MS = 10 * MINUTE_MS;
const NOTIFICATIONS_PER_HOST = 8;

export function createEngine(options: EngineOptions): Engine {
  const { config, provision, stores, facts, log, validator, contentValidator, node } = options;
  const clock = systemClock;
  const leaseMs = config.lane.leaseSeconds * SECOND_MS;

  const alarms = new BullAlarms(() => createRedis(provision, { role: 'worker' }), {
    prefix: QUEUE_PREFIX,
    lanesAtOnce: ALARMS_AT_ONCE,
    resultsAtOnce: ALARMS_AT_ONCE,
    sweepEveryMs: SWEEP_EVERY_MS,
    now: () => clock.now(),
    onError: (what, error) =>
      log({ level: 'warn', message: 'alarm clock', what, reason: describeError(error) }),
  });

  const subscriber = createRedis(provision, { role: 'subscriber' });
  const nodes = new RedisNodes(stores.client, subscriber, {
    self: node,
    isAlone: provision.kind === 'embedded',
    lifeMs: leaseMs / 2,
    onKick: (terminal) => lanes.kick(terminal),
    onLinks: options.onLinks,
    onError: (error) => log({ level: 'warn', message: 'heartbeat failed', reason: describeError(error) }),
  });

  const wakeLane = (terminal: TerminalId, dueAt?: number) => {
    lanes.kick(terminal);
    if (dueAt !== undefined) void alarms.promoteLane(terminal, dueAt);
  };
  const holdPorts: HoldPorts = { store: stores.lanes, nodes, clock, wakeLane };
  const sessions = new Sessions({ store: stores.lanes, node, wakeLane });

  const reaching: SessionInitiationPorts = {
    findOwner: (terminal) => stores.registry.findOwner(terminal),
    pushes: new RecentPushes(stores.pushes),
    bearers: options.bearers,
    rules: options.targeting.rules,
    costs: config.targeting.bearerCosts,
    sirs: stores.sirs,
    isMulti: options.isMulti,
    async waiting({ id }, terminals) {
      const story = await stores.pushes.story(id as PushUid);
      const held = story?.deliveries.filter(({ state }) => state === 'held').map(({ terminal }) => terminal);
      return terminals.filter((terminal) => held?.includes(terminal));
    },
    refused: async (terminal, refusal) => void (await takeRefusal(terminal, refusal, settling)),
    clock,
    randomBytes,
    observe: facts.wakeUp,
  };
  const settling: GivingUpPorts = {
    store: stores.pushes,
    clock,
    alarms,
    observe: facts.delivery,
    async ways(terminal, push) {
      const request = { method: 0, entries: [laneEntryOf(push)], now: clock.now() };
      const { ways = [] } = (await reachFor(terminal, request, reaching)) ?? {};
      return ways.filter(({ bearer }) => options.bearers.has(bearer));
    },
  };
  const delivery = new PushDelivery({ ...settling, contentValidator });
  const waker = new SessionInitiation(reaching, {
    alwaysIncludeIdentity: config.push.includeIdentityForSingleTerminal,
    sirLifeMs: SIR_LIFE_MS,
    answerMs: config.wake.answerSeconds * SECOND_MS,
  });

  const lanes: Lanes = new Lanes(
    {
      store: stores.lanes,
      cargo: delivery,
      connections: {
        session: (terminal) => sessions.session(terminal),
        message: options.message,
        direct: (terminal, request) => directWay(terminal, request, reaching),
      },
      waker,
      nodes,
      clock,
      laneDue: (terminal, at) => alarms.laneDue(terminal, at),
    },
    {
      leaseMs,
      readAhead: 2 * config.push.window,
      schedule: { retryMs: config.wake.retrySeconds.map((seconds) => seconds * SECOND_MS) },
      maxRunning: MAX_RUNNING_LANES,
      onError: (terminal, error) =>
        log({ level: 'warn', message: 'lane run failed', terminal, reason: describeError(error) }),
    },
  );

  const initiators = new GuardedPost({
    timeoutMs: config.notify.timeoutMs,
    allowPrivateAddresses: config.notify.allowPrivateAddresses,
    maxPerHost: NOTIFICATIONS_PER_HOST,
  });
  const resultOptions = {
    retryMs: config.notify.retrySeconds.map((seconds) => seconds * SECOND_MS),
    maxAttempts: config.notify.maxAttempts,
    attemptLimitMs: config.notify.timeoutMs + 5 * SECOND_MS,
    senderName: config.domain,
  };
  const resultPorts = {
    store: stores.pushes,
    initiator: new HttpInitiatorEndpoint(initiators, validator),
    webhooks: new HttpWebhookEndpoint(initiators, () => clock.now()),
    alarms,
    clock,
    observe: facts.result,
  };

  const receiptPorts: ReceiptPorts = {
    ...settling,
    kick: wakeLane,
  };
  const returnPorts: SirReturnPorts = {
    sirs: stores.sirs,
    registry: stores.registry,
    lanes: stores.lanes,
    refused: reaching.refused,
    clock,
  };
  const acceptancePorts = { store: stores.pushes, alarms, clock };

  const tellResults = async (dueBefore: number) => {
    for (const { uid, recipient } of await stores.pushes.owedResults(dueBefore, SWEEP_LIMIT)) {
      await alarms.resultDue(uid, recipient, clock.now());
    }
  };
  const kick = (terminal: TerminalId) => lanes.kick(terminal);
  let isStopping = false;

  return {
    node,
    lanes,
    sessions,
    alarms,
    wakeLane,
    hold: (terminal, reason) => holdLane(terminal, reason, holdPorts),
    release: (terminal) => releaseLane(terminal, holdPorts),
    receipt: (receipt) => takeReceipt(receipt, receiptPorts),
    sirReceipt: (receipt) =>
      takeSirReceipt(receipt, { sirs: stores.sirs, lanes: stores.lanes, clock, wakeLane }),
    takeReturn: (body, sender) => takeSirReturn(body, sender, returnPorts),
    linksChanged: () => nodes.linksChanged(),
    async start() {
      await nodes.start();
      if (nodes.isAlone) {
        // What a crash left leased or under way need not wait for its limit when nobody else can be at it.
        await sweepLanes(stores.lanes, kick, { now: clock.now() + leaseMs, limit: SWEEP_LIMIT });
        await tellResults(clock.now() + resultOptions.attemptLimitMs);
      }
      await alarms.start({
        runLane: (terminal) => lanes.run(terminal),
        notifyResult: (uid, recipient) => notifyResult(uid, recipient, resultPorts, resultOptions),
        async sweep() {
          const now = clock.now();
          const unfinished = { olderThan: now - PLACEMENT_LIMIT_MS, limit: SWEEP_LIMIT };
          for (const terminal of await finishAcceptances(unfinished, acceptancePorts)) kick(terminal);
          const bounds = { limit: SWEEP_LIMIT, forMs: SWEEP_EVERY_MS, isStopping: () => isStopping };
          await sweepAll(stores.lanes, kick, { clock, ...bounds });
          await tellResults(now - PLACEMENT_LIMIT_MS);
          await stores.pushes.removeEnded(now, SWEEP_LIMIT);
          await stores.quotas.verify(now - COUNTED_LIMIT_MS, SWEEP_LIMIT);
        },
      });
    },
    async [Symbol.asyncDispose]() {
      isStopping = true;
      const impatience = clock.after((config.shutdown.deadlineSeconds * SECOND_MS) / 2, () => {
        lanes.abandon();
        initiators.close();
      });
      await lanes.stop();
      sessions.closeAll('the gateway is stopping');
      await alarms[Symbol.asyncDispose]();
      impatience.cancel();
      initiators.close();
      await nodes[Symbol.asyncDispose]();
      subscriber.disconnect();
    },
  };
}
