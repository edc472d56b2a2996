/** Runs sipp scenarios of this folder, as caller or as callee, and tells how they ended. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../sipp-terminal/run.js';

const FOLDER = dirname(fileURLToPath(import.meta.url));

export interface SippOptions {
  readonly scenario: string;
  readonly transport: 'udp' | 'tcp';
  readonly calls: number;
  /** Calls per second, for a caller. */
  readonly rate?: number;
}

export interface SippResult {
  /** 0: every call went as the scenario says. */
  readonly exitCode: number;
  /** What sipp wrote about calls that went wrong. */
  readonly errors: string;
}

/** sipp calls the stack at this port of 127.0.0.1; resolves when all calls are over. */
export async function callWithSipp(port: number, options: SippOptions): Promise<SippResult> {
  const rate = ['-r', String(options.rate ?? 200)];
  const run = await start([`127.0.0.1:${port}`, '-p', String(await freePort()), ...rate], options);
  return run.result;
}

/** sipp answers calls; `port` is ready to be called. `result` resolves when the number of calls is reached. */
export async function answerWithSipp(
  options: SippOptions,
): Promise<{ readonly port: number; readonly result: Promise<SippResult> }> {
  const port = await freePort();
  const run = await start(['-p', String(port)], options);
  await readiness(port, options.transport, run.child);
  return { port, result: run.result };
}

async function start(
  extra: readonly string[],
  options: SippOptions,
): Promise<{ child: ChildProcess; result: Promise<SippResult> }> {
  const folder = await mkdtemp(join(tmpdir(), 'carillon-sipp-'));
  const args = [
    ...['-sf', join(FOLDER, `${options.scenario}.xml`)],
    ...['-t', options.transport === 'udp' ? 'u1' : 't1'],
    ...['-i', '127.0.0.1', '-m', String(options.calls)],
    ...['-recv_timeout', '15000', '-timeout', '40', '-nostdin', '-trace_err', '-nd'],
    ...extra,
  ];
  const child = spawn('sipp', args, { cwd: folder, stdio: 'ignore' });
  const result = once(child, 'exit').then(async ([code]) => {
    const errors = await errorLog(folder);
    await rm(folder, { recursive: true, force: true });
    return { exitCode: Number(code ?? -1), errors };
  });
  return { child, result };
}

/** sipp writes its errors beside its working directory's scenario name. */
async function errorLog(folder: string): Promise<string> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('_errors.log'));
  return (await Promise.all(files.map((name) => readFile(join(folder, name), 'latin1')))).join('');
}

/**
 * Resolves when sipp holds its port: a UDP bind of ours fails, or a TCP connection is taken. The port must not be one that the
 * system gives out by itself: a probe of such a port on loopback can be connected to itself, with nobody listening.
 */
async function readiness(port: number, transport: 'udp' | 'tcp', child: ChildProcess): Promise<void> {
  while (child.exitCode === null) {
    if (await (transport === 'udp' ? isUdpTaken(port) : acceptsTcp(port))) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function isUdpTaken(port: number): Promise<boolean> {
  const socket = createSocket('udp4').bind(port, '127.0.0.1');
  const isTaken = await Promise.race([
    once(socket, 'listening').then(() => false),
    once(socket, 'error').then(() => true),
  ]).catch(() => true);
  await new Promise<void>((resolve) => {
    if (isTaken) resolve();
    else socket.close(() => resolve());
  });
  return isTaken;
}

async function acceptsTcp(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
