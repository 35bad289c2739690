// The golden frames of `protocol/golden/`, as every program of the project reads them.

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Encoding } from '../codec.ts';

const FOLDER = fileURLToPath(new URL('../../../../../protocol/golden/', import.meta.url));

export interface GoldenFile {
  name: string;
  encoding: Encoding;
  content: Uint8Array | string;
}

export function goldenText(path: string): string {
  return readFileSync(FOLDER + path, 'utf8').replace(/\n$/, '');
}

export function goldenFiles(folder: string): GoldenFile[] {
  return readdirSync(FOLDER + folder)
    .sort()
    .map((file) => {
      const text = goldenText(`${folder}/${file}`);
      const [name = '', ...extensions] = file.split('.');
      if (extensions.join('.') === 'json') return { name, encoding: 'json', content: text };
      return { name, encoding: 'msgpack', content: Uint8Array.from(Buffer.from(text, 'hex')) };
    });
}
