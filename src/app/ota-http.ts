/** OTA-HTTP put together: the bearer that calls terminals, and the listener that terminals call. */
import { rootCertificates } from 'node:tls';
import { OtaHttpBearer } from '../bearers/ota-http/ota-http-bearer.js';
import type { Listener, SirSender } from '../bearers/sir-body.js';
import type { Config } from '../config/schema.js';
import { listenForTerminals, type OtaEndpoint } from '../endpoints/ota/ota-endpoint.js';
import { SECOND_MS } from '../kernel/units.js';
import type { Log } from '../telemetry/log.js';
import { GuardedHttp } from '../transports/guarded-http/guarded-http.js';
import type { Engine } from './engine.js';
import type { Facts } from './facts.js';
import { readCas, readOtaTls } from './http-tls.js';
import { advertisedPoint, freePort } from './listening.js';
import type { Stores } from './stores.js';
import { randomBytes, systemClock } from './system-clock.js';

const PLAIN_PORT = 4035;
const TLS_PORT = 4036;

/** Where the listener will be; undefined when terminals cannot call. A port of 0 is made a free one here, because SIRs name it. */
export async function otaListener({ otaHttp }: Pick<Config, 'otaHttp'>): Promise<OtaListener | undefined> {
  if (!otaHttp.enabled) return undefined;
  const { host, advertise, tls } = otaHttp;
  const wanted = otaHttp.port ?? (tls === undefined ? PLAIN_PORT : TLS_PORT);
  const port = wanted === 0 ? await freePort(host) : wanted;
  return { port, contactPoint: advertisedPoint(advertise, host, port) };
}

export interface OtaListener {
  readonly port: number;
  /** What SIRs say of it. */
  readonly contactPoint: Listener;
}

export interface OtaBearer extends Disposable {
  readonly bearer: OtaHttpBearer;
}

/** Throws DeliveryError with a sentence for the operator when a file of the configuration is unusable. */
export function createOtaBearer(config: Config, stores: Stores, sender: SirSender): OtaBearer {
  const { allowPrivateAddresses, timeoutMs, maxPerHost, caFile } = config.bearers.otaHttp;
  const ca =
    caFile === undefined
      ? {}
      : { ca: [...rootCertificates, readCas('bearers.otaHttp.caFile', caFile).toString()] };
  const http = new GuardedHttp({
    timeoutMs,
    allowPrivateAddresses,
    setting: 'bearers.otaHttp.allowPrivateAddresses',
    maxPerHost,
    tls: { ...ca, ...readOtaTls(config) },
  });
  const bearer = new OtaHttpBearer({ http, registry: stores.registry, clock: systemClock }, sender);
  return { bearer, [Symbol.dispose]: () => http.close() };
}

/** Opens the port. Rejects as `serveHttp` does. */
export function listenForOta(
  config: Config,
  port: number,
  stores: Stores,
  engine: Engine,
  facts: Facts,
  log: Log,
): Promise<OtaEndpoint> {
  const { host, sirSuffices, terminalSecret, maxConnections, answerTimeoutMs } = config.otaHttp;
  const tls = readOtaTls(config);
  return listenForTerminals(
    {
      registry: stores.registry,
      sessions: engine.sessions,
      findSir: (id) => stores.sirs.find(id),
      now: () => systemClock.now(),
      clock: systemClock,
      randomBytes,
      log,
      observe: facts.session,
    },
    {
      host,
      port,
      ...(tls === undefined ? {} : { tls }),
      ...(terminalSecret === undefined ? {} : { secret: terminalSecret }),
      sirSuffices,
      maxConnections,
      maxWindow: config.push.window,
      answerTimeoutMs,
      idleMs: config.push.sessionIdleSeconds * SECOND_MS,
    },
  );
}
