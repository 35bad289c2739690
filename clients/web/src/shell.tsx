import { useEffect } from 'preact/hooks';
import { ConnectionLine } from './connection/line.tsx';
import { Button } from './design/button.tsx';
import { Icon } from './design/icon.tsx';
import { Logo } from './design/logo.tsx';
import { Empty } from './design/notice.tsx';
import { Inbox } from './inbox/inbox.tsx';
import { lazy } from './lazy.ts';
import { ProblemNotice } from './problem.tsx';
import { go, type Route, route } from './router.ts';
import './shell.css';
import { hasNoProfile } from './settings/no_profiles.tsx';
import { Statement } from './statement/lazy.ts';
import type { Store } from './store/store.ts';
import { text } from './texts/text.ts';
import { followPresence } from './threads/presence.ts';
import { ThreadScreen } from './threads/thread.tsx';
import { useTitle } from './title.ts';

// What most visits do not need comes when it is needed; the service worker has it by then.
const Compose = lazy(() => import('./compose/compose.tsx').then((module) => module.Compose));
const Settings = lazy(() => import('./settings/settings.tsx').then((module) => module.Settings));

/** The app of someone who is logged in: the inbox and, beside or over it, what is open. */
export function Shell({ store }: { readonly store: Store }) {
  const { value: place } = route;
  useTitle(store, place);
  useEffect(() => followPresence(store), [store]);
  return (
    <div class={`shell shell--${place.kind}`}>
      <a class="skip" href="#content">
        {text('app-skip-to-content')}
      </a>
      <header class="shell__bar">
        <a class="shell__home" href="/">
          <Logo />
          <span class="shell__name">{text('app-name')}</span>
        </a>
        <nav class="shell__ways" aria-label={text('app-navigation')}>
          <a
            class="shell__way shell__way--main"
            href="/new"
            aria-current={place.kind === 'compose' ? 'page' : undefined}
          >
            <Icon name="edit" small />
            {text('inbox-new')}
          </a>
          <a
            class="shell__way"
            href="/settings"
            aria-label={text('settings-title')}
            title={text('settings-title')}
            aria-current={place.kind === 'settings' ? 'page' : undefined}
          >
            <Icon name="settings" />
          </a>
        </nav>
      </header>
      <ConnectionLine store={store} />
      <main class="shell__panes" id="content" tabIndex={-1}>
        <section class="shell__inbox" aria-labelledby="inbox-title">
          <Inbox store={store} />
        </section>
        <div class="shell__open">
          <Open store={store} place={place} />
        </div>
      </main>
      <ProblemNotice store={store} />
    </div>
  );
}

function Open({ store, place }: { readonly store: Store; readonly place: Route }) {
  switch (place.kind) {
    case 'thread':
      return <ThreadScreen key={place.thread} store={store} thread={place.thread} />;
    case 'compose':
      return <Compose store={store} />;
    case 'settings':
      return <Settings store={store} />;
    case 'statement':
      return <Statement />;
    case 'not_found':
      return (
        <Empty title={text('app-not-found')} help={text('app-not-found-help')}>
          <Button onPress={() => go({ kind: 'inbox' })}>{text('app-to-inbox')}</Button>
        </Empty>
      );
    default:
      // Beside an inbox that says why it stays empty there is nothing to choose.
      return hasNoProfile(store) ? null : <Empty title={text('inbox-pick')} help={text('inbox-pick-help')} />;
  }
}
