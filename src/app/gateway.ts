/**
 * The gateway put together: what it keeps, the engine that delivers, and the doors that others knock on. Wiring only; every
 * decision is elsewhere. It starts from the inside out and stops from the outside in: take nothing more in, finish what is
 * under way, close the stores.
 */

import { adminApplication } from '../endpoints/admin/admin-routes.js';
import { publicApplication, serveHttp } from '../endpoints/http/http-server.js';
import { loadPapValidator } from '../endpoints/pap/pap-dtds.js';
import { papRoutes } from '../endpoints/pap/pap-routes.js';
import { pushApi } from '../endpoints/push-api/push-api.js';
import { returnsApi } from '../endpoints/returns/returns-api.js';
import { describeError } from '../kernel/errors.js';
import { SECOND_MS } from '../kernel/units.js';
import { type ExplanationPorts, explain } from '../push/explanation.js';
import { countOf, type TargetingOptions } from '../push/target-resolution.js';
import { createInitiatorAuthenticator } from '../registry/initiator-authenticator.js';
import type { PublicUserIdentity } from '../registry/public-user-identity.js';
import { targetingRules } from '../registry/targeting-rule.js';
import type { TerminalId } from '../registry/terminal-id.js';
import type { User } from '../registry/user.js';
import { openRedis } from '../stores/embedded-redis.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { adminPorts } from './admin-ports.js';
import type { GatewayConfig } from './admin-token.js';
import { openBearers } from './bearers.js';
import { loadContentValidator } from './content-validator.js';
import { createEngine } from './engine.js';
import { factsTo } from './facts.js';
import { readHttpTls } from './http-tls.js';
import type { HostAndPort } from './listening.js';
import { Opened } from './opened.js';
import { listenForOta } from './ota-http.js';
import { papApplication } from './pap-application.js';
import { pushApiPorts } from './push-api-ports.js';
import { answerTerminals } from './sip.js';
import { openStores } from './stores.js';
import { randomBytes, systemClock } from './system-clock.js';

export interface Gateway {
  /** Addresses really bound (port 0 resolved). */
  readonly addresses: {
    readonly http: HostAndPort;
    readonly admin: HostAndPort;
    readonly sip: HostAndPort;
    readonly sips?: HostAndPort;
    readonly msrp: HostAndPort;
    readonly msrps?: HostAndPort;
    /** Where terminals call by OTA-HTTP, when they can. */
    readonly ota?: HostAndPort;
    /** Where terminals open WSP sessions, when they can. */
    readonly wsp?: HostAndPort;
  };
  /** Where the truth is held, for people. */
  readonly redis: string;
  /** Why the gateway is not ready for messages now; undefined when it is. Never throws. */
  problem(): Promise<string | undefined>;
  /** Stops taking in, finishes what is under way, closes the stores. */
  close(): Promise<void>;
}

/** Starts the gateway; resolves when it takes requests. Rejects when something it needs is not there, with nothing left open. */
export async function startGateway(config: GatewayConfig, telemetry: Telemetry): Promise<Gateway> {
  const opened = new Opened();
  try {
    return await open(config, telemetry, opened);
  } catch (error) {
    await opened[Symbol.asyncDispose]().catch(() => {});
    throw error;
  }
}

async function open(config: GatewayConfig, telemetry: Telemetry, opened: Opened): Promise<Gateway> {
  const { log, events } = telemetry;
  const facts = factsTo(events);
  const tls = readHttpTls(config);
  const rules = targetingRules(config.targeting.rules, 'targeting.rules');
  const redis = await openRedis(config, log);
  opened.defer(() => redis.close());
  const stores = opened.use(await openStores(redis, config, systemClock));
  const validator = opened.use(loadPapValidator());
  const contentValidator = opened.use(loadContentValidator());
  const node = Buffer.from(randomBytes(9)).toString('base64url');
  const { byName, signalling, ota, wsp, wspPlace, web, smpp, delegates } = await openBearers(
    config,
    stores,
    telemetry,
    facts,
    validator,
    node,
    opened,
  );
  const { sources } = signalling;
  const { countTerminals } = config.targeting;
  const targeting: TargetingOptions = {
    rules,
    defaultTarget: config.push.defaultPolicy,
    countTerminals,
    gateway: signalling.sender.ppgUri,
  };
  const isMulti = async (user: User) =>
    (countTerminals === 'provisioned'
      ? user.terminals.length
      : countOf(await sources.states(user), targeting)) > 1;
  const engine = opened.use(
    createEngine({
      config,
      provision: redis,
      stores,
      facts,
      log,
      validator,
      contentValidator,
      node,
      bearers: byName,
      targeting,
      isMulti,
      message: (terminal, connections) => signalling.bearer.message(terminal, connections),
      onLinks: smpp.look,
    }),
  );
  smpp.start(engine);
  answerTerminals(signalling, engine, config, stores, telemetry, facts, web.vapidPublicKey);

  const submission = {
    findUser: (identity: string) => stores.registry.findUser(identity),
    terminalStates: (user: User) => sources.states(user),
    asksOutside: sources.asksOutside,
    bindings: (user: PublicUserIdentity) => stores.registry.bindings(user),
    groups: stores.groups,
    domain: config.domain,
    targeting,
    store: stores.pushes,
    quotas: stores.quotas,
    lanes: stores.lanes,
    bearers: new Set(byName.keys()),
    alarms: engine.alarms,
    kick: (terminal: TerminalId) => engine.lanes.kick(terminal),
    clock: systemClock,
    randomBytes,
  };
  const submissionOptions = {
    maxAgeMs: config.push.maxAgeSeconds * SECOND_MS,
    maxAddresses: config.push.maxAddresses,
    maxContentBytes: config.push.maxContentBytes,
  };
  const authenticate = createInitiatorAuthenticator(stores.initiators, {
    now: () => systemClock.now(),
    random: randomBytes,
  });
  const pap = papRoutes({
    application: papApplication(submission, submissionOptions),
    authenticate,
    validator,
    clock: systemClock,
    log: facts.pap,
    limits: {
      maxBytes: config.push.maxControlBytes,
      maxAddresses: config.push.maxAddresses,
      maxContentBytes: config.push.maxContentBytes,
    },
  });
  const json = pushApi(pushApiPorts(submission, submissionOptions, authenticate, facts, log), {
    maxAddresses: config.push.maxAddresses,
    maxContentBytes: config.push.maxContentBytes,
    maxControlBytes: config.push.maxControlBytes,
  });
  await engine.start();
  const onError = (error: unknown) =>
    log({ level: 'error', message: 'request failed', reason: describeError(error) });
  const stopping = new AbortController();
  const explanation: ExplanationPorts = {
    ...submission,
    bearers: byName,
    rules,
    costs: config.targeting.bearerCosts,
    isMulti,
    now: () => systemClock.now(),
  };
  const reach = { alwaysIncludeIdentity: config.push.includeIdentityForSingleTerminal };
  const ports = adminPorts(
    config,
    stores,
    engine,
    sources,
    telemetry,
    facts,
    redis,
    stopping.signal,
    (...asked) => explain(...asked, explanation, reach),
    smpp.links,
    web.vapidPublicKey,
  );
  const admin = opened.use(await serveHttp({ ...config.admin, application: adminApplication(ports), log }));
  opened.defer(() => stopping.abort());
  const { host, port } = config.http;
  const results = delegates?.results({ receipt: engine.receipt, validator, clock: systemClock, log });
  const returns = returnsApi({ take: engine.takeReturn, log });
  const application = publicApplication([pap, json, returns, ...(results ? [results] : [])], onError);
  const http = opened.use(
    await serveHttp({
      host,
      port,
      application,
      log,
      webSockets: config.sip.transports.includes('ws')
        ? { '/sip': (...upgrade) => signalling.stack.acceptWebSocket(...upgrade) }
        : {},
      ...(tls === undefined ? {} : { tls }),
    }),
  );
  const terminals = ota && (await listenForOta(config, ota.port, stores, engine, facts, log));
  if (terminals) opened.use(terminals);
  const wspSessions = wspPlace && wsp.listen(wspPlace, stores, engine, facts);
  if (wspSessions) opened.defer(() => wspSessions.stop());

  return {
    addresses: {
      http: http.address,
      admin: admin.address,
      sip: signalling.sip,
      ...(signalling.sips === undefined ? {} : { sips: signalling.sips }),
      msrp: signalling.msrpAddress,
      ...(signalling.msrps === undefined ? {} : { msrps: signalling.msrps }),
      ...(terminals === undefined ? {} : { ota: terminals.address }),
      ...(wspSessions === undefined ? {} : { wsp: wspSessions.address }),
    },
    redis: redis.description,
    problem: () => redis.problem(),
    close: () => opened[Symbol.asyncDispose](),
  };
}
