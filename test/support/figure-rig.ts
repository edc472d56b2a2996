/**
 * What the figures of the targeting specification run on: one gateway that has every bearer, an SMSC that hands messages over to terminals, and a CA
 * that vouches for terminals that are called by https. `BEARERS` is the table of the bearers that can bring a SIR: how a client is reached by each,
 * and in what the SIRs by it differ from each other.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BearerName } from '../../src/registry/bearer-name.js';
import type { IdentityPlace } from '../../src/registry/targeting-rule.js';
import type { ReturnRoute } from '../../src/terminal/terminal-options.js';
import { E2eGateway } from './e2e-gateway.js';
import type { TerminalGuest, TerminalGuestOptions } from './e2e-terminal.js';
import { freePort } from './ports.js';
import { Smsc } from './smsc.js';
import { TestCa, type TestCertificate } from './test-ca.js';

/** Number of the gateway. */
const SERVICE = '+43800123';
const CALLBACK_SECRET = `whsec_${Buffer.from('a secret of thirty-two octets...').toString('base64')}`;
/** What is captured is known by its port, so nobody else may have that on either side of a connection. */
const here = async () => ({ host: '127.0.0.1', port: await freePort() });

export class FigureRig implements AsyncDisposable {
  readonly gateway: E2eGateway;
  readonly smsc: Smsc;
  readonly service = SERVICE;
  /** Of the terminals that are called by https. */
  readonly certificate: TestCertificate;
  /** What tshark needs to read what the gateway sends over TLS. */
  readonly tlsKeyLog: string;
  readonly #release: () => Promise<void>;

  private constructor(
    parts: Pick<FigureRig, 'gateway' | 'smsc' | 'certificate' | 'tlsKeyLog'>,
    release: () => Promise<void>,
  ) {
    this.gateway = parts.gateway;
    this.smsc = parts.smsc;
    this.certificate = parts.certificate;
    this.tlsKeyLog = parts.tlsKeyLog;
    this.#release = release;
  }

  static async start(): Promise<FigureRig> {
    const ca = new TestCa();
    const smsc = await Smsc.start({ port: await freePort() });
    const directory = await mkdtemp(join(tmpdir(), 'carillon-figures-'));
    const tlsKeyLog = join(directory, 'tls-keys');
    const link = { host: '127.0.0.1', port: smsc.port, password: 'secret', sender: SERVICE, receipts: false };
    const gateway = await E2eGateway.start({
      NODE_EXTRA_CA_CERTS: ca.caFile,
      NODE_OPTIONS: `--tls-keylog=${tlsKeyLog}`,
      CARILLON_SMPP: JSON.stringify([
        { ...link, name: 'sms', systemId: 'sms' },
        { ...link, name: 'ussd', systemId: 'ussd', carries: ['ussd'] },
      ]),
      CARILLON_BEARERS_WSP_ENABLED: 'true',
      CARILLON_BEARERS_WSP_PORT: '0',
      CARILLON_BEARERS_WSP_ALLOW_PRIVATE_ADDRESSES: 'true',
      CARILLON_BEARERS_OTA_HTTP_ALLOW_PRIVATE_ADDRESSES: 'true',
      CARILLON_HTTP_CALLBACK_SECRET: CALLBACK_SECRET,
      CARILLON_HTTP_CALLBACK_ALLOW_PRIVATE_ADDRESSES: 'true',
      CARILLON_WEB_PUSH_SUBJECT: 'mailto:ops@example.test',
      CARILLON_WEB_PUSH_ALLOW_PRIVATE_ADDRESSES: 'true',
    });
    await smsc.when(() => smsc.boundCount === 2);
    const certificate = ca.issue('terminal', '/CN=terminal');
    return new FigureRig({ gateway, smsc, certificate, tlsKeyLog }, async () => {
      await gateway[Symbol.asyncDispose]();
      await smsc[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
      ca[Symbol.dispose]();
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#release();
  }
}

export interface FigureClient {
  readonly user: string;
  readonly instance: string;
  readonly number: string;
  readonly guest: TerminalGuest;
}

export interface FigureBearer {
  readonly bearer: BearerName;
  /** What the terminal says of a SIR that came by it. */
  readonly carrier: string;
  /** What the client needs to be reached by it. */
  readonly reachable: (rig: FigureRig, number: string) => Promise<Partial<TerminalGuestOptions>>;
  /** The activation method of a client that is there. */
  readonly method: (client: TerminalGuest, number: string) => object;
  /** Where a SIR goes that is routed to the client, as the wire has it. */
  readonly address: (client: FigureClient) => string;
  /** By what the client returns what the SIR asks for: nobody vouches for it by other carriers than SIP, so that it signs. */
  readonly returns: (rig: FigureRig) => ReturnRoute;
  /** How a return by that looks on the wire, and how it is answered. */
  readonly returned: { readonly story: string; readonly status: number };
  /**
   * Whether a SIR has room for everything. USSD has 160 octets: with the device identity and one kind of return there is room neither for another nor
   * for the application, the user, the gateway, or a signature.
   */
  readonly isRoomy: boolean;
  /** Places for the device identity, with the table of the specification that has it there. Only SIP has header fields for it; elsewhere the SIR is all. */
  readonly places: readonly (readonly [table: string, identityIn: readonly IdentityPlace[]])[];
}

const TABLE_1 = ['the header (Table 1)', ['header']] as const;
const TABLE_2 = ['the body (Table 2)', ['body']] as const;

const bySip = () => ({ by: 'sip' }) as const;
const byHttp = ({ gateway }: FigureRig) =>
  ({ by: 'http', url: `http://127.0.0.1:${gateway.ports.http}/v1/returns` }) as const;
const bySms = ({ service }: FigureRig) => ({ by: 'sms', to: service }) as const;
const RETURNED = {
  sip: { story: 'client → PPG MESSAGE', status: 200 },
  http: { story: 'somebody → PPG POST', status: 204 },
  sms: { story: 'client → PPG SMS', status: 202 },
} as const;
const atSmsc = async ({ smsc }: FigureRig, number: string) => ({
  smsc: { host: '127.0.0.1', port: smsc.port, systemId: 'phone', password: 'secret', number },
});
const place = (client: TerminalGuest) => {
  const [listening] = client.all('listening');
  if (!listening) throw new Error('the client listens nowhere');
  return listening;
};

export const BEARERS: readonly FigureBearer[] = [
  {
    bearer: 'sip',
    carrier: 'sip',
    reachable: async () => ({}),
    method: () => ({ bearer: 'sip' }),
    address: ({ user, instance }) => `${user};gr=${instance}`,
    returns: bySip,
    returned: RETURNED.sip,
    isRoomy: true,
    places: [TABLE_1, TABLE_2],
  },
  {
    bearer: 'sms',
    carrier: 'sms',
    reachable: atSmsc,
    method: (_, address) => ({ bearer: 'sms', address }),
    address: ({ number }) => number,
    returns: bySms,
    returned: RETURNED.sms,
    isRoomy: true,
    places: [TABLE_2],
  },
  {
    bearer: 'ussd',
    carrier: 'ussd',
    reachable: atSmsc,
    method: (_, address) => ({ bearer: 'ussd', address }),
    address: ({ number }) => number,
    returns: bySms,
    returned: RETURNED.sms,
    isRoomy: false,
    places: [TABLE_2],
  },
  {
    bearer: 'wsp',
    carrier: 'wsp',
    reachable: async () => ({ wsp: await here() }),
    method: (client) => ({ bearer: 'wsp', address: new URL(place(client).url).host }),
    address: ({ guest }) => new URL(place(guest).url).port,
    returns: byHttp,
    returned: RETURNED.http,
    isRoomy: true,
    places: [TABLE_2],
  },
  {
    bearer: 'ota-http',
    carrier: 'http',
    reachable: async () => ({ otaHttp: await here() }),
    method: (client) => ({ bearer: 'ota-http', address: place(client).url }),
    address: ({ guest }) => place(guest).url,
    returns: byHttp,
    returned: RETURNED.http,
    isRoomy: true,
    places: [TABLE_2],
  },
  {
    bearer: 'http-callback',
    carrier: 'http-callback',
    reachable: async () => ({ httpCallback: { ...(await here()), secret: CALLBACK_SECRET } }),
    method: (client) => ({ bearer: 'http-callback', address: place(client).url }),
    address: ({ guest }) => place(guest).url,
    returns: byHttp,
    returned: RETURNED.http,
    isRoomy: true,
    places: [TABLE_2],
  },
  {
    bearer: 'web-push',
    carrier: 'web-push',
    reachable: async ({ certificate }) => ({ webPush: { ...(await here()), tls: certificate } }),
    method: (client) => {
      const { url: address, keys } = place(client);
      return { bearer: 'web-push', address, keys };
    },
    address: ({ guest }) => place(guest).url,
    returns: byHttp,
    returned: RETURNED.http,
    isRoomy: true,
    places: [TABLE_2],
  },
];
