/**
 * A gateway for whole journeys: the real process on free ports, operated through its public doors alone (admin API, PAP, SIP,
 * MSRP). What a journey waits for it reads from the admin API; every wait is bounded and says what it saw last.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  buildGateway,
  FREE_PORTS,
  type GatewayProcess,
  type LogLine,
  startGatewayProcess,
} from './gateway-process.js';
import { freePort } from './ports.js';

export const DOMAIN = 'carillon.test';
export const PPG_URI = `sip:ppg@${DOMAIN}`;
/** Other test files share the machine. */
export const PATIENCE_MS = 30_000;

const ADMIN_TOKEN = 'for-tests-only';
export const INITIATOR = { id: 'pi', password: 'open sesame' } as const;

interface Ports {
  readonly http: number;
  readonly admin: number;
  readonly sip: number;
  /** 0 while the gateway does not listen for SIP over TLS. */
  readonly sips: number;
  readonly msrp: number;
  /** 0 while the gateway does not listen for MSRP over TLS. */
  readonly msrps: number;
  /** 0 while the gateway does not listen for OTA-HTTP. */
  readonly ota: number;
  /** 0 while the gateway takes no WSP sessions. */
  readonly wsp: number;
}

export interface JsonAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** What the admin API tells about one push; the part that journeys look at. */
export interface PushView {
  readonly pushId: string;
  readonly uid: string;
  readonly content: { readonly contentType: string; readonly size: number };
  readonly recipients: readonly RecipientView[];
}

export interface RecipientView {
  readonly address: string;
  readonly state: string;
  readonly code: number;
  readonly reason?: string;
  readonly decision?: {
    readonly user: string;
    readonly multi: boolean;
    readonly policy: string;
    readonly terminals: readonly {
      readonly terminal: string;
      readonly id: string;
      readonly selected: boolean;
      readonly reasons: readonly string[];
    }[];
    readonly sources?: readonly {
      readonly source: string;
      readonly state: string;
      readonly detail: string;
      readonly ageMs?: number;
    }[];
  };
  readonly deliveries: readonly DeliveryView[];
  readonly result?: { readonly state: string; readonly attempts: number; readonly lastError?: string };
}

export interface DeliveryView {
  readonly terminal: string;
  readonly id: string;
  readonly state: string;
  readonly lane?: string;
  readonly attempts: number;
  readonly bearer?: string;
  readonly code?: number;
  readonly reason?: string;
  readonly wakes: readonly {
    readonly sirId: string;
    readonly bearer: string;
    readonly address?: string;
    readonly outcome: string;
  }[];
}

export interface LaneView {
  readonly id: string;
  readonly state: string;
  readonly held: number;
  readonly connections: { readonly session?: { readonly id: string }; readonly messageUntil?: string };
  readonly wake: { readonly sent: number; readonly sirId?: string };
  readonly dueAt?: string;
  readonly wakes: readonly {
    readonly sirId: string;
    readonly outcome: string;
    readonly detail: string;
    readonly receipt?: { readonly outcome: string };
  }[];
}

export class E2eGateway implements AsyncDisposable {
  readonly #directory: string;
  readonly #environment: Readonly<Record<string, string>>;
  #process: GatewayProcess;
  #ports: Ports;

  private constructor(
    directory: string,
    environment: Readonly<Record<string, string>>,
    started: { process: GatewayProcess; ports: Ports },
  ) {
    this.#directory = directory;
    this.#environment = environment;
    this.#process = started.process;
    this.#ports = started.ports;
  }

  /** Resolves when it takes requests. `environment` holds further configuration as `CARILLON_…`. */
  static async start(environment: Readonly<Record<string, string>> = {}): Promise<E2eGateway> {
    buildGateway();
    const directory = await mkdtemp(join(tmpdir(), 'carillon-e2e-'));
    const all = {
      CARILLON_ADMIN_TOKEN: ADMIN_TOKEN,
      CARILLON_PUSH_INITIATORS: JSON.stringify([INITIATOR]),
      ...(await withPorts({ ...FREE_PORTS, ...environment })),
    };
    return new E2eGateway(directory, all, await launch(directory, all));
  }

  get ports(): Ports {
    return this.#ports;
  }

  get adminToken(): string {
    return ADMIN_TOKEN;
  }

  /** Process number of the gateway that runs now. */
  get pid(): number {
    const { pid } = this.#process.child;
    if (pid === undefined) throw new Error('the gateway did not start');
    return pid;
  }

  /** Log lines so far, of the process that runs now. What an answer tells of may come later: see `logged`. */
  get log(): GatewayProcess['log'] {
    return this.#process.log;
  }

  /** The first log line that is like this, past or future. */
  async logged(isLike: (line: LogLine) => boolean): Promise<LogLine> {
    const line = await when(
      () => this.log.find(isLike),
      (found) => found !== undefined,
      'the log',
    );
    return line as LogLine;
  }

  /** Ends the process as a power cut would, and starts it again on the same ports with what it had stored. */
  async crashAndRestart(): Promise<void> {
    this.#process.child.kill('SIGKILL');
    await this.#process.ended;
    await this.startAgain();
  }

  /** Asks the process to end; resolves with its exit status, null when a signal ended it. */
  async stop(): Promise<number | null> {
    this.#process.child.kill('SIGTERM');
    return this.#process.ended;
  }

  /** Starts it on the same ports with what it had stored, after its end. */
  async startAgain(): Promise<void> {
    const { process, ports } = await launch(this.#directory, this.#environment);
    this.#process = process;
    this.#ports = ports;
  }

  /** While the task runs the process stands still: what is sent to it waits in its sockets and is read at once afterwards. */
  async whileFrozen<Result>(task: () => Promise<Result>): Promise<Result> {
    this.#process.child.kill('SIGSTOP');
    try {
      return await task();
    } finally {
      this.#process.child.kill('SIGCONT');
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.#directory, { recursive: true, force: true });
  }

  async admin(method: string, path: string, body?: unknown): Promise<JsonAnswer> {
    const answer = await fetch(`http://127.0.0.1:${this.#ports.admin}/admin/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
  }

  /** Provisions a user; `terminals` gives the instance URN of each by its name. */
  async addUser(
    user: string,
    terminals: Readonly<Record<string, string | object>> = {},
    attributes: object = {},
  ): Promise<void> {
    await this.#put(`/users/${encodeURIComponent(user)}`, attributes);
    for (const [name, terminal] of Object.entries(terminals)) {
      await this.addTerminal(user, name, terminal);
    }
  }

  /** `terminal`: the instance URN, or the whole body of the request. */
  async addTerminal(user: string, name: string, terminal: string | object): Promise<void> {
    const body =
      typeof terminal === 'string' ? { identities: [{ kind: 'uuid', value: terminal }] } : terminal;
    await this.#put(`/users/${encodeURIComponent(user)}/terminals/${encodeURIComponent(name)}`, body);
  }

  async #put(path: string, body: object): Promise<void> {
    const { status, body: answer } = await this.admin('PUT', path, body);
    if (status !== 200 && status !== 201) throw new Error(`PUT ${path}: ${status} ${JSON.stringify(answer)}`);
  }

  async push(pushId: string, initiator: string = INITIATOR.id): Promise<PushView> {
    const path = `/pushes/${encodeURIComponent(pushId)}?initiator=${encodeURIComponent(initiator)}`;
    const { status, body } = await this.admin('GET', path);
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${JSON.stringify(body)}`);
    return body as PushView;
  }

  async lane(user: string, terminal: string): Promise<LaneView> {
    const path = `/users/${encodeURIComponent(user)}/terminals/${encodeURIComponent(terminal)}/lane`;
    return (await this.admin('GET', path)).body as LaneView;
  }

  /** The push, as soon as it looks like this. */
  pushWhen(pushId: string, holds: (push: PushView) => boolean): Promise<PushView> {
    return when(() => this.push(pushId), holds, `push ${pushId}`);
  }

  /** The push, as soon as every address is in this PAP state. */
  pushBecomes(pushId: string, state: string): Promise<PushView> {
    return this.pushWhen(pushId, ({ recipients }) => recipients.every((one) => one.state === state));
  }

  laneWhen(user: string, terminal: string, holds: (lane: LaneView) => boolean): Promise<LaneView> {
    return when(() => this.lane(user, terminal), holds, `lane of ${user} ${terminal}`);
  }
}

/** A port of its own wherever any is asked for: it has the same ones in each of its lives. */
async function withPorts(environment: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  const all: Record<string, string> = {};
  for (const [key, value] of Object.entries(environment)) {
    all[key] = key.endsWith('_PORT') && value === '0' ? String(await freePort()) : value;
  }
  return all;
}

async function launch(directory: string, environment: Readonly<Record<string, string>>) {
  const process = startGatewayProcess(directory, { environment: { ...environment } });
  const ready = await process.logged('ready');
  const port = (name: string) => (ready[name] as { readonly port: number } | undefined)?.port ?? 0;
  const ports = {
    http: port('http'),
    admin: port('admin'),
    sip: port('sip'),
    sips: port('sips'),
    msrp: port('msrp'),
    msrps: port('msrps'),
    ota: port('ota'),
    wsp: port('wsp'),
  };
  return { process, ports };
}

const BETWEEN_LOOKS_MS = 20;

/** Reads again and again until the value looks as wanted. Rejects with the last value when that takes too long. */
export async function when<Value>(
  read: () => Value | Promise<Value>,
  holds: (value: Value) => boolean,
  what: string,
): Promise<Value> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const value = await read();
    if (holds(value)) return value;
    if (Date.now() > deadline) throw new Error(`${what} stayed ${JSON.stringify(value, null, 1)}`);
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_LOOKS_MS));
  }
}
