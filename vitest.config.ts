import { defineConfig } from 'vitest/config';

/**
 * Test projects (CONTRIBUTING.md, "Tests"): `unit` needs no network and no server; `engine` runs graphs on ONNX
 * Runtime; `integration` starts a real Temporal server and a real MongoDB-compatible store once for all its files.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          sequence: { groupOrder: 0 },
          include: ['{shared,audit,workflows,activities,workers,cli,bootstrap,runs}/**/*.test.ts'],
          exclude: ['activities/runtime/**/*.test.ts'],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'engine',
          sequence: { groupOrder: 1 },
          include: ['activities/runtime/**/*.test.ts', 'tests/engine/**/*.test.ts'],
          testTimeout: 120_000,
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
          testTimeout: 240_000,
          hookTimeout: 240_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
