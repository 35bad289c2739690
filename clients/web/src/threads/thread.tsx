import { useComputed } from '@preact/signals';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Avatar } from '../design/avatar.tsx';
import { Button, IconButton } from '../design/button.tsx';
import { Empty } from '../design/notice.tsx';
import { knownName } from '../inbox/names.ts';
import { lazy } from '../lazy.ts';
import { go } from '../router.ts';
import type { ThreadId } from '../sdk/protocol.ts';
import { present } from '../store/room.ts';
import type { Store } from '../store/store.ts';
import { loadThread } from '../store/thread_pages.ts';
import { listing, text } from '../texts/text.ts';
import { Composer, type Intent } from './composer.tsx';
import { Messages } from './messages.tsx';
import './thread.css';

const Details = lazy(() => import('./details.tsx').then((module) => module.Details));

interface ThreadProps {
  readonly store: Store;
  readonly thread: ThreadId;
}

/** One thread: who is in it, what was said, and where one answers. */
export function ThreadScreen({ store, thread }: ThreadProps) {
  const [intent, setIntent] = useState<Intent>({ kind: 'all' });
  const [isDetails, setDetails] = useState(false);
  const heading = useRef<HTMLHeadingElement>(null);
  const isGone = store.gone.value.has(thread);

  useLayoutEffect(() => {
    store.open.value = thread;
    loadThread(store, thread);
    heading.current?.focus();
    return () => {
      if (store.open.value === thread) store.open.value = null;
    };
  }, [store, thread]);

  if (isGone) {
    return (
      <Empty title={text('thread-gone')}>
        <Button onPress={() => go({ kind: 'inbox' }, { replace: true })}>{text('app-to-inbox')}</Button>
      </Empty>
    );
  }
  return (
    <article class="thread">
      <header class="thread__head">
        <span class="thread__back">
          <IconButton icon="back" label={text('app-back')} onPress={() => go({ kind: 'inbox' })} />
        </span>
        <div class="thread__names">
          <h1 class="thread__subject" ref={heading} tabIndex={-1}>
            {subjectOf(store, thread)}
          </h1>
          <Who store={store} thread={thread} />
        </div>
        <IconButton icon="group" label={text('thread-details')} opens="dialog" onPress={() => setDetails(true)} />
      </header>
      <Messages store={store} thread={thread} onIntent={setIntent} />
      <Composer store={store} thread={thread} intent={intent} onIntent={setIntent} />
      {isDetails ? <Details store={store} thread={thread} onClose={() => setDetails(false)} /> : null}
    </article>
  );
}

function subjectOf(store: Store, thread: ThreadId): string {
  const known = store.room(thread).value?.thread ?? store.summaries.value.get(thread)?.thread;
  if (!known) return text('thread-loading');
  return known.subject || text('inbox-no-subject');
}

const FACES = 3;

/** Under the subject: the others in it, who of them is online, and which child it is about. */
function Who({ store, thread }: ThreadProps) {
  const room = store.room(thread).value;
  const others = useComputed(() => {
    const known = store.room(thread).value;
    return known ? present(known).filter((member) => !store.own.value.has(member.profile)) : [];
  });
  const online = others.value.filter((member) => store.online.value.has(member.profile));
  const children = (room?.thread.regarding ?? []).flatMap((child) => knownName(store, child) ?? []);
  const shown = [...new Set([...online, ...others.value])].slice(0, FACES);
  const names = others.value.length <= FACES ? listing(others.value.map((member) => member.name)) : null;
  const count = room ? present(room).length : 0;
  return (
    <p class="thread__who">
      <span class="thread__faces">
        {shown.map((member) => (
          <Avatar key={member.profile} id={member.profile} name={member.name} online={online.includes(member)} />
        ))}
      </span>
      {names || (count > 0 ? text('thread-members-count', { count }) : null)}
      {online.length > 0 && others.value.length === 1 ? (
        <span class="thread__online">{text('thread-online')}</span>
      ) : null}
      {children.length > 0 ? (
        <span class="entry__child">{text('inbox-regarding', { names: listing(children) })}</span>
      ) : null}
    </p>
  );
}
