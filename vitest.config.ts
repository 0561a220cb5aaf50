import { defineConfig } from 'vitest/config';

/**
 * Test projects (CONTRIBUTING.md, "Tests"): `unit` needs no network and no server; `engine` runs graphs on ONNX
 * Runtime; `integration` starts a real Temporal server and a real MongoDB-compatible store once for all its files.
 */
/** Of one core in four, or one that others want too: nothing is faster for a shorter time-out. */
const patience = { expect: { poll: { timeout: 30_000 } } };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          sequence: { groupOrder: 0 },
          include: ['{shared,audit,workflows,activities,workers,cli,bootstrap,runs}/**/*.test.ts'],
          exclude: ['activities/runtime/**/*.test.ts'],
          ...patience,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'engine',
          sequence: { groupOrder: 1 },
          include: ['activities/runtime/**/*.test.ts', 'tests/engine/**/*.test.ts'],
          ...patience,
          testTimeout: 300_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'integration',
          // After the others: its servers and workers need the cores.
          sequence: { groupOrder: 2 },
          include: ['tests/{integration,workflows,replay,browser}/**/*.test.ts'],
          globalSetup: ['tests/helpers/servers.ts'],
          ...patience,
          testTimeout: 240_000,
          hookTimeout: 240_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
