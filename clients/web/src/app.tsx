import { useEffect } from 'preact/hooks';
import './app.css';
import { Announcer } from './design/announcer.tsx';
import { Logo } from './design/logo.tsx';
import { Activate } from './login/activate.tsx';
import { Login } from './login/login.tsx';
import { session } from './login/session.ts';
import { go, route } from './router.ts';
import { Shell } from './shell.tsx';
import { text } from './texts/text.ts';

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
  useEffect(() => {
    if (now.kind === 'open' && isDoor) go({ kind: 'inbox' }, { replace: true });
    if (now.kind === 'closed' && !isDoor) go({ kind: 'login' }, { replace: true });
  }, [now.kind, isDoor]);
  switch (now.kind) {
    case 'opening':
      return <Opening />;
    case 'closed':
      return place.kind === 'activate' ? <Activate /> : <Login because={now.because} />;
    case 'open':
      return <Shell store={now.store} />;
  }
}

function Opening() {
  return (
    <main class="opening" aria-busy="true">
      <Logo />
      <p>{text('app-loading')}</p>
    </main>
  );
}
