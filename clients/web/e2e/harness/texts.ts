import { readFileSync } from 'node:fs';
import { FluentBundle, FluentResource, type FluentVariable } from '@fluent/bundle';
import type { Key } from '../../src/texts/keys.ts';
import { MESSAGES } from './places.ts';

export type Language = 'da' | 'en';
export type Text = (key: Key, filledIn?: Record<string, FluentVariable>) => string;

/** The texts of the page, from where the page has them: scenarios do not fail because a sentence was improved. */
export function textsIn(language: Language): Text {
  const bundle = new FluentBundle(language, { useIsolating: false });
  bundle.addResource(new FluentResource(readFileSync(`${MESSAGES}/${language}.ftl`, 'utf8')));
  return (key, filledIn = {}) => {
    const pattern = bundle.getMessage(key)?.value;
    if (!pattern) throw new Error(`${key} is in no language`);
    return bundle.formatPattern(pattern, filledIn, null);
  };
}
