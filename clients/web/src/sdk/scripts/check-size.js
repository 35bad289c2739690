// Fails when the SDK, with its two libraries, is larger than its share of the first load of the app.

import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';
import { build } from 'vite';

/** Compressed with brotli. The app's whole first load has 60 KiB. */
const BUDGET_BYTES = 18 * 1024;

const entry = 'sdk-entry';
const sdk = fileURLToPath(new URL('../index.ts', import.meta.url));
const bundle = await build({
  configFile: false,
  logLevel: 'error',
  plugins: [
    {
      // What an application uses; the rest is left out, as it is there.
      name: 'entry',
      resolveId: (id) => (id === entry ? id : undefined),
      load: (id) =>
        id === entry
          ? `import { Client, LoginService, followDevice, forgetPerson, indexedDbStores, newId } from ${JSON.stringify(sdk)};
             globalThis.sdk = { Client, LoginService, followDevice, forgetPerson, indexedDbStores, newId };`
          : undefined,
    },
  ],
  build: { write: false, target: 'es2022', modulePreload: { polyfill: false }, rollupOptions: { input: entry } },
});
const code = bundle.output.map((chunk) => chunk.code ?? '').join('');
const bytes = brotliCompressSync(code).length;
process.stdout.write(`sdk: ${code.length} bytes, ${bytes} with brotli, of ${BUDGET_BYTES}\n`);
process.exit(bytes > BUDGET_BYTES ? 1 : 0);
