/** The command line: what is parsed, and the exit status of every way to end. */
import { describe, expect, it } from 'vitest';
import { type CliCommand, runCli } from '../../src/app/cli.js';
import { ConfigError } from '../../src/config/config-error.js';
import { DeliveryError, InvariantError } from '../../src/kernel/errors.js';

async function cli(argv: readonly string[], run: CliCommand['run'] = async () => 0) {
  let stdout = '';
  let stderr = '';
  const output = {
    stdout: (text: string) => {
      stdout += text;
    },
    stderr: (text: string) => {
      stderr += text;
    },
  };
  const command: CliCommand = {
    name: 'ring',
    summary: 'ring one bell',
    describe: (to) => to.argument('[bells...]').option('--loud <how>', 'how loud'),
    run,
  };
  const status = await runCli(argv, [command], { version: '1.2.3', output });
  return { status, stdout, stderr };
}

describe('the command line', () => {
  it('runs a command with its options and arguments and ends with its status', async () => {
    const seen: unknown[] = [];
    const { status } = await cli(['ring', 'a', '--loud', 'very', 'b'], async (options, args) => {
      seen.push(options, args);
      return 3;
    });
    expect([status, seen]).toEqual([3, [{ loud: 'very' }, ['a', 'b']]]);
  });

  it('prints the version', async () => {
    expect(await cli(['--version'])).toEqual({ status: 0, stdout: '1.2.3\n', stderr: '' });
  });

  it('prints help with every command', async () => {
    const { status, stdout } = await cli(['--help']);
    expect([status, stdout]).toEqual([0, expect.stringContaining('ring one bell')]);
  });

  it.each([[['sing']], [['ring', '--soft']], [['ring', '--loud']]])('refuses %j with 64', async (argv) => {
    const { status, stderr } = await cli(argv);
    expect([status, stderr]).toEqual([64, expect.stringMatching(/^error: /)]);
  });

  it('names every problem of the configuration and ends with 78', async () => {
    const result = await cli(['ring'], async () => {
      throw new ConfigError(['one.', 'two.']);
    });
    expect(result).toEqual({ status: 78, stdout: '', stderr: 'carillon: one.\ncarillon: two.\n' });
  });

  it('says in one sentence what is not there and ends with 69', async () => {
    const result = await cli(['ring'], async () => {
      throw new DeliveryError('unreachable', 'There is no Redis.');
    });
    expect(result).toEqual({ status: 69, stdout: '', stderr: 'carillon: There is no Redis.\n' });
  });

  it.each([new InvariantError('impossible'), new Error('broken')])(
    'ends with 70 on a defect: %s',
    async (error) => {
      const { status, stderr } = await cli(['ring'], async () => {
        throw error;
      });
      expect([status, stderr]).toEqual([70, expect.stringContaining('cli.test.ts')]);
    },
  );
});
