/**
 * `carillon terminal`: options and usage of the reference terminal, which prints one JSON event per line. Exit status: 0 when
 * it was asked to stop, 64 usage, 69 when the registrar or the SMSC refuses or cannot be reached.
 */
import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { DecodeError, describeError } from '../kernel/errors.js';
import { decodeWebhookSecret } from '../protocols/standard-webhooks/index.js';
import type { TerminalOptions, TerminalPolicy, TerminalProfile } from '../terminal/terminal-options.js';
import type { SipTransportName } from '../transports/sip-stack/sip-stack.js';
import { type CliCommand, UsageError } from './cli.js';
import { type CliOptions, collect, hostPort, number, text, texts, wholeNumber } from './cli-options.js';
import type { TerminalCommandOptions } from './terminal-command.js';

const TRANSPORTS: readonly SipTransportName[] = ['udp', 'tcp', 'tls', 'ws', 'wss'];
const PROFILES: readonly TerminalProfile[] = ['S1', 'S2', 'both'];

interface Place {
  readonly host: string;
  readonly port: number;
}

export const terminalCommand: CliCommand = {
  name: 'terminal',
  summary: 'run a reference terminal; prints one JSON event per line',
  describe: describeTerminal,
  run: async (options) => {
    const parsed = readTerminalOptions(options);
    const { runTerminal } = await import('./terminal-command.js');
    return runTerminal(parsed);
  },
};

function describeTerminal(command: Command): void {
  command
    .requiredOption('--user <uri>', 'public user identity, sip:alice@carillon.test')
    .requiredOption('--instance <urn>', 'urn:uuid:… or urn:gsma:imei:… of this terminal')
    .option('--alias <uri>', 'further public user identity of the user, repeatable', collect)
    .option('--identity <identity>', 'further device identity, repeatable', collect)
    .option('--registrar <host:port>', 'registrar or outbound proxy', hostPort(5060), {
      host: '127.0.0.1',
      port: 5060,
    })
    .addOption(
      new Option('--transport <transport>', 'towards the registrar').choices(TRANSPORTS).default('udp'),
    )
    .option('--ca <file>', "CAs of the registrar's certificate, PEM (default: those that Node.js knows)")
    .option('--secure-sessions', 'ask for push sessions over TLS')
    .option('--domain <domain>', 'domain to register at (default: that of the user)')
    .option('--username <name>', 'user name for digest authentication')
    .addOption(
      new Option('--password <password>', 'password for digest authentication').env('CARILLON_SIP_PASSWORD'),
    )
    .option('--bind <host:port>', 'local address; port 0 takes a free one', bindAddress(5060))
    .option('--ota-http <host:port>', 'listen for OTA-HTTP too; port 0 takes a free one', bindAddress(4035))
    .option(
      '--wsp <host:port>',
      'listen for connectionless WSP too (2948), and follow SIRs into WSP sessions; port 0 takes a free one',
      bindAddress(2948),
    )
    .option('--smsc <host:port>', 'take short messages and USSD from this SMSC too, by SMPP', hostPort(2775))
    .option('--number <number>', 'number of this terminal at the SMSC, +436641234567')
    .option('--smsc-user <name>', 'system_id at the SMSC', 'terminal')
    .addOption(
      new Option('--smsc-password <password>', 'password at the SMSC')
        .env('CARILLON_SMSC_PASSWORD')
        .default(''),
    )
    .option(
      '--http-callback <host:port>',
      'be woken by the call-back of the gateway too; port 0 takes a free one',
      bindAddress(8090),
    )
    .addOption(
      new Option('--http-callback-secret <secret>', 'by which the call-back is signed, whsec_…').env(
        'CARILLON_HTTP_CALLBACK_SECRET',
      ),
    )
    .option(
      '--web-push <host:port>',
      'be a browser and its push service too, over TLS; port 0 takes a free one',
      bindAddress(8443),
    )
    .option('--web-push-cert <file>', 'certificate of the push service, PEM')
    .option('--web-push-key <file>', 'its private key, PEM')
    .option('--expires <seconds>', 'registration time to ask for', wholeNumber(1, 2_592_000), 3600)
    .option('--reg-id <number>', 'reg-id of the flow (RFC 5626)', wholeNumber(1, 1000))
    .option(
      '--feature <parameter>',
      `feature parameter of the Contact, repeatable: '+g.oma.pusheventapp="push.sia"'`,
      collect,
    )
    .addOption(
      new Option('--profile <profile>', 'content in sessions (S1), by MESSAGE (S2)')
        .choices(PROFILES)
        .default('both'),
    )
    .option('--policy <file>', 'by what SIRs are judged and what is returned, YAML or JSON')
    .option('--accept-app <id>', 'take SIRs for this application only, repeatable', collect)
    .option('--allow-ppg <uri>', 'safety check on: follow SIRs of this gateway only, repeatable', collect)
    .option('--manual', 'judge SIRs, but open no session')
    .option('--reconnect <seconds>', 'open a broken session again after this time', wholeNumber(0, 86_400))
    .option('--state <file>', 'remember what was received over restarts')
    .option('--save <directory>', 'write content into files before it is acknowledged')
    .option('--keep-registration', 'do not unregister at the end');
}

/** Throws UsageError for what the options do not allow together. */
export function readTerminalOptions(options: CliOptions): TerminalCommandOptions {
  const [username, password] = [text(options, 'username'), text(options, 'password')];
  if (username !== undefined && password === undefined) {
    throw new UsageError('--username needs --password (or CARILLON_SIP_PASSWORD).');
  }
  const [domain, statePath, saveTo, policyFile] = ['domain', 'state', 'save', 'policy'].map((name) =>
    text(options, name),
  );
  const [regId, expiresSeconds] = [number(options, 'regId'), number(options, 'expires')];
  const transport = TRANSPORTS.find((known) => known === options['transport']) ?? 'udp';
  const ca = text(options, 'ca');
  const profile = PROFILES.find((known) => known === options['profile']);
  const bind = options['bind'] as TerminalOptions['local'];
  const otaHttp = options['otaHttp'] as TerminalOptions['otaHttp'];
  const wsp = options['wsp'] as TerminalOptions['wsp'];
  const registrar = options['registrar'] as { readonly host: string; readonly port: number };
  const terminal: TerminalOptions = {
    user: text(options, 'user') ?? '',
    instance: text(options, 'instance') ?? '',
    aliases: texts(options, 'alias'),
    identities: texts(options, 'identity'),
    registrar: { ...registrar, transport },
    ...(options['secureSessions'] === true ? { secureSessions: true } : {}),
    ...(ca === undefined ? {} : { tls: { ca: readPem('--ca', ca) } }),
    features: texts(options, 'feature'),
    policy: policyOf(options),
    ...(domain === undefined ? {} : { domain }),
    ...(username === undefined || password === undefined ? {} : { credentials: { username, password } }),
    ...(bind === undefined ? {} : { local: bind }),
    ...(otaHttp === undefined ? {} : { otaHttp }),
    ...(wsp === undefined ? {} : { wsp }),
    ...smscOf(options),
    ...httpCallbackOf(options),
    ...webPushOf(options),
    ...(regId === undefined ? {} : { regId }),
    ...(expiresSeconds === undefined ? {} : { expiresSeconds }),
    ...(profile === undefined ? {} : { profile }),
    ...(statePath === undefined ? {} : { statePath }),
  };
  return {
    terminal,
    ...(policyFile === undefined ? {} : { policyFile }),
    ...(saveTo === undefined ? {} : { saveTo }),
    keepRegistration: options['keepRegistration'] === true,
  };
}

function smscOf(options: CliOptions): Pick<TerminalOptions, 'smsc'> {
  const smsc = options['smsc'] as Place | undefined;
  if (smsc === undefined) return {};
  const number = text(options, 'number');
  if (number === undefined || !/^\+[0-9]{3,20}$/.test(number)) {
    throw new UsageError('--smsc needs --number, such as +436641234567.');
  }
  const [systemId = '', password = ''] = [text(options, 'smscUser'), text(options, 'smscPassword')];
  return { smsc: { ...smsc, number, systemId, password } };
}

function httpCallbackOf(options: CliOptions): Pick<TerminalOptions, 'httpCallback'> {
  const place = options['httpCallback'] as Place | undefined;
  if (place === undefined) return {};
  const secret = text(options, 'httpCallbackSecret');
  if (secret === undefined)
    throw new UsageError('--http-callback needs --http-callback-secret (or CARILLON_HTTP_CALLBACK_SECRET).');
  try {
    decodeWebhookSecret(secret);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new UsageError(`--http-callback-secret ${error.detail}.`);
  }
  return { httpCallback: { ...place, secret } };
}

function webPushOf(options: CliOptions): Pick<TerminalOptions, 'webPush'> {
  const place = options['webPush'] as Place | undefined;
  if (place === undefined) return {};
  const [cert, key] = [text(options, 'webPushCert'), text(options, 'webPushKey')];
  if (cert === undefined || key === undefined)
    throw new UsageError('--web-push needs --web-push-cert and --web-push-key: subscriptions are https.');
  return {
    webPush: {
      ...place,
      tls: { cert: readPem('--web-push-cert', cert), key: readPem('--web-push-key', key) },
    },
  };
}

function readPem(option: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UsageError(`${option} ${file} cannot be read: ${describeError(error)}.`);
  }
}

function policyOf(options: CliOptions): Partial<TerminalPolicy> {
  const applications = texts(options, 'acceptApp');
  const allowedGateways = texts(options, 'allowPpg');
  const reconnect = number(options, 'reconnect');
  return {
    ...(applications.length === 0 ? {} : { acceptedApplications: applications }),
    ...(allowedGateways.length === 0 ? {} : { safety: { allowedGateways } }),
    ...(reconnect === undefined ? {} : { reconnectDelayMs: reconnect * 1000 }),
    ...(options['manual'] === true ? { connect: 'manually' } : {}),
  };
}

function bindAddress(usual: number): (value: string) => Place {
  const read = hostPort(usual);
  return (value) =>
    /:0*$/.test(value) ? { host: read(value.replace(/:0*$/, '')).host, port: 0 } : read(value);
}
