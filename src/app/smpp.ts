/**
 * Short messages put together: the links to SMSCs, the bearers that use them, and what comes over them. Links connect when there is somebody
 * who takes what they bring, and not before it is known what operators have told them.
 */
import { createHmac } from 'node:crypto';
import type { SirSender } from '../bearers/sir-body.js';
import { SmsBearer } from '../bearers/sms/sms-bearer.js';
import type { SmsLink, SmsSender } from '../bearers/sms/sms-link.js';
import { UssdBearer } from '../bearers/ussd/ussd-bearer.js';
import type { Config } from '../config/schema.js';
import type { LinkDirectory } from '../endpoints/admin/ports.js';
import { takeDelivered } from '../endpoints/sms/delivered-messages.js';
import type { ReceivingLink } from '../endpoints/sms/ports.js';
import { describeError } from '../kernel/errors.js';
import { SECOND_MS } from '../kernel/units.js';
import { NUMBERING_PLAN, STATUS, TYPE_OF_NUMBER } from '../protocols/smpp/index.js';
import type { Bearer } from '../push/ports.js';
import type { BearerName } from '../registry/bearer-name.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import type { LinkFact, SmppLinkPorts } from '../transports/smpp/link-options.js';
import type { Delivered } from '../transports/smpp/smpp-connection.js';
import { SmppLink } from '../transports/smpp/smpp-link.js';
import type { Engine } from './engine.js';
import type { Facts } from './facts.js';
import { readLinkTls } from './http-tls.js';
import type { Stores } from './stores.js';
import { systemClock } from './system-clock.js';

type LinkConfig = Config['smpp'][number];

export interface Smpp extends AsyncDisposable {
  readonly bearers: ReadonlyMap<BearerName, Bearer>;
  readonly links: LinkDirectory;
  /** From now on the links are kept up, and what they bring goes to the engine. */
  start(engine: SmppEngine): void;
  /** Operators may have told links something, here or on another node. Never throws. */
  readonly look: () => void;
}

type SmppEngine = Pick<Engine, 'receipt' | 'sirReceipt' | 'takeReturn' | 'linksChanged'>;

const CONNECT_TIMEOUT_MS = 10 * SECOND_MS;
/** Lanes that wait for links hold up others: all links together let no more than this wait. */
const MAX_WAITING = 128;
const USSD_SERVICE = 'USSD';

export async function openSmpp(
  config: Config,
  stores: Stores,
  sender: SirSender,
  telemetry: Telemetry,
  facts: Facts,
): Promise<Smpp> {
  const { log, metrics } = telemetry;
  const digest = (number: string) =>
    createHmac('sha256', stores.nonceKey).update(number.replace(/^\+/, '')).digest('base64url').slice(0, 22);
  let engine: SmppEngine | undefined;

  const observe = (fact: LinkFact) => {
    if (fact.kind !== 'submitted') return facts.link(fact);
    metrics.segments.inc({ link: fact.link, result: fact.result });
    metrics.segmentSeconds.observe({ link: fact.link }, fact.latencyMs / SECOND_MS);
  };
  const delivered = async (message: Delivered, name: string) => {
    const link = config.smpp.find((one) => one.name === name);
    if (!engine || !link) return STATUS.temporary;
    return takeDelivered(message, receivingLink(link), {
      ledger: stores.parts,
      assembly: stores.incomingParts,
      receipt: engine.receipt,
      sirReceipt: engine.sirReceipt,
      take: engine.takeReturn,
      observe: (fact) => facts.smsReceived(fact, digest),
      now: () => systemClock.now(),
      log,
    });
  };

  const ports = { clock: systemClock, delivered, observe };
  const maxQueued = Math.max(1, Math.floor(MAX_WAITING / Math.max(1, config.smpp.length)));
  const links = config.smpp.map((link) => ({ config: link, link: createLink(link, maxQueued, ports) }));
  metrics.watchLinks(() => links.map(({ link }) => link.view()));
  const carrying = (bearer: 'sms' | 'ussd', serviceType?: string) =>
    links
      .filter((one) => one.config.bind !== 'receiver' && one.config.carries.includes(bearer))
      .map((one) => smsLink(one.config, one.link, serviceType));

  const bearers = new Map<BearerName, Bearer>();
  const [sms, ussd] = [carrying('sms'), carrying('ussd', USSD_SERVICE)];
  const bearerPorts = {
    clock: systemClock,
    ledger: stores.parts,
    observe: (attempt: Parameters<Facts['smsAttempt']>[0]) => facts.smsAttempt(attempt, digest),
  };
  const smsBearer = new SmsBearer(
    {
      ...bearerPorts,
      links: sms,
    },
    { sender, ...config.bearers.sms },
  );
  if (sms.length > 0) bearers.set('sms', smsBearer);
  if (ussd.length > 0) bearers.set('ussd', new UssdBearer({ ...bearerPorts, links: ussd }, sender));

  const obey = async () => {
    if (links.length === 0) return;
    const orders = await stores.linkOrders.all();
    for (const { link } of links) link.obey(orders.get(link.name));
  };
  await obey();
  const complain = (what: string) => (error: unknown) =>
    log({ level: 'warn', message: 'orders of operators for links', what, reason: describeError(error) });

  return {
    bearers,
    links: {
      list: () => links.map(({ link }) => link.view()),
      async order(name, mode, reason) {
        const before = links.find(({ link }) => link.name === name)?.link.view();
        const since = before?.mode === mode ? before.hold?.since : undefined;
        await stores.linkOrders.give(
          name,
          mode === 'running'
            ? undefined
            : { mode, since: since ?? systemClock.now(), ...(reason === undefined ? {} : { reason }) },
        );
        await obey();
        await engine?.linksChanged().catch(complain('not told to the other nodes, which look soon'));
      },
    },
    look: () => void obey().catch(complain('not read')),
    start(running) {
      engine = running;
      for (const { link } of links) link.start();
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(links.map(({ link }) => link[Symbol.asyncDispose]()));
    },
  };
}

function createLink(config: LinkConfig, maxQueued: number, ports: SmppLinkPorts): SmppLink {
  const { tls, segmentsPerSecond, reconnectSeconds, throttleSeconds, enquireLinkSeconds, ...link } = config;
  const certificates = readLinkTls(config);
  return new SmppLink(
    {
      ...link,
      maxQueued: Math.min(config.maxQueued, maxQueued),
      ...(certificates === undefined ? {} : { tls: certificates }),
      ...(segmentsPerSecond === undefined ? {} : { segmentsPerSecond }),
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      enquireLinkMs: enquireLinkSeconds * SECOND_MS,
      reconnectMs: reconnectSeconds.map((seconds) => seconds * SECOND_MS),
      throttleMs: throttleSeconds.map((seconds) => seconds * SECOND_MS),
    },
    ports,
  );
}

function smsLink(config: LinkConfig, link: SmppLink, serviceType = config.serviceType): SmsLink {
  const { name, prefixes, operators, weight, receipts } = config;
  const { centre, receiptIds } = receivingLink(config);
  return {
    name,
    prefixes,
    operators,
    weight,
    serviceType,
    centre,
    receiptIds,
    sender: senderOf(config.sender),
    hasReceipts: receipts,
    get isUsable() {
      return link.isUsable;
    },
    submit: (submission) => link.submit(submission),
  };
}

function receivingLink({
  name,
  host,
  centre = host,
  receiptIds,
  defaultAlphabet,
}: LinkConfig): ReceivingLink {
  return { name, centre, receiptIds, defaultAlphabet };
}

/** By how it is written: a number, a short code of the operator's own, or a name. */
function senderOf(address: string): SmsSender {
  if (/^\+[0-9]+$/.test(address)) {
    return { address: address.slice(1), ton: TYPE_OF_NUMBER.international, npi: NUMBERING_PLAN.isdn };
  }
  if (/^[0-9]+$/.test(address)) {
    return { address, ton: TYPE_OF_NUMBER.networkSpecific, npi: NUMBERING_PLAN.unknown };
  }
  return { address, ton: TYPE_OF_NUMBER.alphanumeric, npi: NUMBERING_PLAN.unknown };
}
