/** Everything that is kept: the stores on one Redis, and the blob directory beside it. */
import { join } from 'node:path';
import type { Config } from '../config/schema.js';
import type { Clock } from '../kernel/clock.js';
import { DAY_MS, HOUR_MS, KIB, SECOND_MS } from '../kernel/units.js';
import type { PartsLedger } from '../push/parts.js';
import type { SirStore } from '../push/sir.js';
import type { GroupDirectory } from '../registry/group.js';
import type { InitiatorDirectory } from '../registry/initiator.js';
import { withConfigured } from '../registry/initiator-configured.js';
import type { Registry } from '../registry/ports.js';
import type { SourceMemory } from '../registry/terminal-source.js';
import { BlobDirectory } from '../stores/blob-directory.js';
import * as keys from '../stores/keys.js';
import { createRedis, type RedisClient, type RedisProvision } from '../stores/redis-connection.js';
import { RedisGroupDirectory } from '../stores/redis-groups.js';
import { RedisIncomingParts } from '../stores/redis-incoming-parts.js';
import { RedisInitiatorQuotas } from '../stores/redis-initiator-quotas.js';
import { RedisInitiatorDirectory } from '../stores/redis-initiators.js';
import { RedisLaneStore } from '../stores/redis-lane-store.js';
import { RedisLinkOrders } from '../stores/redis-link-orders.js';
import { RedisPartsLedger } from '../stores/redis-parts-ledger.js';
import { RedisPushStore } from '../stores/redis-push-store.js';
import { RedisRegistry } from '../stores/redis-registry.js';
import { RedisSirs } from '../stores/redis-sirs.js';
import { RedisSourceMemory } from '../stores/redis-source-memory.js';
import { withStoreErrors } from '../stores/store-errors.js';
import { randomBytes } from './system-clock.js';

export interface Stores extends AsyncDisposable {
  /** The client behind the stores, for what is not a store (nodes). */
  readonly client: RedisClient;
  readonly registry: Registry;
  readonly sourceMemory: SourceMemory;
  readonly groups: GroupDirectory;
  readonly initiators: InitiatorDirectory;
  readonly quotas: RedisInitiatorQuotas;
  readonly pushes: RedisPushStore;
  readonly lanes: RedisLaneStore;
  readonly sirs: SirStore;
  /** What operators have told links to message centres. */
  readonly linkOrders: RedisLinkOrders;
  /** What networks have of pushes in several parts, and under which names. */
  readonly parts: PartsLedger;
  /** Messages of subscribers of which not every part is there yet. */
  readonly incomingParts: RedisIncomingParts;
  /** Signs the nonces of digest challenges, the same on every node. */
  readonly nonceKey: Uint8Array;
  /** Browsers subscribe under its public part, the same on every node and for as long as this Redis lasts. */
  readonly vapidKey: Uint8Array;
}

const INLINE_CONTENT_BYTES = 64 * KIB;
/** Two SIRs to one terminal are at least this far apart, whatever it does (SIR-168). */
const LEAST_SIR_INTERVAL_MS = 2 * SECOND_MS;
/** How long a SIR is known after it has expired. */
const SIR_KEPT_MS = DAY_MS;
/** How long the parts of a push, and their names, are known after its deadline. */
const PARTS_KEPT_MS = DAY_MS;
/** Parts of a message of a subscriber may be so far apart, and of one subscriber so many messages incomplete. */
const INCOMING = { lifeMs: HOUR_MS, maxIncomplete: 16 } as const;
/** A blob that no push vouches for by then was left by a crash. */
const BLOB_ORPHAN_AGE_MS = HOUR_MS;

export async function openStores(provision: RedisProvision, config: Config, clock: Clock): Promise<Stores> {
  const client = createRedis(provision, { role: 'store' });
  const now = () => clock.now();
  const blobs = new BlobDirectory(join(config.dataDir, 'blobs'));
  const quotas = withStoreErrors(new RedisInitiatorQuotas(client, { now }));
  const initiators = withConfigured(
    withStoreErrors(new RedisInitiatorDirectory(client)),
    config.pushInitiators,
    randomBytes,
  );
  const pushes = withStoreErrors(
    new RedisPushStore(client, blobs, {
      now,
      inlineBytes: INLINE_CONTENT_BYTES,
      retentionMs: config.push.retentionSeconds * SECOND_MS,
      isCluster: client.isCluster,
      uncount: (push) => quotas.release(push).catch(() => {}), // the sweeper finds what stays counted
    }),
  );
  const nonceKey = await sharedSecret(client, keys.nonceKey);
  const vapidKey = await sharedSecret(client, keys.vapidKey);
  await pushes.removeOrphanContent(now() - BLOB_ORPHAN_AGE_MS);
  return {
    client,
    registry: withStoreErrors(new RedisRegistry(client, { now })),
    sourceMemory: withStoreErrors(new RedisSourceMemory(client)),
    groups: withStoreErrors(new RedisGroupDirectory(client)),
    initiators,
    quotas,
    pushes,
    lanes: withStoreErrors(new RedisLaneStore(client, { now, leastSirIntervalMs: LEAST_SIR_INTERVAL_MS })),
    parts: withStoreErrors(new RedisPartsLedger(client, { now, keptMs: PARTS_KEPT_MS })),
    incomingParts: withStoreErrors(new RedisIncomingParts(client, { now, ...INCOMING })),
    sirs: withStoreErrors(new RedisSirs(client, { now, keptMs: SIR_KEPT_MS })),
    linkOrders: withStoreErrors(new RedisLinkOrders(client)),
    nonceKey,
    vapidKey,
    async [Symbol.asyncDispose]() {
      client.disconnect();
    },
  };
}

/** A secret that all nodes share: made by the first one that needs it. */
async function sharedSecret(client: RedisClient, key: string): Promise<Uint8Array> {
  await client.setnx(key, Buffer.from(randomBytes(32)).toString('base64'));
  return Buffer.from((await client.get(key)) ?? '', 'base64');
}
