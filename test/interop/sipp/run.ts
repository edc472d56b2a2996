/**
 * Runs a sipp scenario of this folder, as caller or as callee, over one transport. `{{name}}` in a scenario stands for a value of the
 * test. What sipp received is read from its own message trace.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { when } from '../../support/e2e-gateway.js';
import { acceptsTcp, freePort, isUdpBound } from '../../support/ports.js';

const FOLDER = dirname(fileURLToPath(import.meta.url));

export type Transport = 'udp' | 'tcp';

export interface SippOptions {
  readonly scenario: string;
  readonly transport: Transport;
  /** Default: none. */
  readonly values?: Readonly<Record<string, string>>;
  /** Local port; absent: any. */
  readonly port?: number;
  /** Calls after which it ends; default 1. */
  readonly calls?: number;
  /** Call-ID of a caller; default: its own. */
  readonly callId?: string;
  /** Address that a caller calls; default 127.0.0.1. */
  readonly host?: string;
}

export interface SippResult {
  /** 0: every call went as the scenario says. */
  readonly exitCode: number;
  /** What sipp wrote about calls that went wrong. */
  readonly errors: string;
}

export const CLEAN: SippResult = { exitCode: 0, errors: '' };

/** A running callee. */
export interface SippCallee {
  readonly port: number;
  readonly result: Promise<SippResult>;
  /** Messages received so far, each from its start line; a body with a NUL octet is cut there. */
  received(): Promise<readonly string[]>;
  /** Ends it, whatever it waits for. */
  stop(): Promise<void>;
}

/** sipp calls `peer`, a port of 127.0.0.1 or of `host`; resolves when its calls are over. */
export async function call(peer: number, options: SippOptions): Promise<SippResult> {
  const { exitCode, errors } = await callAndRead(peer, options);
  return { exitCode, errors };
}

/** The same, with what it received. */
export async function callAndRead(
  peer: number,
  options: SippOptions,
): Promise<SippResult & { readonly received: readonly string[] }> {
  const { host = '127.0.0.1' } = options;
  // A port of its own: what comes late for an earlier run does not disturb this one.
  const port = options.port ?? (await freePort());
  const run = await start([`${host}:${peer}`, '-r', '100'], { ...options, port });
  return run.result;
}

/** sipp waits for calls and is ready for them. */
export async function answer(options: SippOptions): Promise<SippCallee> {
  const port = options.port ?? (await freePort());
  const { child, folder, result } = await start([], { ...options, port });
  await when(
    () => child.exitCode !== null || (options.transport === 'udp' ? isUdpBound(port) : acceptsTcp(port)),
    Boolean,
    'sipp',
  );
  return {
    port,
    result: result.then(({ exitCode, errors }) => ({ exitCode, errors })),
    received: () => receivedIn(folder),
    async stop() {
      if (child.exitCode === null) child.kill('SIGKILL');
      await result;
    },
  };
}

interface Run {
  readonly child: ChildProcess;
  readonly folder: string;
  readonly result: Promise<SippResult & { readonly received: readonly string[] }>;
}

async function start(
  extra: readonly string[],
  options: SippOptions & { readonly port: number },
): Promise<Run> {
  const { scenario, transport, values = {}, port, calls = 1, callId } = options;
  const folder = await mkdtemp(join(tmpdir(), 'carillon-sipp-'));
  const template = await readFile(join(FOLDER, `${scenario}.xml`), 'utf8');
  const file = join(folder, `${scenario}.xml`);
  await writeFile(file, filled(template, values));
  const args = [
    ...['-sf', file, '-t', transport === 'udp' ? 'u1' : 't1', '-i', '127.0.0.1', '-m', String(calls)],
    ...['-recv_timeout', '30000', '-timeout', '45', '-nostdin', '-trace_err', '-trace_msg', '-nd'],
    ...['-p', String(port)],
    ...['-watchdog_interval', '0'], // that this machine is busy is no error of the calls
    ...(callId === undefined ? [] : ['-cid_str', callId]),
    ...extra,
  ];
  const child = spawn('sipp', args, { cwd: folder, stdio: 'ignore' });
  const result = once(child, 'exit').then(async ([code]) => {
    const errors = await read(folder, '_errors.log');
    const received = await receivedIn(folder);
    await rm(folder, { recursive: true, force: true });
    return { exitCode: Number(code ?? -1), errors, received };
  });
  return { child, folder, result };
}

async function receivedIn(folder: string): Promise<readonly string[]> {
  const trace = await read(folder, '_messages.log');
  return trace
    .split(/^-{20,}.*\n/m)
    .filter((entry) => /^\w+ message received/.test(entry))
    .map((entry) => entry.slice(entry.indexOf('\n\n') + 2));
}

/** Regular expressions are escaped as the attributes that they stand in; in message text (CDATA) everything stands as it is. */
function filled(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(
    /( regexp="[^"]*")|\{\{(\w+)\}\}/g,
    (whole, expression: string | undefined, name: string) =>
      expression === undefined ? value(values, name) : inAttribute(whole, values),
  );
}

function inAttribute(attribute: string, values: Readonly<Record<string, string>>): string {
  const text = attribute.replace(/\{\{(\w+)\}\}/g, (_, name: string) => value(values, name));
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function value(values: Readonly<Record<string, string>>, name: string): string {
  const found = values[name];
  if (found === undefined) throw new Error(`the scenario needs a value "${name}"`);
  return found;
}

/** sipp names its files after scenario and process. */
async function read(folder: string, ending: string): Promise<string> {
  const files = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(ending));
  return (await Promise.all(files.map((name) => readFile(join(folder, name), 'latin1')))).join('');
}
