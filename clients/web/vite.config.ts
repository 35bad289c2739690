import { defineConfig } from 'vitest/config';
import { serviceWorker } from './build/service-worker.ts';

// In development the API of a running server is passed through, so that page and socket have one origin as in production.
const server = process.env.SAMTALE_SERVER ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [serviceWorker()],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: 'es2022',
    // The polyfill is an inline script's worth of code for browsers that the target excludes anyway.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    license: { fileName: 'licenses.md' },
  },
  server: { proxy: { '/v1': { target: server, ws: true, changeOrigin: true, rewriteWsOrigin: true } } },
  preview: { proxy: { '/v1': { target: server, ws: true, changeOrigin: true, rewriteWsOrigin: true } } },
  test: { include: ['src/**/*.test.ts', 'src/**/*.test.tsx'], exclude: ['src/sdk/**', 'node_modules/**'] },
});
