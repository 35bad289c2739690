import { batch } from '@preact/signals';
import { RequestError } from '../sdk/index.ts';
import type { ThreadId } from '../sdk/protocol.ts';
import { type Page, withNewestPage, withOlderPage } from './conversation.ts';
import { withDraft } from './drafts.ts';
import { withoutThread } from './inbox.ts';
import { rememberPeople, wantPeople } from './people.ts';
import { withPage } from './room.ts';
import type { Store } from './store.ts';

const PAGE = 50;
/** Of a thread whose place was lost so many pages are read again, so that what one looks at is still there. */
const PAGES_AGAIN = 20;
/** Members come in pages of 40 KiB. So many are read at once, and the rest when someone looks at the list. */
const MEMBER_PAGES = 4;

/** Reads what is not here yet of a thread that is opened. */
export function loadThread(store: Store, thread: ThreadId): void {
  if (store.conversation(thread).value.older === 'unknown') void readMessages(store, thread);
  reloadRoom(store, thread);
  if (!store.drafts.value.has(thread)) void loadDraft(store, thread);
}

/** Reads a thread again whose place was lost. */
export function reloadThread(store: Store, thread: ThreadId): void {
  void readMessages(store, thread);
  reloadRoom(store, thread);
  void loadDraft(store, thread);
}

export function reloadRoom(store: Store, thread: ThreadId): void {
  void membersFrom(store, thread, true, MEMBER_PAGES);
}

/** The next members of a long list. */
export async function loadMembers(store: Store, thread: ThreadId): Promise<void> {
  await membersFrom(store, thread, false, 1);
}

/** The messages before the first one here. */
export async function loadOlder(store: Store, thread: ThreadId): Promise<void> {
  const conversation = store.conversation(thread);
  const first = conversation.value.messages[0];
  if (conversation.value.older !== 'more' || !first) return;
  conversation.value = { ...conversation.value, older: 'loading' };
  try {
    const page = await store.server.request({ op: 'history', thread, before: first.message, limit: PAGE });
    wantAuthors(store, thread, page.messages);
    if (conversation.value.older === 'loading') conversation.value = withOlderPage(conversation.value, page);
  } catch {
    if (conversation.value.older === 'loading') conversation.value = { ...conversation.value, older: 'more' };
  }
}

/** The newest messages, and as far back as there are some here: these may have changed, and some between be missing. */
async function readMessages(store: Store, thread: ThreadId): Promise<void> {
  const conversation = store.conversation(thread);
  const oldest = conversation.value.messages[0]?.message;
  try {
    let read: Page = await store.server.request({ op: 'history', thread, limit: PAGE });
    for (let pages = 1; pages < PAGES_AGAIN; pages += 1) {
      const first = read.messages[0]?.message;
      if (!read.more || oldest === undefined || first === undefined || first <= oldest) break;
      read = joined(await store.server.request({ op: 'history', thread, before: first, limit: PAGE }), read);
    }
    conversation.value = withNewestPage(conversation.value, read);
    wantAuthors(store, thread, read.messages);
  } catch (error) {
    if (isNotFound(error)) threadGone(store, thread);
  }
}

function joined(before: Page, after: Page): Page {
  return {
    messages: [...before.messages, ...after.messages],
    more: before.more,
    withheld: [...(before.withheld ?? []), ...(after.withheld ?? [])],
  };
}

async function membersFrom(store: Store, thread: ThreadId, isFirst: boolean, pages: number): Promise<void> {
  const room = store.room(thread);
  const after = isFirst ? null : (room.value?.after ?? null);
  const wasKnown = store.spaceOf(thread) !== undefined;
  try {
    const page = await store.server.request({ op: 'open_thread', thread, ...(after ? { after } : {}) });
    batch(() => {
      room.value = withPage(room.value, page, isFirst);
      const { space, regarding = [] } = page.thread;
      rememberPeople(
        store,
        page.members.filter(({ profile }) => !store.people.value.has(profile)),
      );
      wantPeople(store, space, regarding);
      // Messages came before it was known where the thread is at home.
      if (!wasKnown) wantAuthors(store, thread, store.conversation(thread).value.messages);
    });
    if (page.more && pages > 1) await membersFrom(store, thread, false, pages - 1);
  } catch (error) {
    if (isNotFound(error)) threadGone(store, thread);
  }
}

async function loadDraft(store: Store, thread: ThreadId): Promise<void> {
  try {
    const draft = await store.server.request({ op: 'load_draft', thread });
    store.drafts.value = withDraft(store.drafts.value, draft);
  } catch {
    // A draft that does not come is not worth a word; the next event brings it.
  }
}

function wantAuthors(store: Store, thread: ThreadId, messages: readonly { readonly author: string }[]): void {
  const space = store.spaceOf(thread);
  if (space)
    wantPeople(
      store,
      space,
      messages.map((message) => message.author),
    );
}

function threadGone(store: Store, thread: ThreadId): void {
  batch(() => {
    store.gone.value = new Set(store.gone.value).add(thread);
    store.summaries.value = withoutThread(store.summaries.value, thread);
    store.conversations.delete(thread);
    store.rooms.delete(thread);
  });
}

export function isNotFound(error: unknown): boolean {
  return error instanceof RequestError && error.refusal?.code === 'not_found';
}
