/** The commands of `carillon`. A new one is one more row; its code is loaded when it runs. */
import type { CliCommand } from './cli.js';
import { demoCommand } from './cli-demo.js';
import { explainCommand } from './cli-explain.js';
import { pushCommand } from './cli-push.js';
import { terminalCommand } from './cli-terminal.js';

export const CLI_COMMANDS: readonly CliCommand[] = [
  {
    name: 'serve',
    summary: 'run the gateway',
    describe: (command) =>
      command.option('-c, --config <file>', 'configuration file (default: carillon.yaml, when there is one)'),
    run: async (options) => {
      const { serve } = await import('./serve.js');
      const { config } = options;
      return serve(typeof config === 'string' ? { configFile: config } : {});
    },
  },
  pushCommand,
  explainCommand,
  terminalCommand,
  demoCommand,
];
