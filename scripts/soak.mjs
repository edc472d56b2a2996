/**
 * `npm run soak -- [--minutes 10] [--seed N] [--gateways 1|2]`: the crash test of `npm test`, longer and with everything at once: gateways and
 * Redis killed at random, processes halted, terminals that flap. A line every ten seconds, a summary at the end; status 1 and the
 * place of the logs when the books do not balance.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createServer } from 'vite';
import { ensureRedis, ROOT, setUp, stop } from './setup.mjs';

const USAGE = 64;
/** A part of the soak: then everything is audited and begins anew, so that a defect shows early and books stay small. */
const ROUND_MINUTES = 5;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: process.env.CARILLON_SEED ?? String(Date.now() % 0x1_0000_0000) },
    gateways: { type: 'string' },
  },
});
const minutes = Number(values.minutes);
const firstSeed = Number(values.seed);
if (!(minutes > 0) || !Number.isInteger(firstSeed)) stop('--minutes and --seed are numbers.', USAGE);
if (values.gateways !== undefined && !['1', '2'].includes(values.gateways))
  stop('--gateways is 1 or 2.', USAGE);

setUp();
ensureRedis();
// The harness is TypeScript and shared with the tests; vite, which runs those, loads it here too.
const vite = await createServer({
  root: ROOT,
  configFile: false,
  server: { middlewareMode: true, ws: false },
  logLevel: 'error',
});
const { crashRun } = await vite.ssrLoadModule('/test/support/crash-run.ts');

const total = {};
const until = Date.now() + minutes * 60_000;
for (let round = 0; Date.now() < until; round += 1) {
  const seed = (firstSeed + round) % 0x1_0000_0000;
  const gateways = values.gateways === undefined ? 1 + (round % 2) : Number(values.gateways);
  const home = mkdtempSync(join(tmpdir(), 'carillon-soak-'));
  console.log(`round ${round + 1}: seed ${seed}, ${gateways} gateway${gateways === 1 ? '' : 's'}`);
  const report = await crashRun({
    seed,
    home,
    gateways,
    durationMs: Math.min(ROUND_MINUTES * 60_000, until - Date.now()),
    disturbances: ['gateway', 'gateway', 'redis', 'both', 'halt'],
    calmMs: 4000,
    onProgress: (state) => console.log(`  ${inShort(state)}`),
  });
  for (const [name, value] of Object.entries(report)) {
    if (typeof value === 'number' && name !== 'seed') total[name] = (total[name] ?? 0) + value;
  }
  console.log(`  ${inShort(report)} deliveries ${JSON.stringify(report.deliveries)}`);
  if (report.violations.length > 0) {
    for (const violation of report.violations) console.error(`  ${violation}`);
    stop(`${report.violations.length} defects with seed ${seed}; the logs are in ${home}.`, 1);
  }
  rmSync(home, { recursive: true, force: true });
}
await vite.close();
console.log(`nothing lost, nothing twice: ${inShort(total)}`);

function inShort(report) {
  const names = {
    accepted: 'accepted',
    seenAsNew: 'seen as new',
    duplicatesRecognised: 'duplicates recognised',
    notifications: 'notifications',
    gatewayKills: 'gateway kills',
    gatewayStarts: 'starts',
    redisKills: 'Redis kills',
    halts: 'halts',
    terminalLives: 'terminal lives',
  };
  return Object.entries(names)
    .map(([key, name]) => `${report[key] ?? 0} ${name}`)
    .join(', ');
}
