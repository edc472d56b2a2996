/** The gateway as the admin endpoint sees it, and what is counted when the metrics are read. */
import type { AdminPorts } from '../endpoints/admin/ports.js';
import { SECOND_MS } from '../kernel/units.js';
import { abandonLane } from '../push/abandonment.js';
import { cancel } from '../push/cancellation.js';
import type { RedisProvision } from '../stores/redis-connection.js';
import { RecentEvents } from '../telemetry/recent-events.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import type { GatewayConfig } from './admin-token.js';
import type { Engine } from './engine.js';
import type { Facts } from './facts.js';
import type { Sources } from './sources.js';
import type { Stores } from './stores.js';
import { randomBytes, systemClock } from './system-clock.js';
import { VERSION } from './version.js';

/** The description stands beside `src/` and beside `dist/`. */
const OPENAPI_FILE = new URL('../../openapi.yaml', import.meta.url);

/** For readers of the live events who lose their connection for a moment. */
const EVENTS_KEPT = 2000;

export function adminPorts(
  config: GatewayConfig,
  stores: Stores,
  engine: Engine,
  sources: Pick<Sources, 'size'>,
  telemetry: Telemetry,
  facts: Facts,
  redis: RedisProvision,
  stopping: AbortSignal,
  explain: AdminPorts['explain'],
  links: AdminPorts['links'],
  vapidPublicKey?: string,
): AdminPorts {
  const { log, metrics } = telemetry;
  const startedAt = systemClock.now();
  const events = new RecentEvents(telemetry.events, {
    now: () => systemClock.now(),
    process: engine.node,
    size: EVENTS_KEPT,
  });
  const ports = { store: stores.pushes, lanes: stores.lanes, alarms: engine.alarms, clock: systemClock };
  const totals = () => stores.lanes.totals();
  const pushTotals = () => stores.pushes.totals();
  const secondsSince = (at: number | undefined) =>
    at === undefined ? 0 : Math.max(0, systemClock.now() - at) / SECOND_MS;
  metrics.watch({
    heldDeliveries: async () => (await pushTotals()).held,
    oldestHeldSeconds: async () => secondsSince((await pushTotals()).oldestAt),
    waitingLanes: async () => (await totals()).lanes,
    overdueSeconds: async () => secondsSince((await totals()).oldestDueAt),
    connectedTerminals: () => engine.sessions.size,
    subscriptions: () => sources.size,
    redisReady: async () => ((await redis.problem()) === undefined ? 1 : 0),
  });
  return {
    token: config.admin.token,
    ...(config.admin.viewerToken === undefined ? {} : { viewerToken: config.admin.viewerToken }),
    realm: config.domain,
    registry: stores.registry,
    groups: stores.groups,
    initiators: stores.initiators,
    quotas: stores.quotas,
    pushes: stores.pushes,
    lanes: stores.lanes,
    explain,
    links,
    cancel: (uid, reason) => cancel(uid, { addresses: [], reason }, ports),
    kick(terminal) {
      stores.lanes.connected(terminal, {}).then(
        () => engine.lanes.kick(terminal),
        () => engine.lanes.kick(terminal),
      );
    },
    async abandonLane(terminal, reason) {
      engine.sessions.session(terminal)?.close(reason);
      await abandonLane(terminal, reason, ports);
    },
    holdLane: (terminal, reason) => engine.hold(terminal, reason),
    releaseLane: (terminal) => engine.release(terminal),
    async status() {
      const { lanes } = await totals();
      return {
        version: VERSION,
        node: engine.node,
        startedAt,
        counts: {
          lanesWaiting: lanes,
          lanesRunning: engine.lanes.running,
          pushSessions: engine.sessions.size,
        },
        ...(vapidPublicKey === undefined ? {} : { webPush: { publicKey: vapidPublicKey } }),
      };
    },
    metrics: async () => ({
      contentType: metrics.registry.contentType,
      text: await metrics.registry.metrics(),
    }),
    problem: () => redis.problem(),
    openapiFile: OPENAPI_FILE,
    random: randomBytes,
    now: () => systemClock.now(),
    log,
    audit: facts.adminChange,
    events,
    stopping,
  };
}
