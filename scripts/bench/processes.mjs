/** Processes under measurement: a gateway in a directory of its own, a baseline, and the processor time that they use. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ROOT } from '../setup.mjs';

const TOKEN = 'bench';
const TICK_MS = 10;

/** Starts `carillon serve` with a private Redis that syncs every write; resolves when it is ready. */
export async function startGateway(settings = '') {
  const directory = mkdtempSync(join(tmpdir(), 'carillon-bench-'));
  writeFileSync(
    join(directory, 'carillon.yaml'),
    `domain: bench.test
http: { port: 0 }
admin: { port: 0, token: ${TOKEN} }
sip: { port: 0 }
msrp: { port: 0 }
log: { level: info }
redis: { durability: always }
pushInitiators: [{ id: bench, password: bench }]
${settings}`,
  );
  const child = spawn(process.execPath, [join(ROOT, 'dist/main.js'), 'serve'], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ready = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const entry = JSON.parse(line);
      if (entry.msg === 'ready') resolve(entry);
      if (entry.level === 'error') process.stderr.write(`${line}\n`);
    });
    child.once('exit', (code) => reject(new Error(`the gateway ended with ${code}`)));
  });
  const admin = `http://127.0.0.1:${ready.admin.port}/admin/v1`;
  return {
    directory,
    pid: child.pid,
    redisPid: childrenOf(child.pid)[0],
    http: ready.http,
    sip: ready.sip,
    msrp: ready.msrp,
    async put(path, value) {
      const answer = await fetch(`${admin}/${path}`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
        body: JSON.stringify(value),
      });
      if (!answer.ok) throw new Error(`PUT ${path}: ${answer.status} ${await answer.text()}`);
    },
    async stop() {
      child.kill('SIGTERM');
      await once(child, 'exit');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Starts a baseline script that prints its port. */
export async function startBaseline(script, ...args) {
  const child = spawn(process.execPath, [join(ROOT, 'scripts/bench', script), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return {
    pid: child.pid,
    port: Number(line),
    async stop() {
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

/** Processor time used so far by these processes, milliseconds. */
export function cpuMs(...pids) {
  return pids.reduce((sum, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return sum + (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  }, 0);
}

export function rssMb(pid) {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}

function childrenOf(pid) {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
}
