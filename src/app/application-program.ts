/**
 * Runs the program of an application that a SIR activates: the application as JSON on its standard input, what it says as JSON on its
 * standard output. No shell, none of our settings in its environment, an end in time, and a limit to what it may say.
 */
import { execFile } from 'node:child_process';
import { childEnvironment } from '../config/child-environment.js';
import { DecodeError, DeliveryError } from '../kernel/errors.js';
import { KIB } from '../kernel/units.js';
import type { PushApplication } from '../terminal/sir.js';
import { INFORMATION_KINDS, type Information } from '../terminal/terminal-options.js';
import type { ApplicationProgram } from './terminal-policy.js';

const MAX_OUTPUT_BYTES = 64 * KIB;

/** Rejects with DeliveryError when it cannot run or ends with another status than 0, with DecodeError when it says nothing readable. */
export async function runApplication(
  application: PushApplication,
  { command: [program = '', ...args], timeoutMs }: ApplicationProgram,
): Promise<Information> {
  const said = await new Promise<string>((resolve, reject) => {
    const options = { timeout: timeoutMs, maxBuffer: MAX_OUTPUT_BYTES, env: childEnvironment({}) };
    const child = execFile(program, args, options, (error, stdout) => {
      if (error === null) return resolve(stdout);
      reject(new DeliveryError('unreachable', `${program}: ${error.message}`, { cause: error }));
    });
    child.stdin?.on('error', () => undefined); // a program that does not read is no failure
    child.stdin?.end(`${JSON.stringify(application)}\n`);
  });
  return informationIn(said, program);
}

/** Kinds that nobody knows are left out; a program that says nothing has nothing to say. */
function informationIn(said: string, program: string): Information {
  if (said.trim() === '') return {};
  let json: unknown;
  try {
    json = JSON.parse(said);
  } catch (cause) {
    throw new DecodeError(`${program} printed something else than JSON`, { cause });
  }
  if (typeof json !== 'object' || json === null) throw new DecodeError(`${program} printed no JSON object`);
  const values = json as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    INFORMATION_KINDS.filter((kind) => Object.hasOwn(values, kind)).map((kind) => [kind, values[kind]]),
  );
}
