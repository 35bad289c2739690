import { useState } from 'preact/hooks';
import { Button } from '../design/button.tsx';
import { Choice, Field } from '../design/field.tsx';
import { Fault } from '../design/notice.tsx';
import { text } from '../texts/text.ts';
import { Door } from './door.tsx';
import { useEntry } from './entry.ts';
import { Password } from './password.tsx';
import { activate } from './session.ts';

/** A person's first login, with the code from the school's sheet. */
export function Activate() {
  const [username, setUsername] = useState('');
  const [code, setCode] = useState('');
  const [password, setPassword] = useState('');
  const [isOwnDevice, setOwnDevice] = useState(false);
  const entry = useEntry();
  const submit = () => {
    const isMissing = [username, code, password].some((value) => value.trim() === '');
    if (isMissing) return entry.refuse(text('activate-missing'));
    void entry.enter(activate(username, code, password, isOwnDevice));
  };
  return (
    <Door title={text('activate-title')}>
      <p class="door__help">{text('activate-help')}</p>
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
        <Field
          label={text('activate-code')}
          help={text('activate-code-help')}
          value={code}
          onInput={setCode}
          autoComplete="one-time-code"
          autoCapitalize="characters"
          spellcheck={false}
        />
        <Password
          label={text('activate-new-password')}
          help={text('activate-password-help')}
          value={password}
          onInput={setPassword}
          autoComplete="new-password"
        />
        <Choice
          label={text('login-own-device')}
          help={text('login-own-device-help')}
          checked={isOwnDevice}
          onChange={setOwnDevice}
        />
        <Button kind="main" type="submit" busy={entry.state.kind === 'busy'}>
          {text(entry.state.kind === 'busy' ? 'login-busy' : 'activate-submit')}
        </Button>
      </form>
      <p class="door__other">
        <a href="/login">{text('activate-to-login')}</a>
      </p>
    </Door>
  );
}
