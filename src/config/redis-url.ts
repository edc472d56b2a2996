/**
 * The forms of `redis.url`, read into an address that the store connects to:
 *   redis://[user:password@]host[:6379][/db]            one server, `rediss://` with TLS, `unix:///path` a socket
 *   redis+sentinel://[user:password@]h:26379,h…/name[/db]  the master that the sentinels name (`rediss+sentinel` TLS to it)
 *   redis+cluster://[user:password@]h:6379,h…              the seed nodes of a cluster (`rediss+cluster` with TLS)
 * Pure text to value: connecting, and what a connection may do, is the store's.
 */

export interface RedisCredentials {
  readonly username?: string;
  readonly password?: string;
}

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

export type RedisAddress =
  | ({ readonly kind: 'single'; readonly tls: boolean; readonly db: number } & HostAndPort & RedisCredentials)
  | ({ readonly kind: 'socket'; readonly path: string; readonly db: number } & RedisCredentials)
  | ({
      readonly kind: 'sentinel';
      readonly tls: boolean;
      readonly master: string;
      readonly db: number;
      readonly sentinels: readonly HostAndPort[];
    } & RedisCredentials)
  | ({
      readonly kind: 'cluster';
      readonly tls: boolean;
      readonly nodes: readonly HostAndPort[];
    } & RedisCredentials);

/** What `redis.url` takes, for the sentence that refuses anything else. */
export const REDIS_URL_FORMS =
  'redis://host:port/db, rediss://…, unix:///path, redis+sentinel://host:port,host:port/master or redis+cluster://host:port,host:port';

const URL_SHAPE = /^([a-z+]+):\/\/(?:([^@/]*)@)?([^/?#]*)(\/[^?#]*)?$/;

/** Reads a Redis URL; undefined when it has none of the forms above. */
export function parseRedisUrl(url: string): RedisAddress | undefined {
  const match = URL_SHAPE.exec(url);
  if (match === null) return undefined;
  const [, scheme = '', userInfo, authority = '', path = ''] = match;
  const credentials = parseCredentials(userInfo);
  if (credentials === undefined) return undefined;
  if (scheme === 'unix') {
    return authority === '' && path.length > 1 ? { kind: 'socket', path, db: 0, ...credentials } : undefined;
  }
  const tls = scheme.startsWith('rediss');
  switch (scheme.replace(/^rediss?/, '')) {
    case '':
      return parseSingle(authority, path, tls, credentials);
    case '+sentinel':
      return parseSentinel(authority, path, tls, credentials);
    case '+cluster': {
      const nodes = parseHosts(authority, 6379);
      if (nodes === undefined || path.length > 1) return undefined;
      return { kind: 'cluster', tls, nodes, ...credentials };
    }
    default:
      return undefined;
  }
}

/** The address for people: where it points, without credentials. */
export function describeRedisAddress(address: RedisAddress): string {
  const hosts = (list: readonly HostAndPort[]) =>
    list.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(',');
  switch (address.kind) {
    case 'single':
      return `${address.tls ? 'rediss' : 'redis'}://${hosts([address])}/${address.db}`;
    case 'socket':
      return `unix://${address.path}`;
    case 'sentinel':
      return `${address.tls ? 'rediss' : 'redis'}+sentinel://${hosts(address.sentinels)}/${address.master}`;
    case 'cluster':
      return `${address.tls ? 'rediss' : 'redis'}+cluster://${hosts(address.nodes)}`;
  }
}

function parseSingle(
  authority: string,
  path: string,
  tls: boolean,
  credentials: RedisCredentials,
): RedisAddress | undefined {
  const hosts = parseHosts(authority, 6379);
  const db = parseDatabase(path.slice(1));
  const [only, ...others] = hosts ?? [];
  if (only === undefined || others.length > 0 || db === undefined) return undefined;
  return { kind: 'single', tls, db, ...only, ...credentials };
}

function parseSentinel(
  authority: string,
  path: string,
  tls: boolean,
  credentials: RedisCredentials,
): RedisAddress | undefined {
  const sentinels = parseHosts(authority, 26379);
  const [master = '', database = '', ...rest] = path.slice(1).split('/');
  const db = parseDatabase(database);
  if (sentinels === undefined || master === '' || db === undefined || rest.length > 0) return undefined;
  return { kind: 'sentinel', tls, master, db, sentinels, ...credentials };
}

/** `user:password`, `:password` or `user`, percent-escapes undone. Undefined when an escape is broken. */
function parseCredentials(userInfo: string | undefined): RedisCredentials | undefined {
  if (userInfo === undefined || userInfo === '') return {};
  const colon = userInfo.indexOf(':');
  try {
    const username = decodeURIComponent(colon < 0 ? userInfo : userInfo.slice(0, colon));
    const password = colon < 0 ? '' : decodeURIComponent(userInfo.slice(colon + 1));
    return { ...(username === '' ? {} : { username }), ...(password === '' ? {} : { password }) };
  } catch {
    return undefined;
  }
}

function parseHosts(list: string, defaultPort: number): HostAndPort[] | undefined {
  const hosts: HostAndPort[] = [];
  for (const item of list.split(',')) {
    const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]+))(?::(\d{1,5}))?$/.exec(item);
    if (match === null) return undefined;
    const port = match[3] === undefined ? defaultPort : Number(match[3]);
    if (port < 1 || port > 65_535) return undefined;
    hosts.push({ host: match[1] ?? match[2] ?? '', port });
  }
  return hosts;
}

function parseDatabase(text: string): number | undefined {
  if (text === '') return 0;
  return /^\d{1,5}$/.test(text) ? Number(text) : undefined;
}
