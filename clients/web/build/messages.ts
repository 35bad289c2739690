import { FluentResource } from '@fluent/bundle';
import type { Plugin } from 'vite';
import type { Phrase, Phrases, Piece } from '../src/texts/phrase.ts';

type Pattern = NonNullable<FluentResource['body'][number]['value']>;
type Element = Exclude<Pattern, string>[number];

/** Reads Fluent files while building, so that the page need not: of the language only what our texts use is understood. */
export function messages(): Plugin {
  return {
    name: 'samtale-messages',
    transform(source, file) {
      if (!file.endsWith('.ftl')) return null;
      return { code: `export default ${JSON.stringify(phrasesOf(source))}`, map: null };
    },
  };
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
