/** `npm start` as people and supervisors use it: through npm, stopped by a signal to npm. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bareEnvironment, buildGateway, FREE_PORTS, ROOT } from '../support/gateway-process.js';

let home: string;
beforeAll(() => buildGateway());
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'carillon-start-'));
});
afterEach(() => rmSync(home, { recursive: true }));

describe('npm start', () => {
  it('passes its arguments on, and a SIGTERM to npm reaches the gateway, which ends in order (SIR-173)', async () => {
    const npm = spawn('npm', ['start', '--silent', '--', '--config', '/dev/null'], {
      cwd: ROOT,
      env: { ...bareEnvironment(), ...FREE_PORTS, CARILLON_DATA_DIR: join(home, 'data') },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let output = '';
    npm.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (!output.includes('"ready"') && (output + text).includes('"ready"')) npm.kill('SIGTERM');
      output += text;
    });
    await once(npm, 'close');
    expect(npm.exitCode).toBe(0);
    expect(output).toContain('"configFile":"/dev/null"');
    expect(output).toContain('"stopped"');
    expect(readdirSync(join(home, 'data', 'redis')).filter((name) => name.endsWith('.sock'))).toEqual([]);
  });
});
