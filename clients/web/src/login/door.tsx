import type { ComponentChildren } from 'preact';
import { Logo } from '../design/logo.tsx';
import { LANGUAGE_NAMES, LANGUAGES, language } from '../texts/language.ts';
import { chooseLanguage, text } from '../texts/text.ts';
import { usePageTitle } from '../title.ts';
import './door.css';

interface DoorProps {
  readonly title: string;
  readonly children: ComponentChildren;
}

/** The frame of what one sees before one is in. The language can be changed here: whoever cannot read it needs it most. */
export function Door({ title, children }: DoorProps) {
  usePageTitle(title);
  return (
    <main class="door" id="content">
      <div class="door__welcome">
        <Logo />
        <p class="door__name">{text('app-name')}</p>
        <p class="door__words">{text('login-welcome')}</p>
      </div>
      <div class="door__sheet">
        <h1>{title}</h1>
        {children}
      </div>
      <p class="door__foot">
        <a href="/was">{text('settings-accessibility')}</a>
      </p>
      <fieldset class="door__languages" aria-label={text('settings-language')}>
        {LANGUAGES.map((known) => (
          <button
            key={known}
            type="button"
            class="door__language"
            lang={known}
            aria-pressed={language.value === known}
            onClick={() => void chooseLanguage(known)}
          >
            {LANGUAGE_NAMES[known]}
          </button>
        ))}
      </fieldset>
    </main>
  );
}
