import { defineConfig } from 'vitest/config';

/**
 * Two projects. `unit` is pure and fast: codecs, domain, architecture rules. `system` starts real processes
 * (Redis, sipp, tshark, whole gateways), after the other, two files at a time.
 */
const SYSTEM = [
  'test/{contracts,endpoints,interop,crash,system,transports,stores,queues,peers}/**/*.test.ts',
];

/** Patience, not a measure of speed: what takes a second alone takes many on a machine that is slow or busy with other things. */
const PATIENCE = { testTimeout: 120_000, hookTimeout: 120_000, expect: { poll: { timeout: 45_000 } } };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: SYSTEM,
          ...PATIENCE,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'system',
          include: SYSTEM,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          ...PATIENCE,
        },
      },
    ],
  },
});
