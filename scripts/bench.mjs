/**
 * `npm run bench`: what accepting and delivering a push costs, each beside a bare baseline measured in the same run. On a
 * shared machine the rates mean little by themselves; the ratios and the processor time for each push mean something.
 * Where Debian's packages kannel and kannel-extras are installed, Kannel gets the same load.
 * `npm run bench -- --seconds 8 --terminals 50` changes the length of each measurement and the number of terminals; `--only sending` takes one
 * of `accepting`, `delivering`, `sending` (by SMS).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bareMsrp } from './bench/baseline-msrp.mjs';
import { load } from './bench/http-load.mjs';
import { hasKannel, kannelBody, kannelHead, startKannel } from './bench/kannel.mjs';
import { instance, papBody, papHead, userName } from './bench/pap.mjs';
import { cpuMs, rssMb, startBaseline, startGateway } from './bench/processes.mjs';
import { sms } from './bench/sms.mjs';
import { connectTerminals } from './bench/terminals.mjs';
import { ensureRedis, setUp } from './setup.mjs';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    terminals: { type: 'string', default: '50' },
    only: { type: 'string' },
  },
});
const durationMs = Number(values.seconds) * 1000;
const terminals = Number(values.terminals);
const CONNECTIONS = [1, 16, 64];

setUp();
ensureRedis();

const isAccepted = (answer) => answer.includes('1001');
const say = (line) => process.stdout.write(`${line}\n`);
const rate = (value) => `${Math.round(value).toLocaleString('en')}/s`.padStart(10);
const milliseconds = (value) => `${value.toFixed(3)} ms`;

async function accepting() {
  const beside = hasKannel();
  say(
    '\nAccepting a push (PAP over HTTP, one address, terminal away; Redis syncs every write before the answer)',
  );
  if (!beside) say("(Debian's kannel is not installed: no figures of a peer)");
  say(
    'connections  bare+fsync   Carillon  ratio    p50       p99       CPU: gateway + Redis    Kannel (no fsync)  ratio  CPU',
  );
  const directory = mkdtempSync(join(tmpdir(), 'carillon-bench-'));
  const bare = await startBaseline('baseline-http.mjs', join(directory, 'log'));
  const kannel = beside ? await startKannel() : undefined;
  const gateway = await startGateway();
  const target = { head: papHead, host: '127.0.0.1', isGood: isAccepted };
  const next = { carillon: 0, kannel: 0 };
  /** One measurement: rate, and processor time for each push in the processes named. */
  const measure = async (options, pids, who) => {
    const before = pids.map((pid) => cpuMs(pid));
    const result = await load({ ...target, ...options, firstSequence: next[who] ?? 0 });
    if (who) next[who] = result.nextSequence;
    if (result.bad > 0)
      throw new Error(`${result.bad} pushes were not accepted, the first:\n${result.sample}`);
    return { ...result, cpu: pids.map((pid, index) => (cpuMs(pid) - before[index]) / result.good) };
  };
  try {
    for (let index = 0; index < terminals; index += 1) {
      await gateway.put(`users/sip:${userName(index)}@bench.test`, {});
      const phone = { identities: [{ kind: 'uuid', value: instance(index) }], activation: [] };
      await gateway.put(`users/sip:${userName(index)}@bench.test/terminals/phone`, phone);
    }
    const body = papBody('a', terminals);
    const own = { port: gateway.http.port, body };
    await measure({ ...own, connections: 16, durationMs: 3000 }, [], 'carillon'); // let the compiler see the code
    for (const connections of CONNECTIONS) {
      const base = await measure({ port: bare.port, body, connections, durationMs: durationMs / 2 }, []);
      const ours = await measure(
        { ...own, connections, durationMs },
        [gateway.pid, gateway.redisPid],
        'carillon',
      );
      const columns = [
        String(connections).padStart(11),
        rate(base.perSecond),
        rate(ours.perSecond),
        (ours.perSecond / base.perSecond).toFixed(2).padStart(6),
        milliseconds(ours.p50).padStart(10),
        milliseconds(ours.p99).padStart(10),
        `${ours.cpu.map((ms) => ms.toFixed(3)).join(' + ')} ms`.padStart(20),
      ];
      if (kannel) {
        const options = {
          port: kannel.port,
          head: kannelHead,
          body: kannelBody('k'),
          connections,
          durationMs,
        };
        const peer = await measure(options, kannel.pids, 'kannel');
        const cpu = peer.cpu.reduce((sum, ms) => sum + ms, 0);
        columns.push(
          rate(peer.perSecond).padStart(20),
          (ours.perSecond / peer.perSecond).toFixed(2).padStart(6),
          milliseconds(cpu),
        );
      }
      say(columns.join(' '));
    }
    say(
      `Memory with ${next.carillon.toLocaleString('en')} pushes held: gateway ${rssMb(gateway.pid).toFixed(0)} MB, Redis ${rssMb(gateway.redisPid).toFixed(0)} MB`,
    );
  } finally {
    await bare.stop();
    await kannel?.stop();
    await gateway.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function delivering() {
  say(
    `\nPush in, confirmed by a connected terminal (${terminals} terminals, MSRP, 64 submitting connections)`,
  );
  const bare = await bareMsrp({ bytes: 200, window: 64, durationMs: durationMs / 2 });
  const gateway = await startGateway();
  let received = 0;
  try {
    for (let index = 0; index < terminals; index += 1) {
      await gateway.put(`users/sip:${userName(index)}@bench.test`, {});
      const phone = { identities: [{ kind: 'uuid', value: instance(index) }] };
      await gateway.put(`users/sip:${userName(index)}@bench.test/terminals/phone`, phone);
    }
    const fleet = await connectTerminals(gateway, terminals, () => {
      received += 1;
    });
    const target = { head: papHead, host: '127.0.0.1', port: gateway.http.port, isGood: isAccepted };
    const measure = async (run, time) => {
      const before = [received, cpuMs(gateway.pid), cpuMs(gateway.redisPid), performance.now()];
      const result = await load({
        ...target,
        body: papBody(run, terminals),
        connections: 64,
        durationMs: time,
      });
      const deadline = performance.now() + 30_000;
      while (received - before[0] < result.good && performance.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      const seconds = (performance.now() - before[3]) / 1000;
      const delivered = received - before[0];
      if (delivered !== result.good) throw new Error(`${result.good} accepted, ${delivered} received`);
      return {
        perSecond: delivered / seconds,
        own: (cpuMs(gateway.pid) - before[1]) / delivered,
        redis: (cpuMs(gateway.redisPid) - before[2]) / delivered,
      };
    };
    await measure('w', 2000);
    const result = await measure('d', durationMs);
    say('bare SEND+200+REPORT   Carillon   ratio   CPU per push: gateway + Redis');
    say(
      `${rate(bare.perSecond).padStart(20)} ${rate(result.perSecond)}   ${(result.perSecond / bare.perSecond).toFixed(3)}   ` +
        `${result.own.toFixed(3)} + ${result.redis.toFixed(3)} ms`,
    );
    await fleet.close();
  } finally {
    await gateway.stop();
  }
}

async function sending() {
  say(
    '\nPush in, taken by an SMSC (PAP over HTTP, one SI in one short message, SMPP window 10, no receipts)',
  );
  say('connections   Carillon  CPU, Redis included   Kannel (no fsync)  ratio  CPU');
  for await (const { connections, carillon, kannel } of sms({
    connections: CONNECTIONS,
    durationMs,
    isAccepted,
  })) {
    const columns = [
      String(connections).padStart(11),
      rate(carillon.perSecond),
      milliseconds(carillon.cpu).padStart(20),
    ];
    if (kannel) {
      const ratio = (carillon.perSecond / kannel.perSecond).toFixed(2).padStart(6);
      columns.push(rate(kannel.perSecond).padStart(19), ratio, milliseconds(kannel.cpu));
    }
    say(columns.join(' '));
    const { accepted, taken } = carillon;
    if (taken !== accepted) throw new Error(`${accepted} pushes were accepted, ${taken} taken`);
  }
}

const only = values.only === undefined ? ['accepting', 'delivering', 'sending'] : values.only.split(',');
if (only.includes('accepting')) await accepting();
if (only.includes('delivering')) await delivering();
if (only.includes('sending')) await sending();
