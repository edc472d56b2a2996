/**
 * A stage for the figures of the targeting specification: a gateway, a push initiator, one user, and its clients as reference terminals. What
 * crossed the wire is read by tshark from a capture, as lines that say who sent what to whom.
 */
import type { TerminalPolicy } from '../../src/terminal/terminal-options.js';
import { Capture } from './e2e-capture.js';
import type { E2eGateway } from './e2e-gateway.js';
import { instance, TerminalGuest } from './e2e-terminal.js';

export interface ClientOptions {
  readonly policy?: Partial<TerminalPolicy>;
  /** Attributes of the terminal besides its identity, as the admin API takes them. */
  readonly attributes?: object;
}

/** One SIP message on the wire. */
export interface WireMessage {
  readonly from: string;
  readonly to: string;
  /** `MESSAGE`, or `200` for a response. */
  readonly what: string;
  /** Method that a response answers. */
  readonly method: string;
  readonly requestUri: string;
  readonly toHeader: string;
}

let users = 0;

export class FigureStage<Name extends string> implements AsyncDisposable {
  readonly #gateway: E2eGateway;
  readonly user: string;
  readonly clients: Readonly<Record<Name, TerminalGuest>>;
  readonly instances: Readonly<Record<Name, string>>;
  readonly #capture: Capture;
  readonly #names = new Map<number, string>();

  private constructor(
    gateway: E2eGateway,
    user: string,
    parts: {
      readonly clients: Readonly<Record<Name, TerminalGuest>>;
      readonly instances: Readonly<Record<Name, string>>;
      readonly capture: Capture;
    },
  ) {
    this.#gateway = gateway;
    this.user = user;
    this.clients = parts.clients;
    this.instances = parts.instances;
    this.#capture = parts.capture;
    this.#names.set(gateway.ports.sip, 'PPG');
    for (const [name, client] of Object.entries<TerminalGuest>(parts.clients)) {
      this.#names.set(client.terminal.address.port, name);
    }
  }

  /** The clients have registered when it resolves, and the capture runs. `rules` are those of the user. */
  static async set<Name extends string>(
    gateway: E2eGateway,
    clients: Readonly<Record<Name, ClientOptions>>,
    rules: readonly object[] = [],
  ): Promise<FigureStage<Name>> {
    users += 1;
    const user = `sip:figure${users}@example.test`;
    await gateway.addUser(user, {}, { policy: { rules } });
    const names = Object.keys(clients) as Name[];
    const instances = Object.fromEntries(
      names.map((name, index) => [name, instance(70_000 + users * 10 + index)]),
    ) as Record<Name, string>;
    const guests: Partial<Record<Name, TerminalGuest>> = {};
    for (const name of names) {
      const { policy, attributes } = clients[name];
      const urn = instances[name];
      await gateway.addTerminal(user, name, { identities: [{ kind: 'uuid', value: urn }], ...attributes });
      guests[name] = await TerminalGuest.start(gateway, {
        user,
        instance: urn,
        profile: 'S1',
        ...(policy === undefined ? {} : { policy }),
      });
    }
    const capture = await Capture.start([gateway.ports.sip]);
    return new FigureStage(gateway, user, {
      clients: guests as Record<Name, TerminalGuest>,
      instances,
      capture,
    });
  }

  /** What crossed the wire so far. Ends the capture. */
  async wire(): Promise<readonly WireMessage[]> {
    await this.#capture.stop();
    const rows = await this.#capture.fields(
      'sip',
      [
        'udp.srcport',
        'udp.dstport',
        'sip.Method',
        'sip.Status-Code',
        'sip.CSeq.method',
        'sip.r-uri',
        'sip.To',
      ],
      ['-d', `udp.port==${this.#gateway.ports.sip},sip`],
    );
    const nameOf = (port: string | undefined) => this.#names.get(Number(port)) ?? 'nobody';
    return rows.map((row) => ({
      from: nameOf(row['udp.srcport'][0]),
      to: nameOf(row['udp.dstport'][0]),
      what: row['sip.Method'][0] ?? row['sip.Status-Code'][0] ?? '',
      method: row['sip.CSeq.method'][0] ?? '',
      requestUri: row['sip.r-uri'][0] ?? '',
      toHeader: row['sip.To'][0] ?? '',
    }));
  }

  /** What tshark complains about in the capture. Call after `wire`. */
  malformed(): Promise<string> {
    return this.#capture.tshark([
      ...['-d', `udp.port==${this.#gateway.ports.sip},sip`],
      ...['-Y', '_ws.malformed || _ws.expert.severity == error'],
    ]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const guests = Object.values<TerminalGuest>(this.clients);
    await Promise.all(guests.map(({ terminal }) => terminal.close()));
    await this.#capture[Symbol.asyncDispose]();
  }
}

/** Requests only, as `from → to METHOD`, without those by which clients come and go. */
export function story(wire: readonly WireMessage[]): readonly string[] {
  return wire
    .filter(({ what }) => /^[A-Z]/.test(what) && what !== 'ACK' && what !== 'BYE')
    .map(({ from, to, what }) => `${from} → ${to} ${what}`);
}
