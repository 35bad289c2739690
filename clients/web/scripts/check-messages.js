// Fails when a text is missing in a language, is there in one language only, fills in other things than the other, or
// is used by nobody. What the server says to people counts as ours. With --write it writes src/texts/keys.ts, by which the compiler knows every key.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FluentResource } from '@fluent/bundle';

const KEYS_FILE = 'src/texts/keys.ts';
const LANGUAGES = ['da', 'en'];
/** What the server says to people. The page may say it in words of its own, and need not say all of it. */
const SHARED = '../../protocol/messages';

/** The messages of a language by key, each with the names of what is filled in. */
function messagesOf(language) {
  const files = readdirSync('messages').filter(
    (name) => name === `${language}.ftl` || name.endsWith(`.${language}.ftl`),
  );
  const source = files.map((name) => readFileSync(`messages/${name}`, 'utf8')).join('\n');
  const shared = readFileSync(`${SHARED}/${language}.ftl`, 'utf8');
  const found = new Map();
  for (const text of [shared, source])
    for (const { id, value } of new FluentResource(text).body) found.set(id, filledIn(value).sort().join(' '));
  const written = [...source.matchAll(/^([a-z][a-z0-9-]*) *=/gm)].map(([, id]) => id);
  const faults = written
    .filter((id, place) => written.indexOf(id) !== place || !found.has(id))
    .map((id) => `${language}: ${id} is there twice or cannot be read`);
  return { found, faults, shared: new Set(new FluentResource(shared).body.map(({ id }) => id)) };
}

function filledIn(node) {
  if (Array.isArray(node)) return [...new Set(node.flatMap(filledIn))];
  if (node === null || typeof node !== 'object') return [];
  if (node.type === 'var') return [node.name];
  return [...new Set(Object.values(node).flatMap(filledIn))];
}

function sourceFiles(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return path === 'src/sdk' ? [] : sourceFiles(path);
    return /\.tsx?$/.test(path) && !/\.test\.tsx?$/.test(path) && path !== KEYS_FILE ? [path] : [];
  });
}

function keysModule(keys) {
  const lines = keys.map((key) => `  | '${key}'`).join('\n');
  return `// Written by scripts/check-messages.js --write from messages/.\nexport type Key =\n${lines};\n`;
}

const [danish, ...others] = LANGUAGES.map(messagesOf);
const faults = [danish, ...others].flatMap((language) => language.faults);
for (const [place, other] of others.entries()) {
  const name = LANGUAGES[place + 1];
  for (const [key, names] of danish.found) {
    if (!other.found.has(key)) faults.push(`${key} is missing in ${name}`);
    else if (other.found.get(key) !== names) faults.push(`${key} fills in other things in ${name}`);
  }
  for (const key of other.found.keys()) if (!danish.found.has(key)) faults.push(`${key} is missing in da`);
}

const code = sourceFiles('src').map((path) => readFileSync(path, 'utf8'));
const quoted = new Set(
  code.flatMap((source) => [...source.matchAll(/['"]([a-z][a-z0-9-]*)['"]/g)].map(([, key]) => key)),
);
const asked = code.flatMap((source) => [...source.matchAll(/\btext\(\s*['"]([a-z0-9-]+)['"]/g)].map(([, key]) => key));
for (const key of new Set(asked)) if (!danish.found.has(key)) faults.push(`${key} is used but in no language`);
for (const key of danish.found.keys())
  if (!quoted.has(key) && !danish.shared.has(key)) faults.push(`${key} is used by nobody`);

const keys = keysModule([...danish.found.keys()]);
if (process.argv.includes('--write')) writeFileSync(KEYS_FILE, keys);
else if (readFileSync(KEYS_FILE, 'utf8') !== keys) faults.push(`${KEYS_FILE} is old: run "npm run messages"`);

for (const fault of faults) process.stderr.write(`${fault}\n`);
process.stdout.write(`${danish.found.size} texts in ${LANGUAGES.length} languages, ${faults.length} faults\n`);
process.exitCode = faults.length === 0 ? 0 : 1;
