import type { Event } from '../sdk/protocol.ts';
import { unreadIn, withMessage } from './conversation.ts';
import { withDraft } from './drafts.ts';
import * as inbox from './inbox.ts';
import { refreshInbox } from './inbox_pages.ts';
import { refreshPeople } from './people.ts';
import { joinedMarks } from './reading.ts';
import * as room from './room.ts';
import type { Store } from './store.ts';
import { reloadRoom } from './thread_pages.ts';
import { withoutTyping } from './typing.ts';

type Of<Kind extends Event['kind']> = Extract<Event, { kind: Kind }>;

/** Applies a fact. Facts are state: one that comes twice, late or out of order changes nothing. */
export function applyEvent(store: Store, event: Event): void {
  switch (event.kind) {
    case 'message':
      messageArrived(store, event);
      break;
    case 'thread':
      threadChanged(store, event);
      break;
    case 'membership':
      membershipChanged(store, event);
      break;
    case 'read':
      readByAny(store, event);
      break;
    case 'thread_settings':
      store.summaries.value = inbox.withSettings(store.summaries.value, event);
      break;
    case 'draft':
      store.drafts.value = withDraft(store.drafts.value, event);
      break;
    case 'directory':
      refreshPeople(store);
      break;
    default:
      // One's profiles come with the next `welcome`; what a newer server tells is not for this version.
      break;
  }
}

function messageArrived(store: Store, event: Of<'message'>): void {
  const { kind: _, ...message } = event;
  const conversation = store.conversations.get(message.thread);
  if (conversation) conversation.value = withMessage(conversation.value, message);
  const summary = store.summaries.value.get(message.thread);
  if (!summary || inbox.isDoubtful(summary, message, store.own.value)) refreshInbox(store);
  store.summaries.value = inbox.withMessage(store.summaries.value, message, store.own.value);
  store.typing.value = withoutTyping(store.typing.value, message.thread, message.author);
}

function threadChanged(store: Store, event: Of<'thread'>): void {
  const { kind: _, ...thread } = event;
  store.summaries.value = inbox.withThread(store.summaries.value, thread);
  const known = store.rooms.get(thread.thread);
  if (known?.value) known.value = room.withThread(known.value, thread);
}

function membershipChanged(store: Store, event: Of<'membership'>): void {
  store.summaries.value = inbox.withMembership(store.summaries.value, event);
  const isOwn = store.own.value.has(event.profile);
  if (isOwn && !event.left_at && !store.summaries.value.has(event.thread)) refreshInbox(store);
  const known = store.rooms.get(event.thread);
  if (!known?.value) return;
  const isNew = !known.value.members.has(event.profile);
  known.value = room.withMembership(known.value, event);
  // Who is new has a name and a role that only the server knows; and one's own coming or going changes what one may.
  if (isNew || isOwn) reloadRoom(store, event.thread);
}

function readByAny(store: Store, event: Of<'read'>): void {
  const known = store.rooms.get(event.thread);
  if (known?.value) known.value = room.withRead(known.value, event);
  if (!store.own.value.has(event.profile)) return;
  const summary = store.summaries.value.get(event.thread);
  const conversation = store.conversations.get(event.thread);
  if (!summary) return;
  const mark = joinedMarks(summary.read, event.read);
  const counted = conversation ? unreadIn(conversation.value, mark, store.own.value) : null;
  store.summaries.value = inbox.withOwnRead(store.summaries.value, event.thread, event.read, counted);
  const isCounted = counted !== null || store.summaries.value.get(event.thread)?.unread === 0;
  if (!isCounted) refreshInbox(store);
}
