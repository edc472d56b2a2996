/**
 * Puts the configuration together: defaults, then the file (`--config`, CARILLON_CONFIG, or carillon.yaml in the working
 * directory), then the environment. Everything wrong is collected and reported at once, each problem with its key, the
 * line or variable that it came from, and what is allowed. Knows nothing of how the gateway uses the values.
 */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import type { z } from 'zod';
import { ConfigError } from './config-error.js';
import { type ConfigDocument, parseConfigFile } from './config-file.js';
import { configJsonSchema } from './config-keys.js';
import { CONFIG_FILE_VARIABLE, type Environment, environmentValues } from './environment.js';
import { type Origin, sentences } from './problems.js';
import { type Config, configSchema } from './schema.js';

export interface ConfigSources {
  /** Value of `--config`. Without it CARILLON_CONFIG, then `carillon.yaml` when there is one. */
  readonly file?: string;
  readonly environment?: Environment;
  readonly workingDirectory?: string;
}

export interface LoadedConfig {
  readonly config: Config;
  /** The file that was read, if any, absolute. */
  readonly file?: string;
}

const DEFAULT_FILE = 'carillon.yaml';
/** A configuration is a page of text; more is a wrong file. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;

/** Loads and checks the configuration. Throws ConfigError with one sentence for each problem. */
export function loadConfig(sources: ConfigSources = {}): LoadedConfig {
  const environment = sources.environment ?? process.env;
  const workingDirectory = sources.workingDirectory ?? process.cwd();
  const document = readConfigFile(sources.file, environment, workingDirectory);
  const fromEnvironment = environmentValues(environment);

  const raw = document?.values ?? {};
  const variables = new Map<string, string>();
  for (const { path, value, variable } of fromEnvironment.values) {
    setAt(raw, path, value);
    variables.set(path.join('.'), variable);
  }

  const parsed = configSchema.safeParse(raw);
  const origin: Origin = { raw, document, variables, schema: configJsonSchema() };
  const problems = [
    ...fromEnvironment.problems,
    ...(parsed.error?.issues.flatMap((issue) => sentences(issue, origin)) ?? []),
  ];
  if (parsed.data === undefined || problems.length > 0) throw new ConfigError(problems);
  const config = withDerivedValues(parsed.data, workingDirectory);
  return document === undefined ? { config } : { config, file: document.file };
}

function readConfigFile(
  option: string | undefined,
  environment: Environment,
  workingDirectory: string,
): ConfigDocument | undefined {
  const variable = environment[CONFIG_FILE_VARIABLE] || undefined;
  const named = option ?? variable;
  const file = resolve(workingDirectory, named ?? DEFAULT_FILE);
  try {
    const bytes = readFileSync(file);
    if (bytes.length > MAX_FILE_BYTES)
      throw new ConfigError([`${file} is larger than 4 MiB; is it the right file?`]);
    return parseConfigFile(file, bytes.toString('utf8'));
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' && named === undefined) return undefined;
    const who =
      named === undefined
        ? 'found in the working directory'
        : option === undefined
          ? CONFIG_FILE_VARIABLE
          : '--config';
    const why = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a directory' : code;
    throw new ConfigError([`The configuration file ${file} (${who}) cannot be read: ${why}.`]);
  }
}

/** Values that depend on others, and the data directory as an absolute path. */
function withDerivedValues(parsed: z.output<typeof configSchema>, workingDirectory: string): Config {
  const { registrar } = parsed.sip;
  return {
    ...parsed,
    dataDir: resolve(workingDirectory, parsed.dataDir),
    sip: {
      ...parsed.sip,
      registrar: {
        ...registrar,
        // Whoever can reach a loopback listener is on this machine already; anywhere else an open registrar lets
        // a stranger take over a user's terminal.
        allowWithoutCredentials: registrar.allowWithoutCredentials ?? sipHosts(parsed).every(isLoopback),
      },
    },
  };
}

/** Where SIP can be spoken to us. */
function sipHosts({ sip, http }: z.output<typeof configSchema>): readonly string[] {
  return [sip.host, ...sip.moreHosts, ...(sip.transports.includes('ws') ? [http.host] : [])];
}

/** True for the addresses that only this machine can reach. */
export function isLoopback(host: string): boolean {
  const address = host.toLowerCase();
  return address === 'localhost' || address === '::1' || (isIP(address) === 4 && address.startsWith('127.'));
}

/** Sets a value inside nested sections; a section that is not an object is left for the schema to refuse. */
function setAt(raw: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [key, ...rest] = path;
  if (key === undefined) return;
  if (rest.length === 0) {
    raw[key] = value;
    return;
  }
  raw[key] ??= {};
  const section = raw[key];
  if (typeof section === 'object' && section !== null) setAt(section as Record<string, unknown>, rest, value);
}
