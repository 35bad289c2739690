import { timeOfMessage } from '../sdk/ids.ts';
import { loadMore } from '../store/inbox_pages.ts';
import type { Store } from '../store/store.ts';
import { viewOf } from './view.ts';

/** So many pages at one press: two thousand threads. Who wants more presses again. */
const PAGES = 40;

/** How far a search reaches: through how many threads, and back to when; null when it reaches all of them. */
export interface Searched {
  readonly count: number;
  readonly backTo: number | null;
}

/** Loads page after page until all is here, or enough: what the server's own search finds would leave holes in the list. */
export async function searchOn(store: Store): Promise<void> {
  const { search, searching } = viewOf(store);
  if (searching.value) return;
  searching.value = true;
  const isWanted = () => searching.value && search.value.trim() !== '';
  for (let pages = 0; pages < PAGES && isWanted(); pages += 1) {
    const before = boundary(store);
    if (before === null) break;
    await loadMore(store);
    if (boundary(store) === before) break;
  }
  searching.value = false;
}

export function stopSearching(store: Store): void {
  viewOf(store).searching.value = false;
}

export function searched(store: Store): Searched {
  const before = boundary(store);
  const summaries = [...store.summaries.value.values()];
  // What is known from an earlier run may have gaps before it; it is searched, but not counted.
  const within = before === null ? summaries : summaries.filter(({ lastMessage }) => lastMessage >= before);
  return { count: within.length, backTo: before === null ? null : timeOfMessage(before) };
}

/** The last message of the oldest thread up to which the inbox is here; null when all of it is. */
function boundary(store: Store): string | null {
  const { value: reach } = store.reach;
  return reach.kind === 'more' || reach.kind === 'loading' ? reach.before : null;
}
