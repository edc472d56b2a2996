/** Two gateways on one Redis: one is killed, stopped for longer than its leases and let go again, while the other works on. */
import { describeCrashRun } from '../support/crash-suite.js';

describeCrashRun('two gateways on one Redis', {
  gateways: 2,
  durationMs: 16_000,
  disturbances: ['gateway', 'halt', 'halt'],
  calmMs: 2000,
});
