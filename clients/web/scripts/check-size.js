// What a phone must fetch before it shows anything: the entry script, all that it imports statically, and the texts of
// one language. Fails above the budget.
import { readdirSync, readFileSync, statSync } from 'node:fs';

const BUDGET_BYTES = 60 * 1024;
const ASSETS = 'dist/assets';

function staticImports(source) {
  return [...source.matchAll(/(?:from|import)\s*["']\.\/([^"']+\.js)["']/g)].map(([, name]) => name);
}

function withImports(name, seen = new Set()) {
  if (seen.has(name)) return seen;
  seen.add(name);
  for (const imported of staticImports(readFileSync(`${ASSETS}/${name}`, 'utf8'))) withImports(imported, seen);
  return seen;
}

const compressed = (name) =>
  statSync(`${ASSETS}/${name}.br`, { throwIfNoEntry: false })?.size ?? statSync(`${ASSETS}/${name}`).size;
const page = readFileSync('dist/index.html', 'utf8');
const entry = /<script[^>]+src="\/assets\/([^"]+)"/.exec(page)[1];
const first = withImports(entry);
const texts = readdirSync(ASSETS).filter((name) => /^(da|en)-.*\.js$/.test(name));
const largestText = texts.sort((one, other) => compressed(other) - compressed(one))[0];
first.add(largestText);

let total = 0;
for (const name of first) {
  total += compressed(name);
  process.stdout.write(`${String(compressed(name)).padStart(7)}  ${name}\n`);
}
for (const name of readdirSync(ASSETS)) {
  if (!name.endsWith('.br') && !first.has(name))
    process.stdout.write(`${String(compressed(name)).padStart(7)}  ${name} (later, or no script)\n`);
}
process.stdout.write(`${total} bytes of compressed script at first load, ${BUDGET_BYTES} allowed\n`);
process.exitCode = total <= BUDGET_BYTES ? 0 : 1;
