/**
 * `carillon explain`: options and usage. Asks the admin API of a running gateway why a push goes where it goes, and says it in words. Exit
 * status: 0 when there is an answer, 69 when the gateway cannot be reached or does not know the user.
 */
import type { Command } from 'commander';
import { type CliCommand, UsageError } from './cli.js';
import { type CliOptions, httpUrl, text } from './cli-options.js';
import type { ExplainCommandOptions } from './explain-command.js';

export const explainCommand: CliCommand = {
  name: 'explain',
  summary: 'tell why a push goes to which terminal, by which bearer',
  describe: describeExplain,
  run: async (options) => {
    const parsed = readExplainOptions(options);
    const { explain } = await import('./explain-command.js');
    return explain(parsed);
  },
};

function describeExplain(command: Command): void {
  command
    .requiredOption('--user <uri>', 'public user identity or alias: sip:alice@carillon.test')
    .option('--application <id>', 'application id of the push (default: x-wap-application:wml.ua)')
    .option('--type <media-type>', 'content type of the push (default: text/plain)')
    .option('--device <identity>', 'the push names the terminal with this device identity')
    .option('--all', 'the push is for all terminals that take it')
    .option('--push <push-id>', 'a push that was submitted, instead of --application and --type')
    .option('--initiator <id>', 'who submitted it, when several have used the push-id')
    .option('--url <url>', 'admin listener of the gateway (default: that of the configuration)', httpUrl)
    .option('-c, --config <file>', 'configuration file, for the admin token (default: carillon.yaml)')
    .option('--json', 'print what the admin API answers');
}

/** Throws UsageError for what the options do not allow together. */
function readExplainOptions(options: CliOptions): ExplainCommandOptions {
  const given = {
    application: text(options, 'application'),
    contentType: text(options, 'type'),
    device: text(options, 'device'),
    pushId: text(options, 'push'),
    initiator: text(options, 'initiator'),
    configFile: text(options, 'config'),
    url: text(options, 'url'),
  };
  if (given.pushId !== undefined && (given.application ?? given.contentType) !== undefined) {
    throw new UsageError(
      '--push says what the application and the type are: leave out --application and --type.',
    );
  }
  if (given.initiator !== undefined && given.pushId === undefined) {
    throw new UsageError('--initiator goes with --push.');
  }
  return {
    user: text(options, 'user') ?? '',
    isForAll: options['all'] === true,
    json: options['json'] === true,
    ...(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<
      Record<keyof typeof given, string>
    >),
  };
}
