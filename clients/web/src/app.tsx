import { useEffect } from 'preact/hooks';
import './app.css';
import { Announcer } from './design/announcer.tsx';
import { Logo } from './design/logo.tsx';
import { lazy } from './lazy.ts';
import { Login } from './login/login.tsx';
import { session } from './login/session.ts';
import { go, route } from './router.ts';
import { Shell } from './shell.tsx';
import { Statement } from './statement/lazy.ts';
import { text } from './texts/text.ts';
import { usePageTitle } from './title.ts';

// Once in a person's life.
const Activate = lazy(() => import('./login/activate.tsx').then((module) => module.Activate));

export function App() {
  return (
    <>
      <Screen />
      <Announcer />
    </>
  );
}

function Screen() {
  const { value: now } = session;
  const { value: place } = route;
  const isDoor = place.kind === 'login' || place.kind === 'activate';
  const isForAll = place.kind === 'statement';
  useEffect(() => {
    if (now.kind === 'open' && isDoor) go({ kind: 'inbox' }, { replace: true });
    if (now.kind === 'closed' && !isDoor && !isForAll) go({ kind: 'login' }, { replace: true });
  }, [now.kind, isDoor, isForAll]);
  if (isForAll && now.kind !== 'open') return <Alone />;
  switch (now.kind) {
    case 'opening':
      return <Opening />;
    case 'closed':
      return place.kind === 'activate' ? <Activate /> : <Login because={now.because} />;
    case 'open':
      return <Shell store={now.store} />;
  }
}

/** What one may read without being logged in. */
function Alone() {
  usePageTitle(text('settings-accessibility'));
  return (
    <main id="content">
      <Statement />
    </main>
  );
}

function Opening() {
  return (
    <main class="opening" aria-busy="true">
      <Logo />
      <p>{text('app-loading')}</p>
    </main>
  );
}
