import { signal } from '@preact/signals';
import type { Key } from './keys.ts';
import { direction, type Language, language, locale, rememberLanguage } from './language.ts';
import { type Args, type Phrases, said, type Voice } from './phrase.ts';
import { pseudo } from './pseudo.ts';

export type { Key } from './keys.ts';

/** Texts that come with the screen that they are for, and not before. */
type Part = 'statement';

const FIRST_STRONG_ISOLATE = '\u2068';
const END_OF_ISOLATE = '\u2069';

const parts = new Set<Part>();
const spoken = signal<{ readonly phrases: Phrases; readonly voice: Voice }>({ phrases: {}, voice: voiceOf('da') });

/** The text of a key in the language of the page. A component that calls it is drawn again when the language changes. */
export function text(key: Key, args: Args = {}): string {
  const { phrases, voice } = spoken.value;
  const phrase = phrases[key];
  return phrase === undefined ? key : said(phrase, args, voice);
}

/** Loads a language and makes it the page's. */
export async function speak(chosen: Language): Promise<void> {
  const loaded = await Promise.all([messages(chosen), ...[...parts].map((part) => PARTS[part](chosen))]);
  language.value = chosen;
  spoken.value = { phrases: Object.assign({}, ...loaded), voice: voiceOf(chosen) };
  document.documentElement.lang = chosen === 'qps-plocm' ? 'ar' : chosen;
  document.documentElement.dir = direction();
}

/** Has texts come that are not here from the beginning; they stay through a change of language. */
export async function alsoSpeak(part: Part): Promise<void> {
  if (parts.has(part)) return;
  parts.add(part);
  await speak(language.value);
}

/** What the person chose in the settings. */
export async function chooseLanguage(chosen: Language): Promise<void> {
  rememberLanguage(chosen);
  await speak(chosen);
}

/** Names in the order in which the language sorts them: å last in Danish. */
export function byName(one: { readonly name: string }, other: { readonly name: string }): number {
  return new Intl.Collator(locale()).compare(one.name, other.name);
}

/** "Anna, Bo og Carla" */
export function listing(names: readonly string[]): string {
  return new Intl.ListFormat(locale(), { type: 'conjunction' }).format(names);
}

async function messages(chosen: Language): Promise<Phrases> {
  if (chosen === 'da') return (await import('../../messages/da.ftl')).default;
  return (await import('../../messages/en.ftl')).default;
}

const PARTS: Readonly<Record<Part, (chosen: Language) => Promise<Phrases>>> = {
  statement: async (chosen) => {
    if (chosen === 'da') return (await import('../../messages/statement.da.ftl')).default;
    return (await import('../../messages/statement.en.ftl')).default;
  },
};

function voiceOf(chosen: Language): Voice {
  const mirrored = chosen === 'qps-plocm';
  const name = mirrored ? 'en' : chosen;
  const numbers = new Intl.NumberFormat(name);
  const plurals = new Intl.PluralRules(name);
  return {
    number: (value) => numbers.format(value),
    plural: (value) => plurals.select(value),
    written: mirrored ? pseudo : (text) => text,
    // Isolation marks keep a name written the other way from turning a sentence around; only there is it worth them.
    filled: mirrored ? (text) => FIRST_STRONG_ISOLATE + text + END_OF_ISOLATE : (text) => text,
  };
}
