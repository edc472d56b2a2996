/**
 * The command line: a table of commands, each loaded only when it is asked for. Parses options, runs the command, turns
 * whatever it ends with into an exit status (sysexits: 64 usage, 69 something needed is not there, 70 defect, 78 configuration).
 * Prints usage to standard output when asked, to standard error when it was wrong.
 */
import { Command, CommanderError } from 'commander';
import { ConfigError } from '../config/config-error.js';
import { GatewayError } from '../kernel/errors.js';

export const EXIT = { ok: 0, failed: 1, usage: 64, unavailable: 69, defect: 70, config: 78 } as const;

export interface CliCommand {
  readonly name: string;
  readonly summary: string;
  /** Adds arguments and options. The command's own file is loaded only when it runs. */
  readonly describe?: (command: Command) => void;
  /** Exit status for wrong options of this command, where scripts expect another one than 64. */
  readonly usageStatus?: number;
  /** Runs with the parsed options and the positional arguments; resolves with the exit status. */
  readonly run: (options: Readonly<Record<string, unknown>>, args: readonly string[]) => Promise<number>;
}

/** Options that are right each for itself and wrong together. The message is one sentence for the user. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface CliOutput {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
}

/** Runs one command line (without node and the script) and resolves with the exit status. Never rejects. */
export async function runCli(
  argv: readonly string[],
  commands: readonly CliCommand[],
  options: { readonly version: string; readonly output?: CliOutput },
): Promise<number> {
  const output = options.output ?? {
    stdout: (text) => process.stdout.write(text),
    stderr: (text) => process.stderr.write(text),
  };
  let status: number = EXIT.ok;
  const program = programOf(options.version, output);
  for (const command of commands) {
    const sub = program.command(command.name).description(command.summary);
    command.describe?.(sub);
    sub.action(async () => {
      status = await command.run(sub.opts(), sub.args);
    });
  }
  try {
    await program.parseAsync(argv, { from: 'user' });
    return status;
  } catch (error) {
    const usageStatus = commands.find(({ name }) => name === argv[0])?.usageStatus;
    return explain(error, output, usageStatus);
  }
}

function programOf(version: string, output: CliOutput): Command {
  return new Command('carillon')
    .description('A push proxy gateway that gets content to the right terminal of a user.')
    .version(version)
    .configureOutput({ writeOut: output.stdout, writeErr: output.stderr })
    .showSuggestionAfterError()
    .exitOverride();
}

/** Says in one sentence per problem why the command ended, and gives the status for it. */
function explain(error: unknown, { stderr }: CliOutput, usageStatus: number = EXIT.usage): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : usageStatus;
  if (error instanceof UsageError) {
    stderr(`error: ${error.message}\n`);
    return usageStatus;
  }
  if (error instanceof ConfigError) {
    for (const problem of error.problems) stderr(`carillon: ${problem}\n`);
    return EXIT.config;
  }
  if (error instanceof GatewayError && error.fault !== 'us') {
    stderr(`carillon: ${error.detail}\n`);
    return EXIT.unavailable;
  }
  stderr(`carillon: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return EXIT.defect;
}
