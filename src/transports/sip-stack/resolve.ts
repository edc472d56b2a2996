/**
 * From a URI to the transport addresses to try, in order (RFC 3263 §4): `maddr`, `transport`, ports and IP literals
 * first, then NAPTR (also RFC 7118 §8), SRV per transport, A and AAAA. Addresses also come from /etc/hosts. Answers are kept for
 * a short while, since node gives no lifetime of these records. Over TLS the peer has to prove the host of the URI, whatever name
 * the records lead to (RFC 5922 §7.3).
 */
import { lookup, Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { DeliveryError } from '../../kernel/errors.js';
import { bareHost, parameter, type SipUri } from '../../protocols/sip/index.js';
import type { NameService, NaptrRecord, SrvRecord } from './name-service.js';
import type { SipFlow, SipTransportName } from './sip-stack.js';

export interface TargetChoice {
  /** Transports that this stack can send over, for an address of that family. */
  readonly canSend: (transport: string, family: 4 | 6) => boolean;
  /** The message is too large for UDP (RFC 3261 §18.1.1): TCP is tried first unless the URI pins a transport. */
  readonly isLarge: boolean;
}

/** What NAPTR calls the transports that we know (RFC 3263 §4.1, RFC 7118 §8). */
const TRANSPORT_OF_SERVICE: Readonly<Record<string, SipTransportName>> = {
  'sip+d2u': 'udp',
  'sip+d2t': 'tcp',
  'sips+d2t': 'tls',
  'sip+d2w': 'ws',
  'sips+d2w': 'wss',
};
const SRV_PREFIX: Readonly<Record<SipTransportName, string>> = {
  udp: '_sip._udp',
  tcp: '_sip._tcp',
  tls: '_sips._tcp',
  ws: '_sip._ws',
  wss: '_sips._wss',
};
/** [RFC 3261 §19.1.2, RFC 7118 §5.5] */
const DEFAULT_PORT: Readonly<Record<SipTransportName, number>> = {
  udp: 5060,
  tcp: 5060,
  tls: 5061,
  ws: 80,
  wss: 443,
};
const CACHE_MS = 30_000;
const MAX_CACHED = 1000;
const MAX_TARGETS = 8;
const MAX_SERVICES = 5;

/** A transport and the name of its SRV records. */
interface Service {
  readonly transport: SipTransportName;
  readonly name: string;
}

export class TargetResolver {
  readonly #names: NameService;
  readonly #cache = new Map<
    string,
    { readonly until: number; readonly answer: Promise<readonly unknown[]> }
  >();

  constructor(names: NameService) {
    this.#names = names;
  }

  /** The targets of a URI, best first, at least one. Rejects with DeliveryError('unreachable') when there is none. */
  async targets(uri: SipUri, choice: TargetChoice): Promise<readonly SipFlow[]> {
    const pinned = pinnedTransport(uri);
    const host = bareHost(parameter(uri.parameters, 'maddr') ?? uri.host);
    const found =
      isIP(host) !== 0 || uri.port !== undefined || isLocalName(host)
        ? await this.#byAddress(host, uri.port, pinned, choice)
        : await this.#byRecords(host, pinned, { ...choice, onlySecure: uri.scheme === 'sips' });
    if (found.length === 0) {
      throw new DeliveryError('unreachable', `no address for ${host} over ${pinned ?? 'any transport'}`);
    }
    const domain = bareHost(uri.host);
    return found.slice(0, MAX_TARGETS).map((flow) => (isSecure(flow.transport) ? { ...flow, domain } : flow));
  }

  async #byAddress(
    host: string,
    port: number | undefined,
    pinned: string | undefined,
    choice: TargetChoice,
  ): Promise<SipFlow[]> {
    const addresses = isIP(host) === 0 ? await this.#addresses(host) : [host];
    return addresses.flatMap((address) =>
      transportsFor(address, pinned, choice).map((transport) => ({
        transport,
        address,
        port: port ?? DEFAULT_PORT[transport],
      })),
    );
  }

  /** NAPTR names the services and their order; without it every transport is asked for by its SRV name. */
  async #byRecords(
    host: string,
    pinned: string | undefined,
    choice: TargetChoice & { readonly onlySecure: boolean },
  ): Promise<SipFlow[]> {
    const services = pinned === undefined ? await this.#servicesOf(host, choice) : [];
    const wanted = services.length > 0 ? services : srvServices(host, pinned, choice);
    // [RFC 3261 §18.1.1] a stable sort: what the domain prefers stays in its order.
    const inOrder = choice.isLarge ? [...wanted].sort((a, b) => datagrams(a) - datagrams(b)) : wanted;
    const perService = await Promise.all(
      inOrder.map(async ({ transport, name }) => {
        const records = await this.#cached(`SRV ${name}`, () => this.#names.srv(name));
        const servers = inSrvOrder(records as readonly SrvRecord[]);
        const targets = await Promise.all(
          servers.map(({ name: server, port }) =>
            this.#byAddress(server.toLowerCase(), port, transport, choice),
          ),
        );
        return targets.flat();
      }),
    );
    const found = perService.flat();
    return found.length > 0 ? found : this.#byAddress(host, undefined, pinned, choice);
  }

  /** [RFC 3263 §4.1] what the domain offers of what we can send over; of a `sips` URI only what is secure. */
  async #servicesOf(
    host: string,
    choice: TargetChoice & { readonly onlySecure: boolean },
  ): Promise<readonly Service[]> {
    const { naptr } = this.#names;
    if (naptr === undefined) return [];
    const records = (await this.#cached(`NAPTR ${host}`, () =>
      naptr.call(this.#names, host),
    )) as readonly NaptrRecord[];
    return records
      .filter(({ flags, replacement }) => flags.toLowerCase() === 's' && replacement !== '')
      .sort((left, right) => left.order - right.order || left.preference - right.preference)
      .flatMap(({ service, replacement }) => {
        const transport = TRANSPORT_OF_SERVICE[service.toLowerCase()];
        if (transport === undefined || (choice.onlySecure && !isSecure(transport))) return [];
        const isUsable = choice.canSend(transport, 4) || choice.canSend(transport, 6);
        return isUsable ? [{ transport, name: replacement.toLowerCase().replace(/\.$/, '') }] : [];
      })
      .slice(0, MAX_SERVICES);
  }

  async #addresses(host: string): Promise<readonly string[]> {
    return (await this.#cached(`A ${host}`, () => this.#names.addresses(host))) as readonly string[];
  }

  #cached(question: string, ask: () => Promise<readonly unknown[]>): Promise<readonly unknown[]> {
    const now = Date.now();
    const known = this.#cache.get(question);
    if (known !== undefined && known.until > now) return known.answer;
    if (this.#cache.size >= MAX_CACHED) this.#cache.clear();
    const answer = ask().catch(() => []);
    this.#cache.set(question, { until: now + CACHE_MS, answer });
    return answer;
  }
}

/** The system's name service, with a time limit per question; `servers` (`address:port`) in place of the system's. */
export function systemNameService(servers?: readonly string[]): NameService {
  const resolver = new Resolver({ timeout: 2000, tries: 2 });
  if (servers !== undefined) resolver.setServers(servers);
  return {
    addresses: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
    srv: (name) => resolver.resolveSrv(name),
    naptr: (name) => resolver.resolveNaptr(name),
    close: () => resolver.cancel(),
  };
}

/** The transport that the URI demands; `sips` means TLS below whatever it names (RFC 3261 §26.2.2). */
function pinnedTransport(uri: SipUri): string | undefined {
  const named = parameter(uri.parameters, 'transport')?.toLowerCase();
  if (uri.scheme !== 'sips') return named;
  if (named === 'ws' || named === 'wss') return 'wss';
  return named === undefined || named === 'tcp' || named === 'tls' ? 'tls' : named;
}

function srvServices(host: string, pinned: string | undefined, choice: TargetChoice): readonly Service[] {
  const wanted = pinned === undefined ? ['udp', 'tcp', 'tls'] : [pinned];
  return wanted
    .filter(isTransport)
    .filter((transport) => choice.canSend(transport, 4) || choice.canSend(transport, 6))
    .map((transport) => ({ transport, name: `${SRV_PREFIX[transport]}.${host}` }));
}

function isTransport(name: string): name is SipTransportName {
  return name in DEFAULT_PORT;
}

function isSecure(transport: SipTransportName): boolean {
  return transport === 'tls' || transport === 'wss';
}

function datagrams({ transport }: Service): number {
  return transport === 'udp' ? 1 : 0;
}

function transportsFor(
  address: string,
  pinned: string | undefined,
  choice: TargetChoice,
): readonly SipTransportName[] {
  const family = isIP(address) === 6 ? 6 : 4;
  if (pinned !== undefined) {
    return isTransport(pinned) && choice.canSend(pinned, family) ? [pinned] : [];
  }
  const inOrder: readonly SipTransportName[] = choice.isLarge ? ['tcp', 'udp'] : ['udp', 'tcp'];
  const usable = inOrder.filter((transport) => choice.canSend(transport, family));
  // TCP is a way out for large messages and for hosts without UDP, not a second try for small ones.
  return choice.isLarge ? usable : usable.slice(0, 1);
}

/** Names that no DNS server answers for. */
function isLocalName(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || !host.includes('.');
}

/** Priority first, then at random by weight (RFC 2782). */
function inSrvOrder(records: readonly SrvRecord[]): readonly SrvRecord[] {
  return records
    .filter(({ name }) => name !== '' && name !== '.')
    .map((record) => ({ record, rank: Math.random() ** (1 / Math.max(record.weight, 0.01)) }))
    .sort((left, right) => left.record.priority - right.record.priority || right.rank - left.rank)
    .map(({ record }) => record);
}
