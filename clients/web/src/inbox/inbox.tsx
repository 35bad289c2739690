import { computed } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { type Route, route } from '../router.ts';
import { byActivity, type Summary } from '../store/inbox.ts';
import { sendsWithoutThread } from '../store/sends.ts';
import type { Store } from '../store/store.ts';
import { text } from '../texts/text.ts';
import { loadChildren } from './children.ts';
import { End } from './end.tsx';
import { Entry } from './entry.tsx';
import { matches, passes } from './filter.ts';
import { Filters } from './filters.tsx';
import './inbox.css';
import { knownName } from './names.ts';
import { Search } from './search.tsx';
import { filterOf, viewOf } from './view.ts';
import { WaitingEntry } from './waiting_entry.tsx';

export function Inbox({ store }: { readonly store: Store }) {
  const shown = useMemo(() => shownThreads(store), [store]);
  const { search, current } = viewOf(store);
  const isConnected = store.connection.value.kind === 'live';
  useEffect(() => {
    if (isConnected) void loadChildren(store);
  }, [store, isConnected]);
  useFocusOnArrival();
  const isHere = shown.value.some((summary) => summary.thread.thread === current.value);
  const at = isHere ? current.value : shown.value[0]?.thread.thread;
  return (
    <div class="inbox">
      <div class="inbox__head">
        <h1 class="inbox__title" id="inbox-title" tabIndex={-1}>
          {text('inbox-title')}
        </h1>
        <Search search={search} />
        <Filters store={store} />
      </div>
      <div class="inbox__scroll">
        <ul class="inbox__list" onKeyDown={moveInList}>
          {sendsWithoutThread(store.sends.value, store.gone.value).map((send) => (
            <WaitingEntry key={send.outgoing.client_id} store={store} send={send} />
          ))}
          {shown.value.map((summary) => (
            <Entry
              key={summary.thread.thread}
              store={store}
              summary={summary}
              isCurrent={summary.thread.thread === at}
              onFocus={() => {
                current.value = summary.thread.thread;
              }}
            />
          ))}
        </ul>
        <End store={store} isEmpty={shown.value.length === 0} />
      </div>
    </div>
  );
}

function shownThreads(store: Store) {
  const ordered = computed(() => byActivity(store.summaries.value));
  return computed<readonly Summary[]>(() => {
    const filter = filterOf(store);
    const { value: search } = viewOf(store).search;
    const passing = ordered.value.filter((summary) => passes(filter, summary));
    if (search.trim() === '') return passing;
    return passing.filter((summary) => matches(search, summary, namesIn(store, summary)));
  });
}

function namesIn(store: Store, summary: Summary): string[] {
  const members = [...(store.rooms.get(summary.thread.thread)?.value?.members.values() ?? [])];
  const ids = [summary.lastAuthor, summary.thread.starter, ...(summary.thread.regarding ?? [])];
  return [...ids.flatMap((id) => knownName(store, id) ?? []), ...members.map((member) => member.name)];
}

/** The arrows go from thread to thread, so that Tab goes past them all. */
function moveInList(event: KeyboardEvent): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const list = event.currentTarget;
  if (step === undefined || !(list instanceof HTMLElement)) return;
  const links = [...list.querySelectorAll<HTMLElement>('.entry__link')];
  const place = links.findIndex((link) => link.parentElement?.contains(document.activeElement));
  const next = links[place + step];
  if (place === -1 || !next) return;
  event.preventDefault();
  next.focus();
}

/**
 * Where the focus goes when one comes to the inbox: to the entry of the thread that one comes from, and else to its
 * heading. On a first visit of something beside the inbox it is left to that.
 */
function useFocusOnArrival(): void {
  const { value: place } = route;
  const from = useRef<Route | null>(null);
  useEffect(() => {
    const before = from.current;
    from.current = place;
    if (place.kind !== 'inbox') return;
    const entry = before?.kind === 'thread' ? `.entry__link[href="/threads/${before.thread}"]` : null;
    const to = (entry && document.querySelector<HTMLElement>(entry)) || document.getElementById('inbox-title');
    to?.focus();
  }, [place]);
}
