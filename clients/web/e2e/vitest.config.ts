import { defineConfig } from 'vitest/config';

/** What measures the page has the machine to itself. */
const MEASURES = ['e2e/harness.test.ts', 'e2e/long_thread.test.ts'];

/** Scenarios in a real browser against a real server, two at a time: mostly they wait. */
export default defineConfig({
  test: {
    globalSetup: 'e2e/requirements.ts',
    // One process for many files: none leaves anything behind that the next could stumble over.
    isolate: false,
    testTimeout: 180_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: { name: 'scenarios', include: ['e2e/**/*.test.ts'], exclude: MEASURES, maxWorkers: 2 },
      },
      {
        extends: true,
        test: { name: 'measures', include: MEASURES, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
