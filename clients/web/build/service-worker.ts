import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Plugin, transformWithOxc } from 'vite';

const SOURCE = 'src/service-worker.ts';
const OUTPUT = 'service-worker.js';
/** What the shell never needs offline. */
const NOT_KEPT = /\.(map|md)$|^service-worker\.js$/;
/** Copied from `public/` by Vite itself, so not in the bundle that a plugin sees. */
const PUBLIC_FILES = ['manifest.webmanifest', 'icons/samtale.svg'];

/**
 * Writes the service worker with the list of what was built. Its version is a hash of every file's content: the same
 * build gives the same worker, and one changed byte anywhere makes browsers fetch the shell anew.
 */
export function serviceWorker(): Plugin {
  return {
    name: 'samtale-service-worker',
    apply: 'build',
    generateBundle: {
      order: 'post',
      async handler(_options, bundle) {
        const hash = createHash('sha256');
        const files: string[] = [];
        for (const name of Object.keys(bundle).sort()) {
          if (NOT_KEPT.test(name)) continue;
          const built = bundle[name];
          hash.update(name).update(built?.type === 'chunk' ? built.code : (built?.source ?? ''));
          files.push(name === 'index.html' ? '/' : `/${name}`);
        }
        for (const name of PUBLIC_FILES) {
          hash.update(name).update(readFileSync(`public/${name}`));
          files.push(`/${name}`);
        }
        const worker = readFileSync(SOURCE, 'utf8');
        const { code } = await transformWithOxc(worker, SOURCE);
        const source = code
          .replaceAll('__FILES__', JSON.stringify(files))
          .replaceAll('__VERSION__', JSON.stringify(hash.update(worker).digest('hex').slice(0, 16)));
        this.emitFile({ type: 'asset', fileName: OUTPUT, source });
      },
    },
  };
}
