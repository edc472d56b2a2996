/**
 * SIP.js, the WebSocket client of many browser applications, as a terminal (RFC 7118): it registers over ws and wss, is woken by a SIR,
 * and gets its content by MESSAGE. Its whole user agent is used here; the gateway uses the transactions of that library only.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { E2eGateway, INITIATOR, when } from '../support/e2e-gateway.js';
import { addressOf, Initiator } from '../support/e2e-initiator.js';
import { instance } from '../support/e2e-terminal.js';
import { TestCa } from '../support/test-ca.js';

const PASSWORD = 'wonderland';
const userOf = (name: string) => `sip:${name}@carillon.test`;

let ca: TestCa;
let gateway: E2eGateway;
let secureGateway: E2eGateway;
beforeAll(async () => {
  ca = new TestCa();
  const { certFile, keyFile } = ca.issue('gateway', '/CN=gateway');
  const environment = { CARILLON_WAKE_RETRY_SECONDS: '2' };
  gateway = await E2eGateway.start(environment);
  secureGateway = await E2eGateway.start({
    ...environment,
    CARILLON_HTTP_TLS_CERT_FILE: certFile,
    CARILLON_HTTP_TLS_KEY_FILE: keyFile,
  });
});
afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]();
  await secureGateway?.[Symbol.asyncDispose]();
  ca?.[Symbol.dispose]();
});

/** A browser has this; SIP.js looks for it when it connects. */
beforeAll(() => {
  Object.assign(globalThis, {
    WebSocket: class extends WebSocket {
      constructor(url: string, protocols: string | string[]) {
        super(url, protocols, { ca: ca.ca });
      }
    },
  });
});
afterAll(() => void Reflect.deleteProperty(globalThis, 'WebSocket'));

interface Received {
  readonly type: string;
  readonly body: string;
}

const clients: Client[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
});

class Client {
  readonly received: Received[] = [];
  readonly #register: () => Promise<unknown>;
  readonly #state: () => string;
  readonly #stop: () => Promise<void>;

  private constructor(parts: {
    readonly register: () => Promise<unknown>;
    readonly state: () => string;
    readonly stop: () => Promise<void>;
  }) {
    this.#register = parts.register;
    this.#state = parts.state;
    this.#stop = parts.stop;
  }

  /** Connects and registers `number`'s instance of a user. */
  static async start(name: string, number: number, server: string): Promise<Client> {
    const { Registerer, UserAgent } = await import('sip.js');
    const uri = UserAgent.makeURI(userOf(name));
    if (uri === undefined) throw new Error('no URI');
    const id = instance(number).slice('urn:uuid:'.length);
    const userAgent = new UserAgent({
      uri,
      transportOptions: { server },
      authorizationUsername: name,
      authorizationPassword: PASSWORD,
      logBuiltinEnabled: false,
      delegate: {
        onMessage(message) {
          const { request } = message;
          client.received.push({ type: request.getHeader('Content-Type') ?? '', body: request.body });
          void message.accept();
        },
      },
    });
    const registerer = new Registerer(userAgent, { instanceId: id, regId: 1, expires: 600 });
    const client = new Client({
      register: () => registerer.register(),
      state: () => registerer.state,
      stop: () => userAgent.stop(),
    });
    clients.push(client);
    await userAgent.start();
    await client.register();
    return client;
  }

  async register(): Promise<void> {
    await this.#register();
    await when(this.#state, (state) => state === 'Registered', 'the registration');
  }

  /** The next thing that is received of this media type. */
  async next(type: string): Promise<Received> {
    const found = await when(
      () => this.received.find((one) => one.type.startsWith(type)),
      (one) => one !== undefined,
      `a MESSAGE of type ${type}`,
    );
    if (found === undefined) throw new Error('unreachable');
    return found;
  }

  close(): Promise<void> {
    return this.#stop();
  }
}

describe.each([
  ['ws', () => gateway],
  ['wss', () => secureGateway],
])('over %s', (scheme, at) => {
  it('it registers with a password, is woken alone, and gets its content when it registers again', async () => {
    const user = `jo-${scheme}`;
    const credentials = { sip: { username: user, password: PASSWORD } };
    await at().addUser(userOf(user), { phone: instance(1001), desk: instance(1002) }, credentials);
    const server = `${scheme}://127.0.0.1:${at().ports.http}/sip`;
    const phone = await Client.start(user, 1001, server);
    const desk = await Client.start(user, 1002, server);

    const initiator = new Initiator(at(), INITIATOR, scheme === 'wss' ? ca.ca : undefined);
    await initiator.push({
      pushId: `${scheme}@pi`,
      to: addressOf(userOf(user), instance(1001)),
      content: 'from the gateway',
    });
    await phone.next('application/vnd.wap.sia');
    await phone.register();
    expect((await phone.next('text/plain')).body).toBe('from the gateway');
    await at().pushBecomes(`${scheme}@pi`, 'delivered');
    expect(desk.received).toEqual([]);
  });
});

it('it is let in with its own password only', async () => {
  await gateway.addUser(userOf('kim'), {}, { sip: { username: 'kim', password: 'another' } });
  const server = `ws://127.0.0.1:${gateway.ports.http}/sip`;
  const { Registerer, RegistererState, UserAgent } = await import('sip.js');
  const uri = UserAgent.makeURI(userOf('kim'));
  if (uri === undefined) throw new Error('no URI');
  const options = { uri, transportOptions: { server }, logBuiltinEnabled: false };
  const userAgent = new UserAgent({
    ...options,
    authorizationUsername: 'kim',
    authorizationPassword: PASSWORD,
  });
  try {
    await userAgent.start();
    const registerer = new Registerer(userAgent);
    const rejected = new Promise<number | undefined>((resolve) => {
      void registerer.register({
        requestDelegate: { onReject: ({ message }) => resolve(message.statusCode) },
      });
    });
    expect(await rejected).toBe(401);
    expect(registerer.state).not.toBe(RegistererState.Registered);
  } finally {
    await userAgent.stop();
  }
});
