import { useState } from 'preact/hooks';
import { type Choice, Chosen } from '../compose/choice.ts';
import { isUnchosen } from '../compose/letter.ts';
import { Recipients } from '../compose/recipients.tsx';
import { Button } from '../design/button.tsx';
import { Dialog, Question } from '../design/dialog.tsx';
import { Field, Choice as Option } from '../design/field.tsx';
import { setThread } from '../inbox/actions.ts';
import { limits } from '../sdk/index.ts';
import type { ThreadId } from '../sdk/protocol.ts';
import { steers } from '../store/room.ts';
import type { Store } from '../store/store.ts';
import { text } from '../texts/text.ts';
import { addMembers, leave, rename } from './actions.ts';
import './details.css';
import { Members } from './members.tsx';

interface DetailsProps {
  readonly store: Store;
  readonly thread: ThreadId;
  readonly onClose: () => void;
}

/** Who is in a thread, and what one can do with the thread as a whole. */
export function Details({ store, thread, onClose }: DetailsProps) {
  const summary = store.summaries.value.get(thread);
  const room = store.room(thread).value;
  const isIn = room?.mayWrite === true && summary?.leftAt === null;
  const own = store.me.value?.profiles.find(({ profile }) => profile === summary?.profile);
  const mayChange = isIn && own !== undefined && steers(room, own);
  return (
    <Dialog title={text('thread-details')} onClose={onClose} side>
      {summary ? (
        <section class="details__part">
          <Option
            label={text('inbox-muted')}
            checked={summary.muted}
            onChange={(muted) => void setThread(store, thread, { muted })}
          />
          <Option
            label={text('inbox-marked')}
            checked={summary.marked}
            onChange={(marked) => void setThread(store, thread, { marked })}
          />
        </section>
      ) : null}
      {mayChange ? <Rename store={store} thread={thread} /> : null}
      {mayChange ? <Add store={store} thread={thread} /> : null}
      <Members store={store} thread={thread} mayChange={mayChange} />
      {isIn ? <Leave store={store} thread={thread} onLeft={onClose} /> : null}
    </Dialog>
  );
}

function Rename({ store, thread }: Omit<DetailsProps, 'onClose'>) {
  const subject = store.room(thread).value?.thread.subject ?? '';
  const [next, setNext] = useState<string | null>(null);
  if (next === null) {
    return (
      <Button icon="edit" onPress={() => setNext(subject)}>
        {text('thread-rename')}
      </Button>
    );
  }
  const save = async () => {
    if (next.trim() === '' || next === subject || (await rename(store, thread, next.trim()))) setNext(null);
  };
  return (
    <form
      class="details__form"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <Field label={text('compose-subject')} value={next} onInput={setNext} maxLength={limits.SUBJECT_BYTES} />
      <Button kind="main" type="submit">
        {text('thread-rename-submit')}
      </Button>
    </form>
  );
}

function Add({ store, thread }: Omit<DetailsProps, 'onClose'>) {
  const [chosen, setChosen] = useState<readonly Choice[] | null>(null);
  const [search, setSearch] = useState('');
  const [isRefused, setRefused] = useState(false);
  const [fromTheBeginning, setFromTheBeginning] = useState(false);
  const space = store.spaceOf(thread);
  if (!space) return null;
  if (chosen === null) {
    return (
      <Button icon="add" onPress={() => setChosen([])}>
        {text('thread-add')}
      </Button>
    );
  }
  const add = async () => {
    setRefused(isUnchosen(search));
    if (isUnchosen(search)) return;
    if (chosen.length > 0 && !(await addMembers(store, thread, Chosen.recipients(chosen), fromTheBeginning))) return;
    setChosen(null);
  };
  return (
    <div class="details__form">
      <Recipients
        store={store}
        space={space}
        profile={store.summaries.value.get(thread)?.profile ?? null}
        label={text('thread-add')}
        chosen={chosen}
        onChange={setChosen}
        search={search}
        onSearch={setSearch}
        fault={isRefused && isUnchosen(search) ? text('compose-missing-choice', { search: search.trim() }) : null}
      />
      <fieldset>
        <legend class="unseen">{text('thread-add-from-help')}</legend>
        <Option
          oneOf="from"
          label={text('thread-add-from-now')}
          checked={!fromTheBeginning}
          onChange={() => setFromTheBeginning(false)}
        />
        <Option
          oneOf="from"
          label={text('thread-add-from-beginning')}
          help={text('thread-add-from-help')}
          checked={fromTheBeginning}
          onChange={() => setFromTheBeginning(true)}
        />
      </fieldset>
      <Button kind="main" onPress={() => void add()}>
        {text('thread-add-submit')}
      </Button>
    </div>
  );
}

function Leave({ store, thread, onLeft }: Omit<DetailsProps, 'onClose'> & { readonly onLeft: () => void }) {
  const [isAsked, setAsked] = useState(false);
  return (
    <>
      <Button kind="danger" icon="leave" onPress={() => setAsked(true)}>
        {text('thread-leave')}
      </Button>
      {isAsked ? (
        <Question
          title={text('thread-leave-title')}
          help={text('thread-leave-help')}
          submit={text('thread-leave-submit')}
          onClose={() => setAsked(false)}
          onSubmit={() => {
            setAsked(false);
            void leave(store, thread).then((isDone) => isDone && onLeft());
          }}
        />
      ) : null}
    </>
  );
}
