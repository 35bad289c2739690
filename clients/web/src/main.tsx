import { render } from 'preact';
import './design/tokens.css';
import './design/base.css';
import './design/icon.css';
import { App } from './app.tsx';
import { followNewVersions } from './connection/new_version.ts';
import { followTheme } from './design/theme.ts';
import { resumeSession } from './login/session.ts';
import { followAddress } from './router.ts';
import { language } from './texts/language.ts';
import { speak } from './texts/text.ts';

// No waiting at the top of the module: what is imported later imports from here, and would wait for it in turn.
async function start(): Promise<void> {
  followTheme();
  followAddress();
  followNewVersions();
  await Promise.all([speak(language.value), resumeSession()]);
  const place = document.getElementById('app');
  if (place) render(<App />, place);
}

void start();
