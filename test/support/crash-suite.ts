/** One crash test as a suite: runs it, keeps what is needed to look into a failure, and says what must hold at the end. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seedOfRun } from './crash-chance.js';
import { type CrashReport, type CrashRunOptions, crashRun } from './crash-run.js';
import { buildGateway } from './gateway-process.js';

/** Start, chaos and settling on a machine that is busy with other tests. */
const LIMIT_MS = 600_000;
const LEAST_ACCEPTED = 150;

export function describeCrashRun(what: string, options: Omit<CrashRunOptions, 'seed' | 'home'>): void {
  const seed = seedOfRun();
  describe(`${what} (CARILLON_SEED=${seed})`, () => {
    let home: string | undefined;
    let report: CrashReport | undefined;

    beforeAll(async () => {
      buildGateway();
      home = mkdtempSync(join(tmpdir(), 'carillon-crash-'));
      report = await crashRun({ leastAccepted: LEAST_ACCEPTED, ...options, seed, home });
      writeFileSync(join(home, 'report.json'), JSON.stringify(report, undefined, 2));
    }, LIMIT_MS);
    afterAll(() => {
      if (home === undefined) return;
      if (report?.violations.length === 0) rmSync(home, { recursive: true, force: true });
      else console.error(`the logs of this run are in ${home}`);
    });

    it('loses nothing that was accepted and shows no terminal anything twice as new', () => {
      expect(report?.violations).toEqual([]);
    });

    it('was put to the test', () => {
      const { accepted = 0, gatewayKills = 0, redisKills = 0, halts = 0 } = report ?? {};
      expect(accepted).toBeGreaterThanOrEqual(LEAST_ACCEPTED);
      expect(gatewayKills + redisKills + halts).toBeGreaterThan(2);
      expect(report?.deliveries['delivered'] ?? 0).toBeGreaterThan(LEAST_ACCEPTED / 2);
    });
  });
}
