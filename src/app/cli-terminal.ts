/**
 * `carillon terminal`: options and usage of the reference terminal, which prints one JSON event per line. Exit status: 0 when
 * it was asked to stop, 64 usage, 69 when the registrar refuses or cannot be reached.
 */
import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { describeError } from '../kernel/errors.js';
import type { TerminalOptions, TerminalPolicy, TerminalProfile } from '../terminal/terminal-options.js';
import type { SipTransportName } from '../transports/sip-stack/sip-stack.js';
import { type CliCommand, UsageError } from './cli.js';
import { type CliOptions, collect, hostPort, number, text, texts, wholeNumber } from './cli-options.js';

const TRANSPORTS: readonly SipTransportName[] = ['udp', 'tcp', 'tls', 'ws', 'wss'];
const PROFILES: readonly TerminalProfile[] = ['S1', 'S2', 'both'];

export interface TerminalCommandOptions {
  /** `policy` holds what options say; it goes before the policy file. */
  readonly terminal: TerminalOptions;
  /** By what SIRs are judged. */
  readonly policyFile?: string;
  /** Directory that gets the content, one file each. */
  readonly saveTo?: string;
  /** Do not unregister at the end. */
  readonly keepRegistration: boolean;
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
    .option('--registrar <host:port>', 'registrar or outbound proxy', hostPort, {
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
    .option('--bind <host:port>', 'local address; port 0 takes a free one', bindAddress)
    .option('--ota-http <host:port>', 'listen for OTA-HTTP too; port 0 takes a free one', bindAddress)
    .option(
      '--wsp <host:port>',
      'listen for connectionless WSP too (2948), and follow SIRs into WSP sessions; port 0 takes a free one',
      bindAddress,
    )
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
    ...(ca === undefined ? {} : { tls: { ca: readCas(ca) } }),
    features: texts(options, 'feature'),
    policy: policyOf(options),
    ...(domain === undefined ? {} : { domain }),
    ...(username === undefined || password === undefined ? {} : { credentials: { username, password } }),
    ...(bind === undefined ? {} : { local: bind }),
    ...(otaHttp === undefined ? {} : { otaHttp }),
    ...(wsp === undefined ? {} : { wsp }),
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

function readCas(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UsageError(`--ca ${file} cannot be read: ${describeError(error)}.`);
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

function bindAddress(value: string): NonNullable<TerminalOptions['otaHttp']> {
  if (!/:0*$/.test(value)) return hostPort(value);
  return { host: hostPort(value.replace(/:0*$/, '')).host, port: 0 };
}
