import { existsSync } from 'node:fs';
import { CHROMIUM, PAGE, SERVER } from './harness/places.ts';

const NEEDED = [
  { path: SERVER, remedy: 'build it with "cargo build --package samtale-gateway", or set SAMTALE_BIN' },
  { path: CHROMIUM, remedy: 'install it with "apt-get install chromium", or set CHROMIUM' },
  { path: `${PAGE}/index.html`, remedy: 'build the page with scripts/web' },
];

/** Says before the first scenario what is missing: without it every one would fail, each in its own words. */
export default function requirements(): void {
  const missing = NEEDED.filter(({ path }) => !existsSync(path));
  if (missing.length === 0) return;
  const lines = missing.map(({ path, remedy }) => `  ${path} is missing: ${remedy}`);
  throw new Error(`the browser tests cannot run:\n${lines.join('\n')}`);
}
