import { defineConfig } from 'vitest/config';
import { firstOfAll } from './build/chunks.ts';
import { compressed } from './build/compressed.ts';
import { messages } from './build/messages.ts';
import { serviceWorker } from './build/service-worker.ts';

// In development the API of a running server is passed through, so that page and socket have one origin as in production.
const server = process.env.SAMTALE_SERVER ?? 'http://127.0.0.1:8080';

const api = {
  '/v1': { target: server, ws: true, changeOrigin: true, rewriteWsOrigin: true, headers: { origin: server } },
};
/** As the gateway sends it, so that what breaks under it breaks here first. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export default defineConfig({
  plugins: [messages(), serviceWorker(), compressed()],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: 'es2022',
    // The polyfill is an inline script's worth of code for browsers that the target excludes anyway.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: firstOfAll, debugName: 'first of all' }] } } },
    license: { fileName: 'licenses.md' },
  },
  server: { proxy: api },
  preview: { proxy: api, headers: { 'Content-Security-Policy': policy } },
  test: { include: ['src/**/*.test.ts', 'src/**/*.test.tsx'], exclude: ['src/sdk/**', 'node_modules/**'] },
});
