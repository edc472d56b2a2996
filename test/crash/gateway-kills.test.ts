/** The gateway is killed at random (SIR-167): at work, and while it starts. Its Redis lives on, and the next one adopts it. */
import { describeCrashRun } from '../support/crash-suite.js';

describeCrashRun('kill -9 of the gateway', {
  gateways: 1,
  durationMs: 12_000,
  disturbances: ['gateway'],
  calmMs: 2500,
});
