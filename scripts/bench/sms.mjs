/** PAP in, short message out: what is accepted and taken by an SMSC, by Carillon and by Kannel in the same run. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ROOT } from '../setup.mjs';
import { load } from './http-load.mjs';
import { hasKannel, kannelBody, kannelHead, startKannel } from './kannel.mjs';
import { papHead } from './pap.mjs';
import { cpuMs, startGateway } from './processes.mjs';

const NUMBERS = 1000;
/** Messages without a response: Kannel's own default, for both. */
const WINDOW = 10;

/** Yields one line of figures for each number of connections. */
export async function* sms({ connections, durationMs, isAccepted }) {
  const [ours, theirs] = [await startSmsc(), hasKannel() ? await startSmsc() : undefined];
  const gateway = await startGateway(
    `smpp: [{ name: bench, host: 127.0.0.1, port: ${ours.port}, systemId: bench, password: bench, window: ${WINDOW}, maxQueued: 128 }]`,
  );
  let kannel;
  try {
    kannel = theirs && (await startKannel({ smppPort: theirs.port, window: WINDOW }));
    for (let index = 0; index < NUMBERS; index += 1) await provision(gateway, index);
    const own = { port: gateway.http.port, head: papHead, pids: [gateway.pid, gateway.redisPid], smsc: ours };
    const peer = kannel && { port: kannel.port, head: kannelHead, pids: kannel.pids, smsc: theirs };
    await measure('w', own, { connections: 16, durationMs: 3000, isAccepted });
    for (const count of connections) {
      const options = { connections: count, durationMs, isAccepted };
      yield {
        connections: count,
        carillon: await measure(`a${count}`, own, options),
        kannel: peer && (await measure(`a${count}`, peer, options)),
      };
    }
  } finally {
    await kannel?.stop();
    await gateway.stop();
    await ours.stop();
    await theirs?.stop();
  }
}

async function provision(gateway, index) {
  const number = `+4366400${String(index).padStart(5, '0')}`;
  const user = `users/sip:n${index}@bench.test`;
  await gateway.put(user, { aliases: [`tel:${number}`] });
  await gateway.put(`${user}/terminals/phone`, {
    identities: [
      { kind: 'uuid', value: `urn:uuid:00000000-0000-4000-9000-${String(index).padStart(12, '0')}` },
    ],
    activation: [{ bearer: 'sms', address: number }],
  });
}

/** Until the SMSC has everything that was accepted. */
async function measure(run, { port, head, pids, smsc }, { connections, durationMs, isAccepted }) {
  const before = { count: await smsc.count(), cpu: cpuMs(...pids), at: performance.now() };
  const target = { host: '127.0.0.1', port, head, isGood: isAccepted };
  const { good } = await load({ ...target, body: kannelBody(run, NUMBERS), connections, durationMs });
  const deadline = performance.now() + 60_000;
  let taken = (await smsc.count()) - before.count;
  while (taken < good && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    taken = (await smsc.count()) - before.count;
  }
  const seconds = (performance.now() - before.at) / 1000;
  return { accepted: good, taken, perSecond: taken / seconds, cpu: (cpuMs(...pids) - before.cpu) / taken };
}

async function startSmsc() {
  const child = fork(join(ROOT, 'scripts/bench/smsc.mjs'), { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return {
    port: Number(line),
    async count() {
      child.send('count');
      const [count] = await once(child, 'message');
      return count;
    },
    async stop() {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}
