import { signal } from '@preact/signals';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { announce } from '../design/announcer.tsx';
import { Button } from '../design/button.tsx';
import { Field, Choice as Option } from '../design/field.tsx';
import { PageHead } from '../design/page.tsx';
import { ownChildren } from '../inbox/children.ts';
import { profileName } from '../inbox/filters.tsx';
import { knownName } from '../inbox/names.ts';
import { attempted } from '../problem.tsx';
import { go } from '../router.ts';
import { limits, newId } from '../sdk/index.ts';
import type { OwnProfile, ProfileId } from '../sdk/protocol.ts';
import type { Store } from '../store/store.ts';
import { type Key, text } from '../texts/text.ts';
import { isSendable, textParts } from '../threads/actions.ts';
import { type Choice, Chosen } from './choice.ts';
import './compose.css';
import { Recipients } from './recipients.tsx';

/** What is written so far. It outlives the screen: who looks something up in another thread finds it again. */
interface Letter {
  readonly as: ProfileId | null;
  readonly to: readonly Choice[];
  readonly subject: string;
  readonly regarding: readonly ProfileId[];
  readonly words: string;
}

const EMPTY: Letter = { as: null, to: [], subject: '', regarding: [], words: '' };
const letter = signal<Letter>(EMPTY);
/** How long the screen waits for the new thread. After that, the inbox shows that it waits. */
const PATIENCE_MS = 4000;

type Missing = 'to' | 'subject' | 'words';
const MISSING: Readonly<Record<Missing, Key>> = {
  to: 'compose-missing-to',
  subject: 'compose-missing-subject',
  words: 'compose-missing-text',
};

/** A new thread: to whom, about what, and the first message. */
export function Compose({ store }: { readonly store: Store }) {
  const [missing, setMissing] = useState<Missing | null>(null);
  const [awaited, setAwaited] = useState<string | null>(null);
  const profiles = store.me.value?.profiles ?? [];
  const own = profiles.find((profile) => profile.profile === letter.value.as) ?? profiles[0];
  useAwaited(store, awaited);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (missing !== null) form.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus();
  }, [missing]);
  if (!own) return null;

  const submit = async () => {
    const fault = missingIn(letter.value);
    setMissing(fault);
    if (fault !== null || awaited !== null) return;
    const clientId = await start(store, own, letter.value);
    if (clientId === null) return;
    letter.value = EMPTY;
    setAwaited(clientId);
  };
  return (
    <form
      ref={form}
      class="page compose"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <PageHead title={text('compose-title')} />
      {profiles.length > 1 ? <From profiles={profiles} own={own} /> : null}
      <Recipients
        key={own.profile}
        store={store}
        space={own.space}
        profile={own.profile}
        label={text('compose-to')}
        chosen={letter.value.to}
        onChange={(to) => change({ to })}
        fault={missing === 'to' ? text(MISSING.to) : null}
      />
      <Field
        label={text('compose-subject')}
        value={letter.value.subject}
        onInput={(subject) => change({ subject })}
        maxLength={limits.SUBJECT_BYTES / 2}
        fault={missing === 'subject' ? text(MISSING.subject) : null}
      />
      <Regarding store={store} />
      <Message fault={missing === 'words' ? text(MISSING.words) : null} />
      <div class="compose__actions">
        <Button
          kind="quiet"
          onPress={() => {
            letter.value = EMPTY;
            go({ kind: 'inbox' });
          }}
        >
          {text('compose-discard')}
        </Button>
        <Button kind="main" type="submit" icon="send" busy={awaited !== null}>
          {text(awaited === null ? 'compose-submit' : 'compose-sending')}
        </Button>
      </div>
    </form>
  );
}

function From({ profiles, own }: { readonly profiles: readonly OwnProfile[]; readonly own: OwnProfile }) {
  return (
    <label class="field">
      <span class="field__label">{text('compose-space')}</span>
      <select
        class="compose__from"
        value={own.profile}
        // Who can be written to depends on who writes.
        onChange={(event) => change({ as: event.currentTarget.value, to: [], regarding: [] })}
      >
        {profiles.map((profile) => (
          <option key={profile.profile} value={profile.profile}>
            {`${profile.name} · ${profileName(profile, profiles)}`}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Which children it is about: one's own, and those that are among the recipients. */
function Regarding({ store }: { readonly store: Store }) {
  const own = useMemo(() => ownChildren(store), [store]);
  const { regarding, to } = letter.value;
  const children = [...new Set([...own.value.map((child) => child.profile), ...Chosen.children(to)])];
  if (children.length === 0) return null;
  return (
    <fieldset class="compose__regarding">
      <legend class="field__label">{text('compose-regarding')}</legend>
      <p class="field__help">{text('compose-regarding-help')}</p>
      <div class="compose__children">
        {children.map((child) => (
          <Option
            key={child}
            label={knownName(store, child) ?? text('role-child')}
            checked={regarding.includes(child)}
            onChange={(checked) =>
              change({ regarding: checked ? [...regarding, child] : regarding.filter((other) => other !== child) })
            }
          />
        ))}
      </div>
    </fieldset>
  );
}

function Message({ fault }: { readonly fault: string | null }) {
  return (
    <label class="field">
      <span class="field__label">{text('compose-text')}</span>
      <textarea
        class="compose__text"
        rows={7}
        dir="auto"
        value={letter.value.words}
        aria-invalid={fault ? true : undefined}
        onInput={(event) => change({ words: event.currentTarget.value })}
      />
      {fault ? (
        <span class="field__fault" role="alert">
          {fault}
        </span>
      ) : null}
    </label>
  );
}

function change(part: Partial<Letter>): void {
  letter.value = { ...letter.value, ...part };
}

function missingIn({ to, subject, words }: Letter): Missing | null {
  if (to.length === 0) return 'to';
  if (subject.trim() === '') return 'subject';
  return isSendable(words) ? null : 'words';
}

/** Takes it into the outbox, and says by which id its thread will be known; null when it could not be kept. */
async function start(store: Store, own: OwnProfile, { to, subject, regarding, words }: Letter): Promise<string | null> {
  const client_id = newId();
  const queued = store.server.queue({
    op: 'start_thread',
    client_id,
    space: own.space,
    as_profile: own.profile,
    to: Chosen.recipients(to),
    subject: subject.trim(),
    parts: textParts(words),
    ...(regarding.length > 0 ? { regarding: [...regarding] } : {}),
  });
  return (await attempted(store, queued)) ? client_id : null;
}

function useAwaited(store: Store, clientId: string | null): void {
  const arrived = clientId === null ? undefined : store.arrived.value.get(clientId);
  useEffect(() => {
    if (arrived) go({ kind: 'thread', thread: arrived }, { replace: true });
  }, [arrived]);
  useEffect(() => {
    if (clientId === null) return;
    const patience = store.connection.value.kind === 'live' ? PATIENCE_MS : 0;
    const timer = setTimeout(() => {
      announce(text('compose-queued'));
      go({ kind: 'inbox' }, { replace: true });
    }, patience);
    return () => clearTimeout(timer);
  }, [clientId]);
}
