/**
 * What really crossed the loopback interface, captured by dumpcap while a journey runs and read by tshark afterwards. Capturing needs
 * the right to do so (root, or membership in Debian's wireshark group); `canCapture` tells.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TSHARK } from './tshark.js';

const run = promisify(execFile);

/** True when dumpcap may listen on the loopback interface here. */
export async function canCapture(): Promise<boolean> {
  try {
    await run('dumpcap', ['-q', '-i', 'lo', '-a', 'duration:1', '-w', '/dev/null']);
    return true;
  } catch {
    return false;
  }
}

export class Capture implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #pieces: Buffer[] = [];
  /** Takes the marks, so that nobody else does. */
  readonly #sentinel: Socket;
  #folder: string | undefined;

  private constructor(child: ChildProcess, sentinel: Socket) {
    this.#child = child;
    this.#sentinel = sentinel;
    child.stdout?.on('data', (piece: Buffer) => this.#pieces.push(piece));
  }

  /** Captures what goes to or from these ports; resolves once nothing is missed any more. */
  static async start(ports: readonly number[]): Promise<Capture> {
    const sentinel = createSocket('udp4').bind(0, '127.0.0.1');
    await once(sentinel, 'listening');
    // A connection of somebody else may have the number of our mark on its own side.
    const mark = `udp port ${sentinel.address().port}`;
    const filter = [...ports.map((port) => `port ${port}`), mark].join(' or ');
    const args = ['-q', '-i', 'lo', '-f', filter, '-P', '-B', '64', '-w', '-'];
    const child = spawn('dumpcap', args, { stdio: ['ignore', 'pipe', 'ignore'] });
    const capture = new Capture(child, sentinel);
    await capture.#seen('capture begins');
    return capture;
  }

  /** Ends the capture with everything in it that was sent before this call. */
  async stop(): Promise<void> {
    await this.#seen('capture ends');
    const ended = once(this.#child, 'close');
    this.#child.kill('SIGINT');
    await ended;
    this.#folder = await mkdtemp(join(tmpdir(), 'carillon-capture-'));
    await writeFile(this.#file, Buffer.concat(this.#pieces));
  }

  /** Values of the fields, one record for each frame that the display filter lets pass. Call after `stop`. */
  async fields<Name extends string>(
    filter: string,
    names: readonly Name[],
    options: readonly string[] = [],
  ): Promise<readonly Readonly<Record<Name, readonly string[]>>[]> {
    const output = await this.tshark([
      ...options,
      ...['-Y', filter, '-T', 'fields', '-E', 'separator=/t', '-E', 'aggregator=|'],
      ...names.flatMap((name) => ['-e', name]),
    ]);
    return output
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const columns = line.split('\t');
        const entries = names.map((name, index) => [name, (columns[index] ?? '').split('|').filter(Boolean)]);
        return Object.fromEntries(entries) as Record<Name, readonly string[]>;
      });
  }

  /** What tshark prints about the capture with these arguments. */
  async tshark(options: readonly string[]): Promise<string> {
    const args = ['-n', '-r', this.#file, ...options];
    const { stdout } = await run('tshark', args, TSHARK);
    return stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    this.#sentinel.close();
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
  }

  get #file(): string {
    return join(this.#folder ?? '', 'journey.pcap');
  }

  /** Sends a mark of its own through the interface until the capture shows it: all that was sent before is then in it too. */
  async #seen(mark: string): Promise<void> {
    const send = () => this.#sentinel.send(mark, this.#sentinel.address().port, '127.0.0.1');
    const again = setInterval(send, 50);
    send();
    try {
      while (!Buffer.concat(this.#pieces).includes(mark)) {
        if (this.#child.exitCode !== null || this.#child.stdout === null) throw new Error('dumpcap ended');
        await once(this.#child.stdout, 'data');
      }
    } finally {
      clearInterval(again);
    }
  }
}
