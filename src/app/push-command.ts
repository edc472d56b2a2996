/** Carries out `carillon push`: reads the content, submits it, prints the answer, waits for the result when asked to. */
import { readFile } from 'node:fs/promises';
import { loadPapValidator } from '../endpoints/pap/pap-dtds.js';
import { DeliveryError, describeError, RefusedError } from '../kernel/errors.js';
import type { Priority } from '../protocols/pap/index.js';
import {
  type PapValidator,
  type PushResponse,
  papStatusText,
  type ResultNotificationMessage,
} from '../protocols/pap/index.js';
import type { NamedValue } from './cli-options.js';
import { type AddressResult, awaitResult } from './pap-client/await-result.js';
import { PapClient } from './pap-client/pap-client.js';
import { listenForResults, type ResultListener } from './pap-client/result-listener.js';
import { PUSH_EXIT } from './push-exit.js';
import { randomBytes, systemClock } from './system-clock.js';

export interface PushCommandOptions {
  readonly to: readonly string[];
  readonly initiator: string;
  readonly password: string;
  readonly url: string;
  /** What is pushed: a file, `-` for standard input, or the text itself. */
  readonly source: { readonly file: string } | { readonly text: string };
  readonly contentType?: string;
  readonly headers: readonly NamedValue[];
  readonly pushId?: string;
  readonly deliverBefore?: number;
  readonly deliverAfter?: number;
  readonly priority?: Priority;
  readonly notifyPort?: number;
  readonly wait: boolean;
  readonly timeoutMs: number;
  readonly json: boolean;
}

export type Print = (line: string) => void;

/** Resolves with the exit status. Rejects with DeliveryError when the gateway or the content cannot be reached. */
export async function push(
  options: PushCommandOptions,
  print: Print = (line) => process.stdout.write(`${line}\n`),
): Promise<number> {
  using validator = loadPapValidator();
  await using listener = await listenerFor(options, validator);
  const pushId = options.pushId ?? freshPushId(options.initiator);
  const client = new PapClient({ ...options, validator, timeoutMs: Math.min(options.timeoutMs, 30_000) });
  let answer: PushResponse;
  try {
    answer = await client.submit({
      ...options,
      ...(await contentOf(options)),
      pushId,
      addresses: options.to,
      ...(listener === undefined ? {} : { notifyTo: listener.url }),
    });
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    print(
      options.json ? JSON.stringify({ event: 'refused', reason: error.detail }) : `refused: ${error.detail}`,
    );
    return PUSH_EXIT.refused;
  }
  print(options.json ? JSON.stringify({ event: 'answer', ...answer }) : answerLine(answer));
  if (answer.code >= 2000) return PUSH_EXIT.refused;
  return options.wait ? await waitAndPrint(client, options, pushId, listener, print) : PUSH_EXIT.delivered;
}

async function listenerFor(
  { notifyPort }: PushCommandOptions,
  validator: PapValidator,
): Promise<ResultListener | undefined> {
  if (notifyPort === undefined) return undefined;
  return listenForResults({ port: notifyPort, validator, onResult: () => undefined });
}

async function waitAndPrint(
  client: PapClient,
  { to, timeoutMs, json }: PushCommandOptions,
  pushId: string,
  listener: ResultListener | undefined,
  print: Print,
): Promise<number> {
  const results = await awaitResult(
    client,
    { pushId, addresses: to },
    {
      timeoutMs,
      clock: systemClock,
      notified: () =>
        (listener?.received ?? []).filter((one) => one.pushId === pushId).flatMap(ofNotification),
    },
  );
  for (const address of to) {
    const result = results.get(address);
    if (json) print(JSON.stringify({ event: 'result', pushId, address, state: 'pending', ...result }));
    else print(resultLine(address, result));
  }
  const states = to.map((address) => results.get(address)?.state);
  if (states.every((state) => state === 'delivered')) return PUSH_EXIT.delivered;
  return states.includes(undefined) ? PUSH_EXIT.timeout : PUSH_EXIT.refused;
}

function ofNotification(message: ResultNotificationMessage): readonly AddressResult[] {
  const { addresses, messageState: state, code, desc, eventTime } = message;
  return addresses.map((address) => ({
    address,
    state,
    code,
    ...(desc === undefined ? {} : { desc }),
    ...(eventTime === undefined ? {} : { eventTime }),
    toldBy: 'notification' as const,
  }));
}

function answerLine({ code, desc, pushId }: PushResponse): string {
  const what = code < 2000 ? 'accepted' : 'refused';
  return `${what}: push-id ${pushId} (${code} ${desc ?? papStatusText(code)})`;
}

function resultLine(address: string, result: AddressResult | undefined): string {
  if (result === undefined) return `pending: ${address} (no result in time; the push goes on without us)`;
  const when = result.eventTime === undefined ? '' : ` at ${new Date(result.eventTime).toISOString()}`;
  return `${result.state}: ${address}${when} (${result.code} ${result.desc ?? papStatusText(result.code)})`;
}

async function contentOf({ source, contentType }: PushCommandOptions) {
  if ('text' in source) {
    return {
      content: Buffer.from(source.text, 'utf8'),
      contentType: contentType ?? 'text/plain; charset=utf-8',
    };
  }
  const content = source.file === '-' ? await readStandardInput() : await readContent(source.file);
  return { content, contentType: contentType ?? 'application/octet-stream' };
}

async function readContent(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new DeliveryError('unreachable', `the content cannot be read: ${describeError(cause)}`, {
      retry: 'never',
      cause,
    });
  }
}

async function readStandardInput(): Promise<Uint8Array> {
  const pieces: Buffer[] = [];
  for await (const piece of process.stdin as AsyncIterable<Buffer>) pieces.push(piece);
  return Buffer.concat(pieces);
}

function freshPushId(initiator: string): string {
  return `${Buffer.from(randomBytes(12)).toString('hex')}@${initiator}`;
}
