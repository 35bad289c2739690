import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import type { Plugin } from 'vite';

const WORTH_IT = /\.(?:js|css|html|svg|json|webmanifest)$/;

/** Writes a `.br` beside each file that gets smaller by it, once and as small as it goes; the gateway sends those. */
export function compressed(): Plugin {
  let folder = '';
  return {
    name: 'samtale-compressed',
    apply: 'build',
    configResolved(config) {
      folder = join(config.root, config.build.outDir);
    },
    // Of what `public/` holds no other hook would see anything.
    closeBundle() {
      for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
        if (entry.isFile() && WORTH_IT.test(entry.name)) compress(join(entry.parentPath, entry.name));
      }
    },
  };
}

function compress(file: string): void {
  const whole = readFileSync(file);
  const options = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };
  const small = brotliCompressSync(whole, options);
  if (small.length < whole.length) writeFileSync(`${file}.br`, small);
}
