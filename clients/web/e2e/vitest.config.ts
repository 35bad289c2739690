import { defineConfig } from 'vitest/config';

/** Scenarios in a real browser against a real server: one at a time, since they measure and since a browser is large. */
export default defineConfig({
  test: {
    include: ['e2e/**/*.test.ts'],
    globalSetup: 'e2e/requirements.ts',
    fileParallelism: false,
    // One process for all files: none leaves anything behind that the next could stumble over.
    isolate: false,
    testTimeout: 180_000,
    hookTimeout: 120_000,
  },
});
