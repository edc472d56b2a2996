/** The bearers that call services on the Internet: the call-back of an operator, and Web Push. Each is there when it is configured. */
import { HttpCallbackBearer } from '../bearers/http-callback/http-callback-bearer.js';
import type { SirSender } from '../bearers/sir-body.js';
import { WebPushBearer } from '../bearers/web-push/web-push-bearer.js';
import type { Config } from '../config/schema.js';
import { decodeWebhookSecret } from '../protocols/standard-webhooks/index.js';
import { PRIVATE_KEY_OCTETS, VapidKey } from '../protocols/web-push/index.js';
import type { Bearer } from '../push/ports.js';
import { removeActivation } from '../registry/activation-removal.js';
import type { BearerName } from '../registry/bearer-name.js';
import type { Terminal } from '../registry/user.js';
import { GuardedHttp } from '../transports/guarded-http/guarded-http.js';
import type { Facts } from './facts.js';
import type { Stores } from './stores.js';
import { randomBytes, systemClock } from './system-clock.js';

const MAX_PER_HOST = 64;

export interface WebBearers extends Disposable {
  readonly bearers: ReadonlyMap<BearerName, Bearer>;
  /** `applicationServerKey` for pages that subscribe; absent without Web Push. */
  readonly vapidPublicKey?: string;
}

export function createWebBearers(
  config: Config,
  stores: Stores,
  sender: SirSender,
  facts: Facts,
): WebBearers {
  const { httpCallback, webPush } = config;
  const clients: GuardedHttp[] = [];
  const client = (options: { timeoutMs: number; allowPrivateAddresses: boolean }, section: string) => {
    const { timeoutMs, allowPrivateAddresses } = options;
    const setting = `${section}.allowPrivateAddresses`;
    const http = new GuardedHttp({ timeoutMs, allowPrivateAddresses, setting, maxPerHost: MAX_PER_HOST });
    clients.push(http);
    return http;
  };
  const ports = (bearer: BearerName) => ({
    bindings: (user: Terminal['user']) => stores.registry.bindings(user),
    clock: systemClock,
    async addressGone({ id }: Terminal, address: string, reason: string) {
      if (await removeActivation(id, { bearer, address }, stores.registry))
        facts.activationRemoved({ terminal: id, bearer, reason });
    },
  });
  const bearers = new Map<BearerName, Bearer>();
  const keyFor = callbackKeys(httpCallback);
  if (keyFor) {
    const { address } = httpCallback;
    bearers.set(
      'http-callback',
      new HttpCallbackBearer(
        { ...ports('http-callback'), http: client(httpCallback, 'httpCallback') },
        { sender, keyFor, ...(address === undefined ? {} : { defaultAddress: address }) },
      ),
    );
  }
  const key = vapidKey(config, stores);
  const { subject } = webPush;
  if (key && subject !== undefined) {
    bearers.set(
      'web-push',
      new WebPushBearer(
        { ...ports('web-push'), http: client(webPush, 'webPush'), randomBytes },
        { sender, key, subject },
      ),
    );
  }
  return {
    bearers,
    ...(key === undefined ? {} : { vapidPublicKey: key.publicKey }),
    [Symbol.dispose]() {
      for (const http of clients) http.close();
    },
  };
}

/** The key for a URL: that of the longest address it begins with, else the general one. Undefined when there is no secret at all. */
function callbackKeys({
  secret,
  tenants,
}: Config['httpCallback']): ((url: string) => Uint8Array | undefined) | undefined {
  const general = secret === undefined ? undefined : decodeWebhookSecret(secret);
  const own = tenants
    .map((tenant) => ({ start: new URL(tenant.address).href, key: decodeWebhookSecret(tenant.secret) }))
    .sort((a, b) => b.start.length - a.start.length);
  if (general === undefined && own.length === 0) return undefined;
  return (url) => {
    const { href } = new URL(url);
    return own.find(({ start }) => isBelow(href, start))?.key ?? general;
  };
}

/** Whole segments of the path: `https://a.test/x` does not stand for `https://a.test/xy`. */
function isBelow(href: string, start: string): boolean {
  return (
    href === start ||
    (href.startsWith(start) && (start.endsWith('/') || /^[/?]/.test(href.slice(start.length))))
  );
}

/** The configured key, else the one that all nodes share. Undefined without Web Push. Throws DecodeError for octets that are no key. */
function vapidKey({ webPush }: Config, { vapidKey: kept }: Stores): VapidKey | undefined {
  if (webPush.subject === undefined) return undefined;
  const configured = webPush.privateKey;
  const octets = configured === undefined ? kept : Buffer.from(configured, 'base64url');
  return new VapidKey(octets.subarray(0, PRIVATE_KEY_OCTETS));
}
