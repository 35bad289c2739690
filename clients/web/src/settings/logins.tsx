import { useEffect, useState } from 'preact/hooks';
import { Button } from '../design/button.tsx';
import { Question } from '../design/dialog.tsx';
import { attempted } from '../problem.tsx';
import type { Login } from '../sdk/protocol.ts';
import type { Store } from '../store/store.ts';
import { dateAndTime } from '../texts/dates.ts';
import { faultText } from '../texts/faults.ts';
import { text } from '../texts/text.ts';

type Listed =
  | { readonly kind: 'loading' }
  | { readonly kind: 'known'; readonly logins: readonly Login[] }
  | { readonly kind: 'failed'; readonly why: string };

/** Where one is logged in, and how to end it there: what one does who has lost a phone. */
export function Logins({ store }: { readonly store: Store }) {
  const [listed, setListed] = useState<Listed>({ kind: 'loading' });
  const [ending, setEnding] = useState<Login | null>(null);
  const isLive = store.connection.value.kind === 'live';
  const load = async () => {
    try {
      const { logins } = await store.server.request({ op: 'list_logins' });
      setListed({ kind: 'known', logins });
    } catch (error) {
      setListed({ kind: 'failed', why: faultText(error) });
    }
  };
  useEffect(() => void load(), [isLive]);
  return (
    <section class="settings__part" aria-labelledby="logins-title">
      <h2 class="settings__title" id="logins-title">
        {text('settings-logins')}
      </h2>
      <p class="settings__soft">{text('settings-logins-help')}</p>
      {listed.kind === 'loading' ? <p role="status">{text('app-loading')}</p> : null}
      {listed.kind === 'failed' ? (
        <p role="status">
          {listed.why} <Button onPress={() => void load()}>{text('app-retry')}</Button>
        </p>
      ) : null}
      <ul>
        {listed.kind === 'known'
          ? listed.logins.map((login) => <Row key={login.session} login={login} onEnd={setEnding} />)
          : null}
      </ul>
      {ending ? (
        <Question
          title={text('settings-login-end-title', { client: ending.client })}
          help={text('settings-login-end-help')}
          submit={text('settings-login-end')}
          onClose={() => setEnding(null)}
          onSubmit={() => {
            setEnding(null);
            void attempted(store, store.server.request({ op: 'end_login', session: ending.session })).then(load);
          }}
        />
      ) : null}
    </section>
  );
}

function Row({ login, onEnd }: { readonly login: Login; readonly onEnd: (login: Login) => void }) {
  return (
    <li class="settings__row settings__row--login">
      <span>
        <strong>{login.client}</strong>
        <span class="settings__soft">{text('settings-login-since', { date: dateAndTime(login.since) })}</span>
      </span>
      {login.current ? (
        <span class="settings__here">{text('settings-login-current')}</span>
      ) : (
        <Button onPress={() => onEnd(login)}>{text('settings-login-end')}</Button>
      )}
    </li>
  );
}
