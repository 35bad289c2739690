import { batch } from '@preact/signals';
import type { MessageId, ReplyTo } from '../sdk/protocol.ts';
import { withEntry } from './inbox.ts';
import { Pause } from './pause.ts';
import { wantPeople } from './people.ts';
import type { Store } from './store.ts';

const PAGE = 50;
/** Many events may each be a reason to ask again; one answer serves them all. */
const REFRESH_PAUSE_MS = 250;

const refreshes = new WeakMap<Store, Pause>();

/** Asks for the newest threads again, soon. */
export function refreshInbox(store: Store): void {
  const pause = refreshes.get(store) ?? new Pause(REFRESH_PAUSE_MS, () => void firstPage(store));
  refreshes.set(store, pause);
  store.inboxWanted += 1;
  if (store.reach.value.kind === 'nothing') {
    store.reach.value = { kind: 'loading', before: null };
    void firstPage(store);
  } else pause.start();
}

/** The next older threads. */
export async function loadMore(store: Store): Promise<void> {
  const { value: reach } = store.reach;
  if (reach.kind !== 'more') return;
  store.reach.value = { kind: 'loading', before: reach.before };
  const page = await asked(store, reach.before);
  if (page) taken(store, page);
  else store.reach.value = reach;
}

async function firstPage(store: Store): Promise<void> {
  // What happens while the answer is on its way is a reason to ask once more.
  const wanted = store.inboxWanted;
  const page = await asked(store, null);
  const { value: reach } = store.reach;
  const isFirst = reach.kind === 'loading' && reach.before === null;
  if (page) {
    store.inboxAnswered = wanted;
    taken(store, page, isFirst);
  } else if (isFirst) {
    // Without a first page there is nothing to continue from: the next connection asks again.
    store.reach.value = { kind: 'nothing' };
  }
}

async function asked(store: Store, before: MessageId | null): Promise<ReplyTo<'inbox'> | null> {
  try {
    return await store.server.request({ op: 'inbox', limit: PAGE, ...(before ? { before } : {}) });
  } catch {
    return null;
  }
}

/** A page that is read again says nothing of how far the inbox is here. */
function taken(store: Store, page: ReplyTo<'inbox'>, extends_ = true): void {
  batch(() => {
    let summaries = store.summaries.value;
    for (const entry of page.entries) summaries = withEntry(summaries, entry);
    store.summaries.value = summaries;
    for (const { thread, last_author } of page.entries) {
      wantPeople(store, thread.space, [last_author, thread.starter, ...(thread.regarding ?? [])]);
    }
    if (!extends_) return;
    const last = page.entries.at(-1)?.last_message;
    store.reach.value = page.more && last ? { kind: 'more', before: last } : { kind: 'all' };
    store.withheld.value = page.withheld ?? [];
  });
}
