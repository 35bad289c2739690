import { useComputed } from '@preact/signals';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { announce } from '../design/announcer.tsx';
import { Icon } from '../design/icon.tsx';
import { nameOf } from '../inbox/names.ts';
import type { MessageId, ReadMark, ThreadId } from '../sdk/protocol.ts';
import { firstUnread, isUnread } from '../store/conversation.ts';
import { Pause } from '../store/pause.ts';
import { sendsIn } from '../store/sends.ts';
import type { Store } from '../store/store.ts';
import { loadOlder } from '../store/thread_pages.ts';
import { previewOf } from '../store/wording.ts';
import { dayHeading } from '../texts/dates.ts';
import { text } from '../texts/text.ts';
import { markRead } from './actions.ts';
import type { Intent } from './composer.tsx';
import { Log } from './log.tsx';
import { MessageRow } from './message.tsx';
import './messages.css';
import { NEW_KEY, newAfter, type Row, rowsOf, shownFrom } from './rows.ts';
import { SendRow } from './send.tsx';
import { TopRow } from './top.tsx';
import type { Place } from './window.ts';

/** So often at most is said what was read. */
const READ_PAUSE_MS = 1000;
/** After a pause, as soon as this: a glance counts, a flick past does not. */
const READ_SOON_MS = 150;
/** Older messages are asked for when so few rows are above the screen. */
const NEAR_TOP_ROWS = 12;

interface MessagesProps {
  readonly store: Store;
  readonly thread: ThreadId;
  readonly onIntent: (intent: Intent) => void;
}

/** What was said in a thread. The first screen waits until it is known where one stopped reading. */
export function Messages(props: MessagesProps) {
  const conversation = props.store.conversation(props.thread).value;
  const isKnown = conversation.older !== 'unknown' || conversation.messages.length > 0;
  if (!isKnown) {
    return (
      <div class="messages messages--loading" aria-busy="true" role="status">
        {text('thread-loading')}
      </div>
    );
  }
  return <Known {...props} />;
}

function Known({ store, thread, onIntent }: MessagesProps) {
  const conversation = store.conversation(thread);
  const own = store.own.value;
  const newFrom = useNewFrom(store, thread);
  const sends = useComputed(() => sendsIn(store.sends.value, thread));
  const [from, setFrom] = useState(() => shownFrom(conversation.value, newFrom));
  const rows = useMemo(
    () => rowsOf(conversation.value, from, sends.value, newFrom, own),
    [conversation.value, from, sends.value, newFrom, own],
  );
  const [isAtEnd, setAtEnd] = useState(true);
  const seen = useRef<MessageId | null>(null);
  const toEnd = useRef<(() => void) | null>(null);
  const readers = useReading(store, thread);
  const [active, setActive] = useState<string | null>(null);
  useArrivals(store, thread);
  useFollowOwn(sends.value.length, toEnd);

  const lastMessage = conversation.value.messages.at(-1)?.message ?? null;
  const onShow = (shown: readonly Row[], above: number, place: Place) => {
    const end = place.kind === 'end';
    if (end) seen.current = lastMessage;
    if (end !== isAtEnd) setAtEnd(end);
    readers.shown(shown);
    if (above >= NEAR_TOP_ROWS) return;
    const before = shownFrom(conversation.value, from);
    if (before !== from) setFrom(before);
    else if (conversation.value.older === 'more') void loadOlder(store, thread);
  };
  const lastRow = rows.findLast((row) => row.kind === 'message')?.key ?? null;
  const current = active !== null && rows.some((row) => row.key === active) ? active : lastRow;

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it hears the keys of the messages in it.
    <div class="messages" onKeyDown={(event) => moveBetweenMessages(event, setActive)}>
      <Log
        label={text('thread-log', { subject: store.summaries.value.get(thread)?.thread.subject ?? '' })}
        rows={rows}
        beginAt={newFrom === null ? null : NEW_KEY}
        onShow={onShow}
        holds={(row) => row.kind === 'message' || row.kind === 'send'}
        toEnd={toEnd}
        draw={(row) => {
          switch (row.kind) {
            case 'top':
              return <TopRow store={store} thread={thread} />;
            case 'day':
              return <h2 class="messages__day">{dayHeading(row.time, Date.now())}</h2>;
            case 'new':
              return <h2 class="messages__new">{text('thread-new')}</h2>;
            case 'message':
              return <MessageRow store={store} row={row} isCurrent={row.key === current} onIntent={onIntent} />;
            case 'end':
              return <div class="messages__end" />;
            case 'send':
              return <SendRow store={store} send={row.send} continues={row.continues} />;
          }
        }}
      />
      {isAtEnd ? null : (
        <Newer count={newAfter(conversation.value, seen.current, own)} onPress={() => toEnd.current?.()} />
      )}
    </div>
  );
}

function Newer({ count, onPress }: { readonly count: number; readonly onPress: () => void }) {
  return (
    <button
      type="button"
      class={`newer${count > 0 ? ' newer--new' : ''}`}
      aria-label={count > 0 ? undefined : text('thread-to-newest')}
      onClick={onPress}
    >
      {count > 0 ? text('thread-new-below', { count }) : null}
      <Icon name="down" small />
    </button>
  );
}

/** Where "new since last time" stands: fixed when the thread is opened, so that reading does not move it. */
function useNewFrom(store: Store, thread: ThreadId): MessageId | null {
  const fixed = useRef<{ readonly message: MessageId | null } | null>(null);
  const conversation = store.conversation(thread).value;
  const mark = ownMark(store, thread);
  if (!fixed.current && mark && conversation.older !== 'unknown') {
    fixed.current = { message: firstUnread(conversation, mark, store.own.value) };
  }
  return fixed.current?.message ?? null;
}

/** What one has read; a thread so old that the inbox does not have it yet tells it with its members. */
function ownMark(store: Store, thread: ThreadId): ReadMark | null {
  const summary = store.summaries.value.get(thread);
  if (summary) return summary.read;
  const members = store.room(thread).value?.members;
  const mine = [...store.own.value].flatMap((profile) => members?.get(profile) ?? []);
  return mine[0] ? (mine[0].read ?? {}) : null;
}

/** Says what was on the screen, once a second at most and only while the page is looked at. */
function useReading(store: Store, thread: ThreadId) {
  const reading = useMemo(() => {
    const unsaid = new Set<MessageId>();
    let saidAt = Number.NEGATIVE_INFINITY;
    const pause = new Pause(READ_PAUSE_MS, () => {
      saidAt = performance.now();
      const messages = [...unsaid].sort();
      unsaid.clear();
      void markRead(store, thread, messages);
    });
    let last: readonly Row[] = [];
    const shown = (rows: readonly Row[]) => {
      last = rows;
      const mark = ownMark(store, thread);
      if (!mark || document.visibilityState !== 'visible') return;
      for (const row of rows) {
        if (row.kind === 'message' && isUnread(row.message, mark, store.own.peek())) unsaid.add(row.message.message);
      }
      if (unsaid.size > 0) pause.start(Math.max(READ_SOON_MS, saidAt + READ_PAUSE_MS - performance.now()));
    };
    return { shown, again: () => shown(last), end: () => pause.now() };
  }, [store, thread]);
  useEffect(() => {
    document.addEventListener('visibilitychange', reading.again);
    return () => {
      document.removeEventListener('visibilitychange', reading.again);
      reading.end();
    };
  }, [reading]);
  return reading;
}

/** Reads aloud what others write meanwhile. */
function useArrivals(store: Store, thread: ThreadId): void {
  const last = store.conversation(thread).value.messages.at(-1);
  const before = useRef(last?.message);
  useEffect(() => {
    if (!last || last.message === before.current) return;
    const isNewer = before.current !== undefined && last.message > before.current;
    before.current = last.message;
    if (!isNewer || store.own.value.has(last.author)) return;
    announce(text('thread-arrived', { name: nameOf(store, last.author), preview: previewOf(last.parts) }));
  }, [last?.message]);
}

/** Whoever sends wants to see it, wherever they were reading. */
function useFollowOwn(count: number, toEnd: { readonly current: (() => void) | null }): void {
  const before = useRef(count);
  useEffect(() => {
    if (count > before.current) toEnd.current?.();
    before.current = count;
  }, [count]);
}

/** Arrow up and down go from message to message, so that Tab goes past them all at once. */
function moveBetweenMessages(event: KeyboardEvent, setActive: (key: string) => void): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const list = event.currentTarget;
  if (step === undefined || !(list instanceof HTMLElement) || !(event.target instanceof HTMLElement)) return;
  const all = [...list.querySelectorAll<HTMLElement>('.message[data-key]')];
  const place = all.findIndex((one) => one.contains(event.target as Node));
  const next = all[place + step];
  if (place === -1 || !next) return;
  event.preventDefault();
  setActive(next.dataset.key as string);
  next.focus();
}
