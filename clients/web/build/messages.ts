import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { FluentResource } from '@fluent/bundle';
import type { Plugin } from 'vite';
import type { Phrase, Phrases, Piece } from '../src/texts/phrase.ts';

type Pattern = NonNullable<FluentResource['body'][number]['value']>;
type Element = Exclude<Pattern, string>[number];

/** What the server says to people, by language: the page says it in the same words, unless it has better ones of its own. */
const SHARED = '../../protocol/messages';
const LANGUAGE = /^(?:da|en)\.ftl$/;

/** Reads Fluent files while building, so that the page need not: of the language only what our texts use is understood. */
export function messages(): Plugin {
  return {
    name: 'samtale-messages',
    transform(source, file) {
      if (!file.endsWith('.ftl')) return null;
      const phrases = { ...sharedPhrases(file, (path) => this.addWatchFile(path)), ...phrasesOf(source) };
      return { code: `export default ${JSON.stringify(phrases)}`, map: null };
    },
  };
}

function sharedPhrases(file: string, watch: (path: string) => void): Phrases {
  if (!LANGUAGE.test(basename(file))) return {};
  const path = resolve(SHARED, basename(file));
  watch(path);
  return phrasesOf(readFileSync(path, 'utf8'));
}

export function phrasesOf(source: string): Phrases {
  const { body } = new FluentResource(source);
  return Object.fromEntries(body.flatMap(({ id, value }) => (value === null ? [] : [[id, phraseOf(value)]])));
}

function phraseOf(pattern: Pattern): Phrase {
  return typeof pattern === 'string' ? pattern : pattern.map(pieceOf);
}

function pieceOf(element: Element): Piece {
  if (typeof element === 'string') return element;
  if (element.type === 'var') return { fill: element.name };
  if (element.type !== 'select' || element.selector.type !== 'var') {
    throw new Error(`a text uses "${element.type}", which the app does not understand`);
  }
  const cases = element.variants.map(({ key, value }) => [String(key.value), phraseOf(value)] as const);
  const otherwise = String(element.variants[element.star]?.key.value);
  return { by: element.selector.name, cases: Object.fromEntries(cases), otherwise };
}
