// Five kinds of tests (CONTRIBUTING.md): unit and property run the sources under Node; faults, integration and real drive
// the built binary one file after the other, since they share the machine.

import { defineConfig } from 'vitest/config';

const serial = {
  fileParallelism: false,
  testTimeout: 120_000,
  hookTimeout: 120_000,
  pool: 'forks',
  globalSetup: 'test/setup/global.ts',
} as const;

export default defineConfig({
  test: {
    projects: [
      {
        test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
      },
      { test: { name: 'property', include: ['test/property/**/*.test.ts'], testTimeout: 60_000 } },
      { test: { name: 'faults', include: ['test/faults/**/*.test.ts'], ...serial } },
      { test: { name: 'integration', include: ['test/{integration,conformance}/**/*.test.ts'], ...serial } },
      {
        test: {
          name: 'real',
          include: ['test/real/**/*.test.ts'],
          ...serial,
          testTimeout: 1_800_000,
          hookTimeout: 1_800_000,
        },
      },
    ],
  },
});
