import { useEffect, useRef, useState } from 'preact/hooks';
import { announce } from '../design/announcer.tsx';
import { Button } from '../design/button.tsx';
import { Field, Choice as Option } from '../design/field.tsx';
import { PageHead } from '../design/page.tsx';
import { childrenOf } from '../inbox/children.ts';
import { profileName } from '../inbox/filters.tsx';
import { knownName } from '../inbox/names.ts';
import { attempted } from '../problem.tsx';
import { go } from '../router.ts';
import { limits, newId } from '../sdk/index.ts';
import type { OwnProfile, ProfileId } from '../sdk/protocol.ts';
import { hasNoProfile, NoProfiles } from '../settings/no_profiles.tsx';
import type { Store } from '../store/store.ts';
import { type Key, text } from '../texts/text.ts';
import { Chosen } from './choice.ts';
import './compose.css';
import { EMPTY, type Letter, letterOf, type Missing, missingIn, outgoingOf, writeAs, writerOf } from './letter.ts';
import { Recipients } from './recipients.tsx';

/** How long the screen waits for the new thread. After that, the inbox shows that it waits. */
const PATIENCE_MS = 4000;

const MISSING: Readonly<Record<Missing, Key>> = {
  choice: 'compose-missing-choice',
  to: 'compose-missing-to',
  subject: 'compose-missing-subject',
  words: 'compose-missing-text',
};

/** A new thread: to whom, about what, and the first message. */
export function Compose({ store }: { readonly store: Store }) {
  const [missing, setMissing] = useState<Missing | null>(null);
  const [awaited, setAwaited] = useState<string | null>(null);
  const profiles = store.me.value?.profiles ?? [];
  const letter = letterOf(store);
  const own = writerOf(store);
  const change = (part: Partial<Letter>) => {
    letter.value = { ...letter.value, ...part };
  };
  useAwaited(store, awaited);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (missing !== null) form.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus();
  }, [missing]);
  if (!own) return hasNoProfile(store) ? <Nobody /> : null;
  // What has been put right in the meantime is no fault any more.
  const fault = missing !== null && missing === missingIn(letter.value) ? missing : null;
  const faultIn = (...parts: readonly Missing[]) =>
    fault !== null && parts.includes(fault) ? text(MISSING[fault], { search: letter.value.search.trim() }) : null;

  const submit = async () => {
    const found = missingIn(letter.value);
    setMissing(found);
    if (found !== null || awaited !== null) return;
    const clientId = newId();
    if (!(await attempted(store, store.server.queue(outgoingOf(letter.value, own, clientId))))) return;
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
      {profiles.length > 1 ? <From store={store} profiles={profiles} own={own} /> : null}
      <Recipients
        key={own.profile}
        store={store}
        space={own.space}
        profile={own.profile}
        label={text('compose-to')}
        chosen={letter.value.to}
        search={letter.value.search}
        onSearch={(search) => change({ search })}
        onChange={(to) => change({ to })}
        fault={faultIn('choice', 'to')}
      />
      <Field
        label={text('compose-subject')}
        value={letter.value.subject}
        onInput={(subject) => change({ subject })}
        maxLength={limits.SUBJECT_BYTES / 2}
        fault={faultIn('subject')}
      />
      <Regarding store={store} own={own} onChange={(regarding) => change({ regarding })} />
      <Message words={letter.value.words} onInput={(words) => change({ words })} fault={faultIn('words')} />
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

/** Without a profile there is nobody to write as. */
function Nobody() {
  return (
    <div class="page">
      <PageHead title={text('compose-title')} />
      <NoProfiles />
    </div>
  );
}

interface FromProps {
  readonly store: Store;
  readonly profiles: readonly OwnProfile[];
  readonly own: OwnProfile;
}

function From({ store, profiles, own }: FromProps) {
  return (
    <label class="field">
      <span class="field__label">{text('compose-space')}</span>
      <select class="compose__from" value={own.profile} onChange={(event) => writeAs(store, event.currentTarget.value)}>
        {profiles.map((profile) => (
          <option key={profile.profile} value={profile.profile}>
            {`${profile.name} · ${profileName(profile, profiles)}`}
          </option>
        ))}
      </select>
    </label>
  );
}

interface RegardingProps {
  readonly store: Store;
  readonly own: OwnProfile;
  readonly onChange: (regarding: readonly ProfileId[]) => void;
}

/** Which children it is about: those whose parent one writes as, and those that are among the recipients. */
function Regarding({ store, own, onChange }: RegardingProps) {
  const { regarding, to } = letterOf(store).value;
  const ownChildren = childrenOf(store, [own.profile]).map((child) => child.profile);
  const children = [...new Set([...ownChildren, ...Chosen.children(to)])];
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
              onChange(checked ? [...regarding, child] : regarding.filter((other) => other !== child))
            }
          />
        ))}
      </div>
    </fieldset>
  );
}

interface MessageProps {
  readonly words: string;
  readonly onInput: (words: string) => void;
  readonly fault: string | null;
}

function Message({ words, onInput, fault }: MessageProps) {
  return (
    <label class="field">
      <span class="field__label">{text('compose-text')}</span>
      <textarea
        class="compose__text"
        rows={7}
        dir="auto"
        value={words}
        aria-invalid={fault ? true : undefined}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
      {fault ? (
        <span class="field__fault" role="alert">
          {fault}
        </span>
      ) : null}
    </label>
  );
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
