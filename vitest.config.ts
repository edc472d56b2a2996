import { defineConfig } from 'vitest/config';

/**
 * Two projects. `unit` is pure and fast: codecs, domain, architecture rules. `system` starts real processes
 * (Redis, sipp, tshark, whole gateways), after the other, two files at a time.
 */
const SYSTEM = [
  'test/{contracts,endpoints,interop,crash,system,transports,stores,queues,peers}/**/*.test.ts',
];

/** Patience for `expect.poll`: machines are busy, and a second is soon over. */
const expectation = { poll: { timeout: 45_000 } };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: SYSTEM,
          testTimeout: 10_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'system',
          include: SYSTEM,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          testTimeout: 60_000,
          expect: expectation,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
