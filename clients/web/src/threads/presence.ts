import { effect } from '@preact/signals';
import { profileInView } from '../inbox/view.ts';
import type { ProfileId, SpaceId } from '../sdk/protocol.ts';
import { byActivity } from '../store/inbox.ts';
import { present } from '../store/room.ts';
import type { Store } from '../store/store.ts';

/** The most that one connection may watch. */
const WATCHED = 200;
/** Beside the members of the thread, the authors at the top of the inbox: what a screen shows of it. */
const INBOX_AUTHORS = 20;

/**
 * Watches who is online of the people on the screen: the members of the open thread, and the authors at the top of the
 * inbox in the same space. Again after each connection, since the server forgets it with the old one. Returns how to
 * end it.
 */
export function followPresence(store: Store): () => void {
  let asked = '';
  return effect(() => {
    const shown = store.connection.value.kind === 'live' ? shownPeople(store) : null;
    const next = shown ? `${shown.space} ${shown.profiles.join()}` : '';
    if (next === asked) return;
    asked = next;
    if (shown) void watch(store, shown.space, shown.profiles);
  });
}

/**
 * One connection watches people of one space, and whom it watched before no more: so those of the open thread, else of
 * the profile that one looks at the inbox as, else of the newest thread.
 */
export function shownPeople(store: Store): { readonly space: SpaceId; readonly profiles: ProfileId[] } | null {
  const { value: open } = store.open;
  const room = open === null ? null : store.room(open).value;
  const summaries = byActivity(store.summaries.value);
  const space = room?.thread.space ?? profileInView(store)?.space ?? summaries[0]?.thread.space;
  if (!space) return null;
  const authors = summaries.filter((summary) => summary.thread.space === space).slice(0, INBOX_AUTHORS);
  const members = room ? present(room).map((member) => member.profile) : [];
  const all = new Set([...members, ...authors.map((summary) => summary.lastAuthor)]);
  const others = [...all].filter((profile) => !store.own.value.has(profile)).slice(0, WATCHED);
  return { space, profiles: others.sort() };
}

async function watch(store: Store, space: string, profiles: string[]): Promise<void> {
  try {
    const online = await store.server.request({ op: 'watch_presence', space, profiles });
    store.online.value = new Set(online.profiles);
  } catch {
    // Nobody is shown as online then, which claims nothing.
  }
}
