import { effect, signal } from '@preact/signals';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEY = 'samtale.theme';
const GROUND = { light: '#faf7f2', dark: '#14191d' } as const;

/** Of the browser, not of a person, as the language is. */
export const theme = signal<Theme>(remembered());

export function chooseTheme(chosen: Theme): void {
  localStorage.setItem(KEY, chosen);
  theme.value = chosen;
}

/** Keeps the page in the chosen theme, and in the system's while that is the choice. */
export function followTheme(): void {
  const prefersDark = matchMedia('(prefers-color-scheme: dark)');
  const systemDark = signal(prefersDark.matches);
  prefersDark.addEventListener('change', (event) => {
    systemDark.value = event.matches;
  });
  effect(() => {
    const dark = theme.value === 'dark' || (theme.value === 'system' && systemDark.value);
    document.documentElement.dataset.theme = dark ? 'dark' : 'light';
    for (const meta of document.querySelectorAll('meta[name=theme-color]')) {
      meta.setAttribute('content', GROUND[dark ? 'dark' : 'light']);
    }
  });
}

function remembered(): Theme {
  const kept = typeof localStorage === 'undefined' ? null : localStorage.getItem(KEY);
  return THEMES.find((known) => known === kept) ?? 'system';
}
