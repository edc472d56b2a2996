/**
 * Redis clients with the options that each use needs, and what a failed command means. Every client of the gateway is made
 * here, so that time-outs, reconnecting and pipelining are decided once.
 * Does not decide which Redis is used (embedded-redis.ts) nor judge whether it may be trusted (redis-durability.ts).
 */
import { Cluster, Redis, type RedisOptions, ReplyError } from 'ioredis';
import type { RedisAddress } from '../config/redis-url.js';
import { DeliveryError, GatewayError, InvariantError } from '../kernel/errors.js';
import { type Log, noLog } from '../telemetry/log.js';

/** Redis Cluster offers the same commands as one server; code that works on a union works on both. */
export type RedisClient = Redis | Cluster;

/**
 * - `store`: the hot path. Commands of one turn of the event loop travel together (one fsync serves them all). A command
 *   under way when the connection breaks is refused at once and never sent a second time, because it may have been carried
 *   out; none waits longer than 10 s. Map what it throws with `storeError`.
 * - `subscriber`: channels; subscribes again by itself after a reconnect, waits for ever.
 * - `queue`: adding and looking up jobs; waits for Redis to come back, at most 10 s for a command.
 * - `worker`: blocking reads of the queue, so no time-out at all (and `maxRetriesPerRequest: null`, which BullMQ demands).
 */
export type RedisRole = 'store' | 'subscriber' | 'queue' | 'worker';

/** A Redis that the gateway may use: given by URL, or a private server of its own. */
export interface RedisProvision extends AsyncDisposable {
  readonly kind: 'external' | 'embedded';
  readonly address: RedisAddress;
  /** Where it is, for people; without credentials. */
  readonly description: string;
  readonly log: Log;
  /**
   * Asks Redis now. One sentence why the gateway must not call itself ready, or undefined when all is well. Never throws.
   */
  problem(): Promise<string | undefined>;
  /** Lets go of it; a private server is stopped after its data is on disk. Close the clients first. Safe to repeat. */
  close(): Promise<void>;
}

/** `replyMapping` stays unset: it decides the types of replies, and the default keeps them as in RESP2. */
type Options = Omit<RedisOptions, 'replyMapping'>;

const COMMAND_TIMEOUT_MS = 10_000;
const CONNECT_TIMEOUT_MS = 5_000;
const MAX_RECONNECT_DELAY_MS = 1_000;

/** A client for one use; it connects at once and reconnects for as long as it is open. End it with `quit()` or `disconnect()`. */
export function createRedis(
  provision: Pick<RedisProvision, 'address'> & { readonly log?: Log },
  { role }: { readonly role: RedisRole },
): RedisClient {
  const client = connect(provision.address, optionsOf(role), role);
  logConnectionLosses(client, role, provision.log ?? noLog);
  return client;
}

function optionsOf(role: RedisRole): Options {
  const options: Options = {
    connectionName: `carillon-${role}`,
    connectTimeout: CONNECT_TIMEOUT_MS,
    retryStrategy: reconnectDelay,
    // A master that became a replica (failover) refuses writes: find the new one and send the refused command there.
    reconnectOnError: (error) => (error.message.startsWith('READONLY') ? 2 : false),
  };
  switch (role) {
    case 'store':
      // Zero retries: at the moment the connection breaks every command under way fails, and none is repeated.
      return {
        ...options,
        enableAutoPipelining: true,
        maxRetriesPerRequest: 0,
        commandTimeout: COMMAND_TIMEOUT_MS,
      };
    case 'queue':
      return { ...options, maxRetriesPerRequest: null, commandTimeout: COMMAND_TIMEOUT_MS };
    case 'subscriber':
    case 'worker':
      return { ...options, maxRetriesPerRequest: null };
  }
}

/** 50 ms, doubling up to one second: a restarted Redis is found again quickly, a dead one costs little. */
function reconnectDelay(attempt: number): number {
  return Math.min(25 * 2 ** Math.min(attempt, 10), MAX_RECONNECT_DELAY_MS);
}

function connect(address: RedisAddress, options: Options, role: RedisRole): RedisClient {
  const credentials = {
    ...(address.username === undefined ? {} : { username: address.username }),
    ...(address.password === undefined ? {} : { password: address.password }),
  };
  switch (address.kind) {
    case 'socket':
      return new Redis({ ...options, ...credentials, path: address.path, db: address.db });
    case 'single': {
      const { host, port, db } = address;
      return new Redis({ ...options, ...credentials, host, port, db, ...tlsOf(address) });
    }
    case 'sentinel':
      return new Redis({
        ...options,
        ...credentials,
        sentinels: [...address.sentinels],
        name: address.master,
        db: address.db,
        sentinelRetryStrategy: reconnectDelay,
        // Tells of a failover before the old master's connection breaks.
        failoverDetector: true,
        ...tlsOf(address),
      });
    case 'cluster':
      return connectCluster(address, { ...credentials, ...tlsOf(address) }, options, role);
  }
}

function tlsOf(address: { readonly tls: boolean }): Options {
  return address.tls ? { tls: {} } : {};
}

function connectCluster(
  address: Extract<RedisAddress, { kind: 'cluster' }>,
  connection: Options,
  options: Options,
  role: RedisRole,
): Cluster {
  const { commandTimeout, enableAutoPipelining = false, connectionName, connectTimeout } = options;
  const cluster = new Cluster([...address.nodes], {
    clusterRetryStrategy: reconnectDelay,
    enableAutoPipelining,
    redisOptions: { ...connection, connectionName, connectTimeout, maxRetriesPerRequest: null },
    // Certificates name hosts: with TLS the nodes are reached by the names that the cluster announces.
    ...(address.tls ? { dnsLookup: (host, callback) => callback(null, host) } : {}),
    // As with one server: what was under way when a node's connection broke may have been carried out, so the store
    // does not repeat it. Redirections (MOVED, ASK, TRYAGAIN, CLUSTERDOWN) were not carried out and are followed.
    ...(role === 'store' ? { retryDelayOnFailover: 0, slotsRefreshInterval: 1000 } : {}),
  });
  if (commandTimeout !== undefined) limitCommands(cluster, commandTimeout);
  return cluster;
}

/** The cluster client has no time limit of its own for commands that wait for the cluster to come back: set one on each. */
function limitCommands(cluster: Cluster, timeoutMs: number): void {
  const send = cluster.sendCommand.bind(cluster);
  cluster.sendCommand = (command, ...rest) => {
    command.setTimeout(timeoutMs);
    return send(command, ...rest);
  };
}

/** One line when the connection is lost and one when it is back, however many attempts lie between. */
function logConnectionLosses(client: RedisClient, role: RedisRole, log: Log): void {
  let isLost = false;
  const lost = (reason: string) => {
    if (!isLost) log({ level: 'warn', message: 'connection to Redis lost', role, reason });
    isLost = true;
  };
  client.on('error', (error: Error) => lost(error.message));
  client.on('reconnecting', () => lost('closed by the other side'));
  client.on('ready', () => {
    if (isLost) log({ level: 'info', message: 'connection to Redis is back', role });
    isLost = false;
  });
}

/** Answers of Redis that mean "not now": loading, demoted, full, cannot write, cluster changing. */
const NOT_NOW =
  /^(?:LOADING|READONLY|OOM|MISCONF|CLUSTERDOWN|TRYAGAIN|MASTERDOWN|NOREPLICAS|BUSY|UNBLOCKED) ?/;

/**
 * What a failed command means: `busy` (the store is away or refuses for now; whether the command was carried out is
 * unknown) or a defect of ours (wrong type, broken script). Errors of the gateway's own pass unchanged.
 */
export function storeError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  const text = error instanceof Error ? error.message : String(error);
  if (error instanceof ReplyError && !NOT_NOW.test(text)) {
    return new InvariantError(`Redis refused a command: ${text}`, error);
  }
  return new DeliveryError('busy', `Redis is away: ${text}`, { cause: error });
}
