/**
 * A stage for the figures of the targeting specification: one user, and its clients as reference terminals that are reached by one bearer. What
 * crossed the wire is read by tshark from a capture, as lines that say who sent what to whom, the same lines whichever bearer it is.
 */
import type { TerminalPolicy } from '../../src/terminal/terminal-options.js';
import { Capture } from './e2e-capture.js';
import { when } from './e2e-gateway.js';
import { instance, TerminalGuest } from './e2e-terminal.js';
import type { FigureBearer, FigureRig } from './figure-rig.js';

export interface ClientOptions {
  readonly policy?: Partial<TerminalPolicy>;
  /** The bearer by which it is reached, when that is not the one of the stage. */
  readonly by?: FigureBearer;
  /** Attributes of the terminal besides its identity and activation, as the admin API takes them. */
  readonly attributes?: object;
}

/** What the admin API tells about a terminal; the part that figures look at. */
export interface TerminalView {
  readonly returned?: {
    readonly [kind: string]: { readonly version: number; readonly information: unknown };
  };
}

/** One message on the wire. */
export interface WireMessage {
  readonly from: string;
  readonly to: string;
  /** `SIR` by whichever bearer; a method of SIP, or `200` for a response; `SMS` and `POST` for what clients return by those. */
  readonly what: string;
  /** Of SIP: the method that a response answers. */
  readonly method: string;
  /** What it was sent to: Request-URI, number, URL, or the port of a datagram. */
  readonly address: string;
  /** Of SIP. */
  readonly toHeader: string;
}

const FIELDS = [
  ...['udp.srcport', 'udp.dstport', 'tcp.srcport', 'tcp.dstport'],
  ...['sip.Method', 'sip.Status-Code', 'sip.CSeq.method', 'sip.r-uri', 'sip.To', 'sip.Content-Type'],
  ...['smpp.command_id', 'smpp.source_addr', 'smpp.destination_addr', 'smpp.message'],
  ...['wsp.pdu_type', 'wap.sir.version'],
  ...['http.request.method', 'http.request.full_uri'],
  ...['_ws.malformed', '_ws.expert.severity', '_ws.expert.message'],
] as const;
type Row = Readonly<Record<(typeof FIELDS)[number], readonly string[]>>;

/** Severity of tshark. */
const ERROR = 0x800000;
const SUBMIT_SM = 4;
const DELIVER_SM = 5;
/**
 * How the octets of a message begin that is a SIR (§7.5 of the specification): unless it is USSD, a user data header with port 2948; then a Push with
 * Content-Type application/vnd.wap.sia for push.sia.
 */
const SIR_OCTETS = /^(?:[0-9a-f]*?0b8423f0[0-9a-f]*?)?[0-9a-f]{2}0603b4af81/;
/** Parts of a message but for the first, by the element of their header that says so. */
const LATER_PART = /^[0-9a-f]{2}(?:0003[0-9a-f]{4}|0804[0-9a-f]{6})(?!01)/;

let users = 0;

export class FigureStage<Name extends string> implements AsyncDisposable {
  readonly user: string;
  readonly clients: Readonly<Record<Name, TerminalGuest>>;
  readonly instances: Readonly<Record<Name, string>>;
  /** What tshark complains about. Known after `wire`. */
  readonly complaints: string[] = [];
  readonly #rig: FigureRig;
  readonly #bearers: Readonly<Record<Name, FigureBearer>>;
  readonly #capture: Capture;
  readonly #numbers: Readonly<Record<Name, string>>;
  /** By port, and by number. */
  readonly #names = new Map<string, string>();

  private constructor(
    rig: FigureRig,
    parts: Pick<FigureStage<Name>, 'user' | 'clients' | 'instances'> & {
      readonly bearers: Readonly<Record<Name, FigureBearer>>;
      readonly capture: Capture;
      readonly numbers: Readonly<Record<Name, string>>;
    },
  ) {
    this.#rig = rig;
    this.#bearers = parts.bearers;
    this.user = parts.user;
    this.clients = parts.clients;
    this.instances = parts.instances;
    this.#capture = parts.capture;
    this.#numbers = parts.numbers;
  }

  /** The clients have registered and can be reached by the bearer when it resolves, and the capture runs. `rules` are those of the user. */
  static async set<Name extends string>(
    rig: FigureRig,
    usual: FigureBearer,
    clients: Readonly<Record<Name, ClientOptions>>,
    rules: readonly object[] = [],
  ): Promise<FigureStage<Name>> {
    users += 1;
    const { gateway, smsc, service } = rig;
    const user = `sip:figure${users}@example.test`;
    await gateway.addUser(user, {}, { policy: { rules } });
    const names = Object.keys(clients) as Name[];
    const started = await Promise.all(
      names.map(async (name, index) => {
        const { policy = {}, attributes, by: bearer = usual } = clients[name];
        const urn = instance(70_000 + users * 10 + index);
        const number = `+43664${7_000_000 + users * 10 + index}`;
        const terminal = { identities: [{ kind: 'uuid', value: urn }], ...attributes };
        await gateway.addTerminal(user, name, terminal);
        const guest = await TerminalGuest.start(gateway, {
          user,
          instance: urn,
          profile: 'S1',
          policy,
          ...(await bearer.reachable(rig, number)),
        });
        const method = { ...bearer.method(guest, number), carries: 'sir' };
        await gateway.addTerminal(user, name, { ...terminal, activation: [method] });
        return { name, urn, number, guest, bearer };
      }),
    );
    const of = <Value>(value: (one: (typeof started)[number]) => Value) =>
      Object.fromEntries(started.map((one) => [one.name, value(one)])) as Record<Name, Value>;
    const listeners = started.flatMap(({ guest }) => portsOf(guest));
    const ports = [gateway.ports.sip, gateway.ports.http, smsc.port, ...listeners];
    const stage = new FigureStage<Name>(rig, {
      user,
      clients: of(({ guest }) => guest),
      instances: of(({ urn }) => urn),
      bearers: of(({ bearer }) => bearer),
      numbers: of(({ number }) => number),
      capture: await Capture.start(ports),
    });
    for (const port of [gateway.ports.sip, gateway.ports.http]) stage.#names.set(String(port), 'PPG');
    stage.#names.set(service.slice(1), 'PPG');
    for (const { name, number, guest } of started) {
      stage.#names.set(number.slice(1), name);
      for (const port of [guest.terminal.address.port, ...portsOf(guest)])
        stage.#names.set(String(port), name);
    }
    return stage;
  }

  /** Where a SIR goes that is routed to this client. */
  addressOf(name: Name): string {
    const [instanceOf, number, guest] = [this.instances[name], this.#numbers[name], this.clients[name]];
    return this.#bearers[name].address({ user: this.user, instance: instanceOf, number, guest });
  }

  /** What the gateway knows of a client, as soon as it looks like this. */
  terminalWhen(name: Name, holds: (terminal: TerminalView) => boolean): Promise<TerminalView> {
    const path = `/users/${encodeURIComponent(this.user)}/terminals/${name}`;
    return when(async () => (await this.#rig.gateway.admin('GET', path)).body as TerminalView, holds, path);
  }

  /** What crossed the wire so far. Ends the capture. */
  async wire(): Promise<readonly WireMessage[]> {
    await this.#capture.stop();
    const rows = await this.#capture.fields(
      'sip || smpp || wsp || http || _ws.malformed || _ws.expert.severity == error',
      FIELDS,
      this.#decodeAs(),
    );
    this.complaints.push(...rows.filter(isComplaint).map((row) => JSON.stringify(row)));
    return rows.flatMap((row) => this.#messagesIn(row));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const guests = Object.values<TerminalGuest>(this.clients);
    await Promise.all(guests.map(({ terminal }) => terminal.close()));
    await this.#capture[Symbol.asyncDispose]();
  }

  #decodeAs(): readonly string[] {
    const { gateway, smsc, tlsKeyLog } = this.#rig;
    const how: Partial<Record<FigureBearer['bearer'], (port: number) => readonly string[]>> = {
      wsp: (port) => [`udp.port==${port},wsp`],
      'web-push': (port) => [`tcp.port==${port},tls`, `tls.port==${port},http`],
    };
    const byHttp = (port: number) => [`tcp.port==${port},http`];
    const listeners = Object.entries<TerminalGuest>(this.clients).flatMap(([name, client]) =>
      portsOf(client).flatMap(how[this.#bearers[name as Name].bearer] ?? byHttp),
    );
    const rules = [
      `udp.port==${gateway.ports.sip},sip`,
      `tcp.port==${gateway.ports.http},http`,
      `tcp.port==${smsc.port},smpp`,
      ...listeners,
    ];
    return [...rules.flatMap((rule) => ['-d', rule]), '-o', `tls.keylog_file:${tlsKeyLog}`];
  }

  #messagesIn(row: Row): readonly WireMessage[] {
    const [from, to] = [
      row['udp.srcport'][0] ?? row['tcp.srcport'][0],
      row['udp.dstport'][0] ?? row['tcp.dstport'][0],
    ];
    const ends = { from: this.#nameOf(from), to: this.#nameOf(to) };
    if (row['smpp.command_id'].length > 0) return this.#shortMessagesIn(row);
    const [request] = row['http.request.method'];
    if (request !== undefined) return this.#httpRequest(row, ends);
    const [sip] = [...row['sip.Method'], ...row['sip.Status-Code']];
    if (sip === undefined) {
      const isSir = row['wap.sir.version'].length > 0;
      return isSir
        ? [{ ...ends, from: 'PPG', what: 'SIR', address: to ?? '', method: '', toHeader: '' }]
        : [];
    }
    const isSir = sip === 'MESSAGE' && row['sip.Content-Type'][0] === 'application/vnd.wap.sia';
    return [
      {
        ...ends,
        what: isSir ? 'SIR' : sip,
        method: row['sip.CSeq.method'][0] ?? '',
        address: row['sip.r-uri'][0] ?? '',
        toHeader: row['sip.To'][0] ?? '',
      },
    ];
  }

  /** As the client has it: what the SMSC hands over to it, and what it submits. */
  #shortMessagesIn(row: Row): readonly WireMessage[] {
    const carrying = row['smpp.command_id'].map(Number).filter((id) => id === DELIVER_SM || id === SUBMIT_SM);
    return carrying.flatMap((id, index) => {
      const [source, destination, octets = ''] = (
        ['smpp.source_addr', 'smpp.destination_addr', 'smpp.message'] as const
      ).map((field) => row[field][index]);
      const ends = { from: this.#nameOf(source), to: this.#nameOf(destination) };
      const isAtClient = id === (ends.to === 'PPG' ? SUBMIT_SM : DELIVER_SM);
      if (!isAtClient || LATER_PART.test(octets)) return [];
      const what = SIR_OCTETS.test(octets) ? 'SIR' : 'SMS';
      return [{ ...ends, what, method: '', address: `+${destination}`, toHeader: '' }];
    });
  }

  /** Where a request by HTTP comes from its port does not say. */
  #httpRequest(row: Row, { to }: Pick<WireMessage, 'to'>): readonly WireMessage[] {
    const [address = ''] = row['http.request.full_uri'];
    const other = { method: '', toHeader: '', address, to };
    const [method = ''] = row['http.request.method'];
    if (to !== 'PPG') return [{ from: 'PPG', what: method === 'POST' ? 'SIR' : method, ...other }];
    if (address.endsWith('/pap')) return [{ from: 'PI', what: 'PAP', ...other }];
    return [{ from: 'somebody', what: method, ...other }];
  }

  #nameOf(end: string | undefined): string {
    return this.#names.get(end ?? '') ?? 'nobody';
  }
}

function portsOf(guest: TerminalGuest): readonly number[] {
  return guest.all('listening').flatMap(({ url }) => {
    const port = Number(new URL(url).port);
    return port === 0 ? [] : [port];
  });
}

function isComplaint(row: Row): boolean {
  return (
    row['_ws.malformed'].length > 0 ||
    row['_ws.expert.severity'].some((severity) => Number(severity) >= ERROR)
  );
}

/** Requests only, as `from → to METHOD`, without those by which clients come and go. */
export function story(wire: readonly WireMessage[]): readonly string[] {
  return wire
    .filter(({ what }) => /^[A-Z]/.test(what) && what !== 'ACK' && what !== 'BYE')
    .map(({ from, to, what }) => `${from} → ${to} ${what}`);
}
