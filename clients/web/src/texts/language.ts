import { signal } from '@preact/signals';

/** The languages that the app speaks. `qps-plocm` is made up: mirrored, to see that right-to-left works. */
export const LANGUAGES = ['da', 'en'] as const;
export type Language = (typeof LANGUAGES)[number] | 'qps-plocm';

/** Each in itself, so that whoever looks for it can read it. */
export const LANGUAGE_NAMES: Readonly<Record<(typeof LANGUAGES)[number], string>> = { da: 'Dansk', en: 'English' };

const KEY = 'samtale.language';

/** The language of the page now. */
export const language = signal<Language>(firstLanguage());

/** What the browser's own formatting (dates, numbers, sorting) is asked for. */
export function locale(): string {
  if (language.value === 'da') return 'da-DK';
  return language.value === 'en' ? 'en-GB' : 'ar-u-nu-latn';
}

export function direction(): 'ltr' | 'rtl' {
  return language.value === 'qps-plocm' ? 'rtl' : 'ltr';
}

/** A choice of the browser, not of a person: it says nothing about who was here, so it stays over a log-out. */
export function rememberLanguage(chosen: Language): void {
  localStorage.setItem(KEY, chosen);
}

function firstLanguage(): Language {
  if (typeof location !== 'undefined') {
    const asked = new URLSearchParams(location.search).get('lang');
    if (asked === 'qps-plocm' || isLanguage(asked)) return asked;
  }
  const remembered = typeof localStorage === 'undefined' ? null : localStorage.getItem(KEY);
  return isLanguage(remembered) ? remembered : 'da';
}

function isLanguage(text: string | null): text is Language {
  return LANGUAGES.some((known) => known === text);
}
