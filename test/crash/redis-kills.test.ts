/** The private Redis is killed under the gateway, alone and together with it. */
import { describeCrashRun } from '../support/crash-suite.js';

describeCrashRun('kill -9 of Redis', {
  gateways: 1,
  durationMs: 12_000,
  disturbances: ['redis', 'redis', 'both'],
  calmMs: 2500,
});
