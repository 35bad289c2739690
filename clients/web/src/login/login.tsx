import { useState } from 'preact/hooks';
import { Button } from '../design/button.tsx';
import { Choice, Field } from '../design/field.tsx';
import { Fault, Notice } from '../design/notice.tsx';
import { type Key, text } from '../texts/text.ts';
import { Door } from './door.tsx';
import { useEntry } from './entry.ts';
import { Password } from './password.tsx';
import { logIn, type Session } from './session.ts';

type Because = Extract<Session, { kind: 'closed' }>['because'];

const WHY: Readonly<Record<Because, Key | null>> = {
  nobody: null,
  logged_out: 'login-logged-out',
  ended: 'login-ended',
  outdated: 'login-outdated',
  outbox: 'error-outbox',
};

export function Login({ because }: { readonly because: Because }) {
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const [isOwnDevice, setOwnDevice] = useState(false);
  const entry = useEntry();
  const why = WHY[because];
  const submit = () => {
    if (username.trim() === '' || password === '') return entry.refuse(text('login-missing'));
    void entry.enter(logIn(username, password, isOwnDevice));
  };
  return (
    <Door title={text('login-title')}>
      {why && entry.state.kind === 'waiting' ? <Notice>{text(why)}</Notice> : null}
      {entry.state.kind === 'refused' ? <Fault>{entry.state.why}</Fault> : null}
      <form
        class="door__form"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <Field
          label={text('login-username')}
          value={username}
          onInput={setUsername}
          autoComplete="username"
          autoCapitalize="none"
          spellcheck={false}
        />
        <Password
          label={text('login-password')}
          value={password}
          onInput={setPassword}
          autoComplete="current-password"
        />
        <Choice
          label={text('login-own-device')}
          help={text('login-own-device-help')}
          checked={isOwnDevice}
          onChange={setOwnDevice}
        />
        <Button kind="main" type="submit" busy={entry.state.kind === 'busy'}>
          {text(entry.state.kind === 'busy' ? 'login-busy' : 'login-submit')}
        </Button>
      </form>
      <p class="door__other">
        {text('login-first-time')} <a href="/activate">{text('login-to-activate')}</a>
      </p>
    </Door>
  );
}
