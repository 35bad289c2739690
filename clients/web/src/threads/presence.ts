import { effect } from '@preact/signals';
import type { ThreadId } from '../sdk/protocol.ts';
import { byActivity } from '../store/inbox.ts';
import { present } from '../store/room.ts';
import type { Store } from '../store/store.ts';

/** The most that one connection may watch. */
const WATCHED = 200;
/** Beside the members of the thread, the authors at the top of the inbox: what a screen shows of it. */
const INBOX_AUTHORS = 20;

/**
 * Watches who is online of the people on the screen: the members of the thread, and the authors in the inbox of the same
 * space. Again after each connection, since the server forgets it with the old one. Returns how to end it.
 */
export function watchPresence(store: Store, thread: ThreadId): () => void {
  let asked = '';
  return effect(() => {
    const room = store.room(thread).value;
    if (!room || store.connection.value.kind !== 'live') {
      asked = '';
      return;
    }
    const { space } = room.thread;
    const authors = byActivity(store.summaries.value)
      .filter((summary) => summary.thread.space === space)
      .slice(0, INBOX_AUTHORS)
      .map((summary) => summary.lastAuthor);
    const others = [...present(room).map((member) => member.profile), ...authors];
    const profiles = [...new Set(others)].filter((profile) => !store.own.value.has(profile)).slice(0, WATCHED);
    const next = [...profiles].sort().join();
    if (next === asked) return;
    asked = next;
    void watch(store, space, profiles);
  });
}

async function watch(store: Store, space: string, profiles: string[]): Promise<void> {
  try {
    const online = await store.server.request({ op: 'watch_presence', space, profiles });
    store.online.value = new Set(online.profiles);
  } catch {
    // Nobody is shown as online then, which claims nothing.
  }
}
