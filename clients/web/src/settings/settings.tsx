import { useState } from 'preact/hooks';
import { Button } from '../design/button.tsx';
import { Question } from '../design/dialog.tsx';
import { Choice } from '../design/field.tsx';
import { PageHead } from '../design/page.tsx';
import { chooseTheme, THEMES, type Theme, theme } from '../design/theme.ts';
import { profileName } from '../inbox/filters.tsx';
import { logOut } from '../login/session.ts';
import { waitingCount } from '../store/sends.ts';
import type { Store } from '../store/store.ts';
import { LANGUAGE_NAMES, LANGUAGES, language } from '../texts/language.ts';
import { roleName } from '../texts/roles.ts';
import { chooseLanguage, type Key, text } from '../texts/text.ts';
import { Logins } from './logins.tsx';
import { hasNoProfile } from './no_profiles.tsx';
import { PresenceVisibility } from './presence.tsx';
import './settings.css';

const THEME_NAMES: Readonly<Record<Theme, Key>> = {
  system: 'settings-theme-system',
  light: 'settings-theme-light',
  dark: 'settings-theme-dark',
};

export function Settings({ store }: { readonly store: Store }) {
  return (
    <div class="page settings">
      <PageHead title={text('settings-title')} />
      <Profiles store={store} />
      <fieldset class="settings__part">
        <legend class="settings__title">{text('settings-language')}</legend>
        {LANGUAGES.map((known) => (
          <Choice
            key={known}
            oneOf="language"
            label={LANGUAGE_NAMES[known]}
            checked={language.value === known}
            onChange={() => void chooseLanguage(known)}
          />
        ))}
      </fieldset>
      <fieldset class="settings__part">
        <legend class="settings__title">{text('settings-theme')}</legend>
        {THEMES.map((known) => (
          <Choice
            key={known}
            oneOf="theme"
            label={text(THEME_NAMES[known])}
            checked={theme.value === known}
            onChange={() => chooseTheme(known)}
          />
        ))}
      </fieldset>
      <PresenceVisibility store={store} />
      <Logins store={store} />
      <LogOut store={store} />
      <footer class="settings__foot">
        <a href="/was">{text('settings-accessibility')}</a>
        <span>{text('settings-version', { version: import.meta.env.VITE_VERSION ?? '0.1' })}</span>
      </footer>
    </div>
  );
}

function Profiles({ store }: { readonly store: Store }) {
  const profiles = store.me.value?.profiles ?? [];
  return (
    <section class="settings__part" aria-labelledby="profiles-title">
      <h2 class="settings__title" id="profiles-title">
        {text('settings-profiles')}
      </h2>
      {hasNoProfile(store) ? (
        <p class="settings__soft">{`${text('profiles-none')}. ${text('profiles-none-help')}`}</p>
      ) : null}
      <ul>
        {profiles.map((own) => (
          <li class="settings__row" key={own.profile}>
            <strong>{own.name}</strong>
            <span class="settings__soft">{`${profileName(own, profiles)} · ${roleName(own.role)}`}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function LogOut({ store }: { readonly store: Store }) {
  const [isAsked, setAsked] = useState(false);
  const waiting = waitingCount(store.sends.value);
  const warnings = [
    ...(waiting > 0 ? [text('settings-log-out-waiting', { count: waiting })] : []),
    ...(store.connection.value.kind === 'live' ? [] : [text('settings-log-out-offline')]),
  ];
  return (
    <section class="settings__part">
      <Button kind="danger" icon="leave" onPress={() => setAsked(true)}>
        {text('settings-log-out')}
      </Button>
      {isAsked ? (
        <Question
          title={text('settings-log-out-title')}
          help={text('settings-log-out-help')}
          warning={warnings.join(' ') || null}
          submit={text('settings-log-out')}
          onClose={() => setAsked(false)}
          onSubmit={() => void logOut()}
        />
      ) : null}
    </section>
  );
}
