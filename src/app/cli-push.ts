/**
 * `carillon push`: options and usage of the PAP client. Exit status: 0 delivered (or accepted, without --wait), 1 refused or
 * undeliverable, 2 usage, 3 no result in time; 69 when the gateway cannot be reached.
 */
import { type Command, Option } from 'commander';
import { PRIORITIES } from '../protocols/pap/document.js';
import { type CliCommand, UsageError } from './cli.js';
import {
  type CliOptions,
  collect,
  headerField,
  httpUrl,
  instant,
  type NamedValue,
  number,
  text,
  texts,
  wholeNumber,
} from './cli-options.js';
import type { PushCommandOptions } from './push-command.js';
import { PUSH_EXIT } from './push-exit.js';

export const pushCommand: CliCommand = {
  name: 'push',
  summary: 'submit a push over PAP, and wait for its result if you like',
  usageStatus: PUSH_EXIT.usage,
  describe: describePush,
  run: async (options, args) => {
    const parsed = readPushOptions(options, args);
    const { push } = await import('./push-command.js');
    return push(parsed);
  },
};

function describePush(command: Command): void {
  command
    .argument('[file]', 'content to push; - reads standard input')
    .option('--text <text>', 'content to push, instead of a file')
    .requiredOption(
      '--to <address>',
      'recipient, repeatable: sip:alice@carillon.test, tel:+43…, WAPPUSH=…/TYPE=…',
      collect,
    )
    .requiredOption('--initiator <id>', 'id of the push initiator')
    .addOption(
      new Option('--password <password>', 'its password').env('CARILLON_PUSH_PASSWORD').makeOptionMandatory(),
    )
    .option('--url <url>', 'PAP endpoint of the gateway', httpUrl, 'http://127.0.0.1:8080/pap')
    .option(
      '--type <media-type>',
      'content type (default: text/plain for --text, else application/octet-stream)',
    )
    .option('--header <field>', "push header 'X-Wap-Application-Id: …', repeatable", headerField)
    .option('--push-id <id>', 'push-id (default: a fresh one)')
    .option('--deliver-before <instant>', 'give up at this moment: ISO 8601, or +10m, +2h, +3d', instant)
    .option('--deliver-after <instant>', 'deliver from this moment on', instant)
    .addOption(new Option('--priority <priority>', 'order in which it is delivered').choices([...PRIORITIES]))
    .option(
      '--notify-port <port>',
      'take the result notification on this port of 127.0.0.1',
      wholeNumber(0, 65_535),
    )
    .option('--wait', 'wait for the result')
    .option('--timeout <seconds>', 'how long to wait', wholeNumber(1, 31_536_000), 60)
    .option('--json', 'print JSON, one object per line');
}

/** Throws UsageError for what the options do not allow together. */
export function readPushOptions(options: CliOptions, args: readonly string[]): PushCommandOptions {
  const [file] = args;
  const given = text(options, 'text');
  if ((file === undefined) === (given === undefined)) {
    throw new UsageError('Name what to push: either a file (- for standard input) or --text.');
  }
  const contentType = text(options, 'type');
  const pushId = text(options, 'pushId');
  const deliverBefore = number(options, 'deliverBefore');
  const deliverAfter = number(options, 'deliverAfter');
  const notifyPort = number(options, 'notifyPort');
  const priority = PRIORITIES.find((known) => known === options['priority']);
  return {
    to: texts(options, 'to'),
    initiator: text(options, 'initiator') ?? '',
    password: text(options, 'password') ?? '',
    url: text(options, 'url') ?? '',
    source: given === undefined ? { file: file ?? '-' } : { text: given },
    ...(contentType === undefined ? {} : { contentType }),
    headers: (options['header'] as readonly NamedValue[] | undefined) ?? [],
    ...(pushId === undefined ? {} : { pushId }),
    ...(deliverBefore === undefined ? {} : { deliverBefore }),
    ...(deliverAfter === undefined ? {} : { deliverAfter }),
    ...(priority === undefined ? {} : { priority }),
    ...(notifyPort === undefined ? {} : { notifyPort }),
    wait: options['wait'] === true,
    timeoutMs: (number(options, 'timeout') ?? 60) * 1000,
    json: options['json'] === true,
  };
}
