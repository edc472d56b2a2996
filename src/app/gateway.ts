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
import type { Bearer } from '../push/ports.js';
import { countOf, type TargetingOptions } from '../push/target-resolution.js';
import { createInitiatorAuthenticator } from '../registry/initiator-authenticator.js';
import { targetingRules } from '../registry/targeting-rule.js';
import type { BearerName, PublicUserIdentity, TerminalId, User } from '../registry/user.js';
import { openRedis } from '../stores/embedded-redis.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { adminPorts } from './admin-ports.js';
import type { GatewayConfig } from './admin-token.js';
import { loadContentValidator } from './content-validator.js';
import { openDelegates } from './delegates.js';
import { createEngine } from './engine.js';
import { factsTo } from './facts.js';
import { readHttpTls } from './http-tls.js';
import type { HostAndPort } from './listening.js';
import { Opened } from './opened.js';
import { createOtaBearer, listenForOta, otaListener } from './ota-http.js';
import { papApplication } from './pap-application.js';
import { pushApiPorts } from './push-api-ports.js';
import { answerTerminals, openSignalling } from './sip.js';
import { openSmpp } from './smpp.js';
import { openStores } from './stores.js';
import { randomBytes, systemClock } from './system-clock.js';
import { createWebBearers } from './web-bearers.js';
import { openWsp, wspListener } from './wsp.js';

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
  const dispose = (part: AsyncDisposable) => part[Symbol.asyncDispose]();
  const node = randomBytes(9);
  const tls = readHttpTls(config);
  const rules = targetingRules(config.targeting.rules, 'targeting.rules');
  const redis = opened.add('redis', await openRedis(config, log), (part) => part.close());
  const stores = opened.add('stores', await openStores(redis, config, systemClock), dispose);
  const validator = opened.add('validator', loadPapValidator(), (part) => part[Symbol.dispose]());
  const contentValidator = opened.add('content validator', loadContentValidator(), (part) =>
    part[Symbol.dispose](),
  );
  const bearers = new Map<BearerName, Bearer>();
  const nodeName = Buffer.from(node).toString('base64url');
  const ota = await otaListener(config);
  const wspPlace = await wspListener(config, log);
  if (wspPlace) opened.add('wsp port', wspPlace, dispose);
  const signalling = opened.add(
    'sip',
    await openSignalling(config, stores, telemetry, nodeName, ota?.contactPoint, wspPlace?.contactPoint),
    dispose,
  );
  bearers.set('sip', signalling.bearer);
  const otaBearer = opened.add('ota-http', createOtaBearer(config, stores, signalling.sender), (part) =>
    part[Symbol.dispose](),
  );
  bearers.set('ota-http', otaBearer.bearer);
  const wsp = opened.add('wsp', await openWsp(config, signalling.sender, log), dispose);
  if (wsp.bearer) bearers.set('wsp', wsp.bearer);
  const web = opened.add('web bearers', createWebBearers(config, stores, signalling.sender, facts), (part) =>
    part[Symbol.dispose](),
  );
  for (const [name, bearer] of web.bearers) bearers.set(name, bearer);
  const smpp = opened.add(
    'smpp',
    await openSmpp(config, stores, signalling.sender, telemetry, facts),
    dispose,
  );
  for (const [name, bearer] of smpp.bearers) bearers.set(name, bearer);
  const delegates = openDelegates(config, stores, validator);
  if (delegates) {
    opened.add('delegates', delegates, (part) => part[Symbol.dispose]());
    bearers.set('delegate', delegates.bearer);
  }
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
  const engine = opened.add(
    'engine',
    createEngine({
      config,
      provision: redis,
      stores,
      facts,
      log,
      validator,
      contentValidator,
      node: nodeName,
      bearers,
      targeting,
      isMulti,
      message: (terminal, connections) => signalling.bearer.message(terminal, connections),
      onLinks: smpp.look,
    }),
    dispose,
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
    bearers: new Set(bearers.keys()),
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
    bearers,
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
  const admin = await serveHttp({ ...config.admin, application: adminApplication(ports), log });
  opened.add('admin', admin, dispose);
  opened.add('event readers', stopping, () => stopping.abort());
  const { host, port } = config.http;
  const results = delegates?.results({ receipt: engine.receipt, validator, clock: systemClock, log });
  const returns = returnsApi({ take: engine.takeReturn, log });
  const application = publicApplication([pap, json, returns, ...(results ? [results] : [])], onError);
  const http = await serveHttp({
    host,
    port,
    application,
    log,
    webSockets: config.sip.transports.includes('ws')
      ? { '/sip': (...upgrade) => signalling.stack.acceptWebSocket(...upgrade) }
      : {},
    ...(tls === undefined ? {} : { tls }),
  });
  opened.add('http', http, dispose);
  const terminals = ota && (await listenForOta(config, ota.port, stores, engine, facts, log));
  if (terminals) opened.add('ota', terminals, dispose);
  const wspSessions = wspPlace && wsp.listen(wspPlace, stores, engine, facts);
  if (wspSessions) opened.add('wsp sessions', wspSessions, (part) => part.stop());

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
