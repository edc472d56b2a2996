/**
 * Kamailio as the SIP core in front of a gateway: the very files of `deploy/kamailio`, with the values of `site.cfg` set for the test and the
 * users in the table. It listens on an address of its own (127.0.0.2 and so on), so that peers can be told apart by address.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { appendFile, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { when } from './e2e-gateway.js';
import { instance } from './e2e-terminal.js';
import { ROOT } from './gateway-process.js';
import { acceptsTcp, freePort } from './ports.js';

export const CORE_DOMAIN = 'example.test';
/** Of every user of the core. */
export const PASSWORD = 'secret';

export interface KamailioOptions {
  /** Where the gateway's SIP listens on 127.0.0.1. */
  readonly gatewayPort: number;
  /** Its own address; default 127.0.0.2. */
  readonly host?: string;
  /** Names of its users. */
  readonly users: readonly string[];
  /** Default: any. */
  readonly port?: number;
  /** Default true. */
  readonly tellsOfRegistrations?: boolean;
  /** TLS, WebSocket (with it over TLS too) and IPv6 for terminals. */
  readonly open?: OpenTo;
}

export interface OpenTo {
  readonly certificate: { readonly certFile: string; readonly keyFile: string };
  readonly ports: { readonly tls: number; readonly ws: number; readonly wss: number };
}

export class Kamailio implements AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly #gatewayPort: number;
  readonly #child: ChildProcess;
  readonly #folder: string;
  #output = '';

  private constructor(
    at: { readonly host: string; readonly port: number },
    gatewayPort: number,
    child: ChildProcess,
    folder: string,
  ) {
    this.host = at.host;
    this.port = at.port;
    this.#gatewayPort = gatewayPort;
    this.#child = child;
    this.#folder = folder;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text;
    });
  }

  static async start(options: KamailioOptions): Promise<Kamailio> {
    const { host = '127.0.0.2', gatewayPort, users, tellsOfRegistrations = true } = options;
    const port = options.port ?? (await freePort());
    const folder = await mkdtemp(join(tmpdir(), 'carillon-kamailio-'));
    await cp(join(ROOT, 'deploy/kamailio'), folder, { recursive: true });
    const tables = join(folder, 'dbtext');
    await setSite(join(folder, 'site.cfg'), {
      CORE_HOST: host,
      CORE_PORT: String(port),
      CORE_DOMAIN,
      GATEWAY_HOST: '127.0.0.1',
      GATEWAY_PORT: String(gatewayPort),
      CORE_DB: tables,
      ...(tellsOfRegistrations ? {} : { WITH_THIRD_PARTY_REGISTER: false }),
      ...(options.open === undefined ? {} : openTo(options.open)),
    });
    await appendFile(join(tables, 'subscriber'), users.map(subscriberRow).join(''));
    const child = spawn(
      'kamailio',
      ['-f', join(folder, 'kamailio.cfg'), '-DD', '-E', '-m', '64', '-M', '8', '-n', '2', '-Y', folder],
      { stdio: ['ignore', 'ignore', 'pipe'], detached: true },
    );
    const kamailio = new Kamailio({ host, port }, gatewayPort, child, folder);
    await when(
      () => (child.exitCode === null ? acceptsTcp(port, host) : Promise.reject(new Error(kamailio.#output))),
      Boolean,
      'kamailio',
    );
    return kamailio;
  }

  /** `sip:<host>:<port>;lr`: as next hop of a gateway. */
  get uri(): string {
    return `sip:${this.host}:${this.port};lr`;
  }

  /** Of a gateway that learns of registrations here and sends through it. */
  get gatewaySettings(): Readonly<Record<string, string>> {
    return {
      CARILLON_SIP_PORT: String(this.#gatewayPort),
      CARILLON_SIP_OUTBOUND_PROXY: this.uri,
      CARILLON_SIP_TRUSTED_PEERS: this.host,
      CARILLON_SIP_REGISTRAR_ALLOW_WITHOUT_CREDENTIALS: 'false',
      CARILLON_SOURCES_REG_EVENT_URI: this.uri,
      CARILLON_SOURCES_REG_EVENT_TIMEOUT_MS: '5000', // this machine may be busy
      CARILLON_WAKE_RETRY_SECONDS: '2',
    };
  }

  /** What a terminal of the user needs that registers here and sends everything through it. */
  terminalOf(name: string, number: number) {
    return {
      user: `sip:${name}@${CORE_DOMAIN}`,
      instance: instance(number),
      credentials: { username: name, password: PASSWORD },
      local: { host: '127.0.0.1' },
      at: { host: this.host, port: this.port },
    };
  }

  /** What it complained about so far. */
  get complaints(): readonly string[] {
    return this.#output.split('\n').filter((line) => /\b(?:ERROR|CRITICAL|BUG)\b/.test(line));
  }

  /** Ends it at once, as a power cut would. */
  async kill(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.kill('SIGTERM');
      // With TLS one of its processes sometimes stays behind a lock of the library, and the others wait for it.
      const impatience = setTimeout(() => this.#killAll(), 3000);
      await ended;
      clearTimeout(impatience);
    }
  }

  #killAll(): void {
    if (this.#child.pid !== undefined) process.kill(-this.#child.pid, 'SIGKILL');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function openTo({ certificate, ports }: OpenTo) {
  return {
    WITH_TLS: true,
    CORE_TLS_PORT: String(ports.tls),
    CORE_CERTIFICATE: certificate.certFile,
    CORE_KEY: certificate.keyFile,
    WITH_WEBSOCKET: true,
    CORE_WS_PORT: String(ports.ws),
    CORE_WSS_PORT: String(ports.wss),
    WITH_IPV6: true,
  };
}

/** Sets values of the file as an operator does who edits it; true and false switch a define on and off. */
async function setSite(file: string, values: Readonly<Record<string, string | boolean>>): Promise<void> {
  let text = await readFile(file, 'utf8');
  for (const [name, value] of Object.entries(values)) {
    const line =
      typeof value === 'boolean'
        ? new RegExp(`^#{1,2}!define ${name}$`, 'm')
        : new RegExp(`^#!substdef "!${name}![^!]*!g"$`, 'm');
    if (!line.test(text)) throw new Error(`site.cfg has no ${name}`);
    const changed =
      typeof value === 'boolean'
        ? `${value ? '#' : '##'}!define ${name}`
        : `#!substdef "!${name}!${value}!g"`;
    text = text.replace(line, () => changed);
  }
  await writeFile(file, text);
}

function subscriberRow(user: string): string {
  const ha1 = createHash('md5').update(`${user}:${CORE_DOMAIN}:${PASSWORD}`).digest('hex');
  return `${user}:${CORE_DOMAIN}:${ha1}\n`;
}
