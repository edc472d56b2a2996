/**
 * The stage of the demonstration: a gateway process in a directory of its own, a user with three terminals, a content provider
 * that submits over PAP and listens for results. Everything is on loopback and free ports; `close` leaves nothing behind.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadPapValidator } from '../../endpoints/pap/pap-dtds.js';
import type { PapValidator, PushResponse, ResultNotificationMessage } from '../../protocols/pap/index.js';
import { PapClient } from '../pap-client/pap-client.js';
import { listenForResults, type ResultListener } from '../pap-client/result-listener.js';
import { randomBytes } from '../system-clock.js';
import { AdminClient } from './admin-client.js';
import { DemoTerminal } from './demo-terminal.js';
import { type GatewayAddresses, GatewayChild } from './gateway-child.js';

export const ALICE = 'sip:alice@carillon.test';
export const PROVIDER = 'mms-centre';
/** Only the phone subscribes to this application: so the provider need not know which terminals there are. */
export const MMS = 'x-wap-application:mms.ua';

export const TERMINALS = [
  { name: 'phone', instance: 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6', application: MMS },
  {
    name: 'pc',
    instance: 'urn:uuid:2f0b2a4e-6d0a-4c65-9a34-6d1c7b5a1f01',
    application: 'x-wap-application:wml.ua',
  },
  {
    name: 'pda',
    instance: 'urn:uuid:2f0b2a4e-6d0a-4c65-9a34-6d1c7b5a1f02',
    application: 'x-wap-application:emn.ua',
  },
] as const;

export class Stage implements AsyncDisposable {
  readonly directory: string;
  readonly gateway: GatewayChild;
  readonly results: ResultNotificationMessage[] = [];
  /** Terminals of the user that nothing is pushed to. They stay on from the first scene to the last. */
  readonly bystanders: DemoTerminal[] = [];
  readonly #validator: PapValidator = loadPapValidator();
  readonly #adminToken = secret();
  readonly #password = secret();
  readonly #opened: DemoTerminal[] = [];
  #addresses: GatewayAddresses | undefined;
  #listener: ResultListener | undefined;

  private constructor(directory: string) {
    this.directory = directory;
    this.gateway = new GatewayChild({
      CARILLON_DATA_DIR: join(directory, 'gateway'),
      CARILLON_DOMAIN: 'carillon.test',
      CARILLON_ADMIN_TOKEN: this.#adminToken,
      CARILLON_NOTIFY_ALLOW_PRIVATE_ADDRESSES: 'true',
    });
  }

  static async prepare(): Promise<Stage> {
    return new Stage(await mkdtemp(join(tmpdir(), 'carillon-demo-')));
  }

  get admin(): AdminClient {
    return new AdminClient(`http://127.0.0.1:${this.addresses.admin.port}`, this.#adminToken);
  }

  get pap(): PapClient {
    return new PapClient({
      url: this.papUrl,
      initiator: PROVIDER,
      password: this.#password,
      validator: this.#validator,
    });
  }

  get papUrl(): string {
    return `http://127.0.0.1:${this.addresses.http.port}/pap`;
  }

  get addresses(): GatewayAddresses {
    if (this.#addresses === undefined) throw new Error('the gateway has not been started');
    return this.#addresses;
  }

  /** Starts the gateway, again on the same data when it was killed. Resolves with how long that took, in milliseconds. */
  async startGateway(): Promise<number> {
    const startedAt = performance.now();
    this.#addresses = await this.gateway.start();
    return performance.now() - startedAt;
  }

  /** Creates the provider, the user and her terminals, and listens for results. */
  async provision(): Promise<void> {
    this.#listener = await listenForResults({
      port: 0,
      validator: this.#validator,
      onResult: (result) => this.results.push(result),
    });
    await this.admin.putInitiator(PROVIDER, this.#password);
    await this.admin.putUser(ALICE, {});
    for (const { name, instance, application } of TERMINALS) {
      await this.admin.putTerminal(ALICE, name, {
        identities: [{ kind: 'uuid', value: instance }],
        activation: [{ bearer: 'sip' }],
        subscriptions: [application],
      });
    }
  }

  /** Switches a terminal on: it registers, and remembers over its restarts what it has had. */
  async terminal(
    name: (typeof TERMINALS)[number]['name'],
    options: { manual?: boolean } = {},
  ): Promise<DemoTerminal> {
    const { instance } = TERMINALS.find((known) => known.name === name) ?? TERMINALS[0];
    const terminal = await DemoTerminal.switchOn({
      user: ALICE,
      instance,
      registrar: { ...this.addresses.sip, transport: 'udp' },
      statePath: join(this.directory, `${name}.state`),
      policy: { connect: options.manual === true ? 'manually' : 'automatically' },
    });
    this.#opened.push(terminal);
    return terminal;
  }

  async bystander(name: (typeof TERMINALS)[number]['name']): Promise<DemoTerminal> {
    const terminal = await this.terminal(name);
    this.bystanders.push(terminal);
    return terminal;
  }

  /** The provider pushes content to the user, for whoever takes MMS. */
  async push(pushId: string, content: Uint8Array): Promise<PushResponse> {
    return this.pap.submit({
      pushId,
      addresses: [ALICE],
      contentType: 'application/vnd.wap.mms-message',
      headers: [{ name: 'X-Wap-Application-Id', value: MMS }],
      content,
      ...(this.#listener === undefined ? {} : { notifyTo: this.#listener.url }),
    });
  }

  /** What PAP says of a push: its message state. */
  async stateOf(pushId: string): Promise<string> {
    return (await this.pap.status(pushId)).map(({ messageState }) => messageState).join(', ');
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#opened.map((terminal) => terminal.vanish()));
    await Promise.allSettled([this.gateway.close(), this.#listener?.[Symbol.asyncDispose]()]);
    this.#validator[Symbol.dispose]();
    await rm(this.directory, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function secret(): string {
  return Buffer.from(randomBytes(18)).toString('base64url');
}
