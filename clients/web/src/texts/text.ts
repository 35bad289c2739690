import { FluentBundle, FluentResource, type FluentVariable } from '@fluent/bundle';
import { signal } from '@preact/signals';
import type { Key } from './keys.ts';
import { direction, type Language, language, locale, rememberLanguage } from './language.ts';
import { pseudo } from './pseudo.ts';

export type { Key } from './keys.ts';

/** What is filled into a text: numbers are written as the language writes them. */
export type Args = Readonly<Record<string, FluentVariable>>;

const bundle = signal(new FluentBundle('da'));

/** The text of a key in the language of the page. A component that calls it is drawn again when the language changes. */
export function text(key: Key, args: Args | null = null): string {
  const message = bundle.value.getMessage(key);
  if (!message?.value) return key;
  // Errors are collected, not thrown: a sentence with a hole is better than no page.
  return bundle.value.formatPattern(message.value, args, []);
}

/** Loads a language and makes it the page's. */
export async function speak(chosen: Language): Promise<void> {
  const source = await messages(chosen);
  // Isolation marks keep a name written the other way from turning a sentence around; only there is it worth them.
  const mirrored = chosen === 'qps-plocm';
  const loaded = new FluentBundle(mirrored ? 'en' : chosen, {
    useIsolating: mirrored,
    ...(mirrored ? { transform: pseudo } : {}),
  });
  loaded.addResource(new FluentResource(source));
  language.value = chosen;
  bundle.value = loaded;
  document.documentElement.lang = mirrored ? 'ar' : chosen;
  document.documentElement.dir = direction();
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

async function messages(chosen: Language): Promise<string> {
  if (chosen === 'da') return (await import('../../messages/da.ftl?raw')).default;
  return (await import('../../messages/en.ftl?raw')).default;
}
