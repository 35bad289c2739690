import { batch } from '@preact/signals';
import { announce } from '../design/announcer.tsx';
import { attempted } from '../problem.tsx';
import { newId, type Outgoing, wrongParts } from '../sdk/index.ts';
import type { Message, MessageId, Part, ProfileId, Recipient, ThreadId } from '../sdk/protocol.ts';
import { unreadIn, withMessage } from '../store/conversation.ts';
import { withDraft } from '../store/drafts.ts';
import * as inbox from '../store/inbox.ts';
import { joinedMarks } from '../store/reading.ts';
import * as room from '../store/room.ts';
import { type Send, without } from '../store/sends.ts';
import type { Store } from '../store/store.ts';
import { reloadRoom } from '../store/thread_pages.ts';
import { wordsOf } from '../store/wording.ts';
import { text } from '../texts/text.ts';

/** The most ids in one `mark_read`. */
const IDS = 200;

export function textParts(words: string): Part[] {
  return [{ kind: 'text', text: words.trim() }];
}

/** Why a text cannot be sent yet; null when it can. */
export function isSendable(words: string): boolean {
  return words.trim() !== '' && wrongParts(textParts(words)) === undefined;
}

/** Takes a message into the outbox. Answers whether it is there: from then on it arrives. */
export function send(store: Store, thread: ThreadId, words: string, replyTo: MessageId | null): Promise<boolean> {
  const answers = replyTo === null ? {} : { reply_to: replyTo };
  return queue(store, { op: 'send_message', client_id: newId(), thread, parts: textParts(words), ...answers });
}

/** Takes an answer to one sender alone into the outbox, and says by which id its thread will be known. */
export async function replyToSender(store: Store, to: Message, words: string): Promise<string | null> {
  const client_id = newId();
  const outgoing = {
    op: 'reply_to_sender',
    client_id,
    thread: to.thread,
    message: to.message,
    parts: textParts(words),
  } as const;
  return (await queue(store, outgoing)) ? client_id : null;
}

/** A refused message once more, as a new one: the refused one never was. */
export async function sendAgain(store: Store, failed: Send): Promise<void> {
  const { outgoing } = failed;
  if (await queue(store, { ...outgoing, client_id: newId() })) drop(store, failed);
}

export function drop(store: Store, failed: Send): void {
  store.sends.value = without(store.sends.value, failed.outgoing.client_id);
}

function queue(store: Store, outgoing: Outgoing): Promise<boolean> {
  return attempted(store, store.server.queue(outgoing));
}

export function edit(store: Store, message: Message, words: string): Promise<boolean> {
  const { thread, message: id } = message;
  return change(store, store.server.request({ op: 'edit_message', thread, message: id, parts: textParts(words) }));
}

export function recall(store: Store, message: Message): Promise<boolean> {
  const { thread, message: id } = message;
  return change(store, store.server.request({ op: 'recall_message', thread, message: id }));
}

function change(store: Store, changing: Promise<{ kind: 'message' } & Message>): Promise<boolean> {
  const taking = changing.then(({ kind: _, ...message }) => {
    batch(() => {
      const conversation = store.conversation(message.thread);
      conversation.value = withMessage(conversation.value, message);
      store.summaries.value = inbox.withMessage(store.summaries.value, message, store.own.value);
    });
  });
  return attempted(store, taking);
}

/** Says that these messages have been on the screen, oldest first. */
export async function markRead(store: Store, thread: ThreadId, messages: readonly MessageId[]): Promise<void> {
  const newest = messages.slice(-IDS);
  if (newest.length === 0) return;
  try {
    const { kind: _, ...mark } = await store.server.request({ op: 'mark_read', thread, messages: newest });
    const summary = store.summaries.value.get(thread);
    if (!summary) return;
    const counted = unreadIn(store.conversation(thread).value, joinedMarks(summary.read, mark), store.own.value);
    store.summaries.value = inbox.withOwnRead(store.summaries.value, thread, mark, counted);
  } catch {
    // What is still on the screen is said again with the next.
  }
}

export async function saveDraft(store: Store, thread: ThreadId, words: string): Promise<void> {
  const known = store.drafts.value.get(thread);
  if ((known?.text ?? '') === words) return;
  try {
    const draft = await store.server.request({ op: 'save_draft', thread, text: words });
    store.drafts.value = withDraft(store.drafts.value, draft);
  } catch {
    // The text is still in the field, and the next keystroke saves it.
  }
}

export function sayTyping(store: Store, thread: ThreadId): void {
  void store.server.request({ op: 'typing', thread }).catch(() => {});
}

export function rename(store: Store, thread: ThreadId, subject: string): Promise<boolean> {
  const taking = store.server.request({ op: 'rename_thread', thread, subject }).then(({ kind: _, ...renamed }) => {
    store.summaries.value = inbox.withThread(store.summaries.value, renamed);
    const known = store.room(thread);
    if (known.value) known.value = room.withThread(known.value, renamed);
  });
  return attempted(store, taking);
}

export function addMembers(
  store: Store,
  thread: ThreadId,
  to: readonly Recipient[],
  fromTheBeginning: boolean,
): Promise<boolean> {
  const adding = store.server.request({ op: 'add_members', thread, to: [...to], from_the_beginning: fromTheBeginning });
  return attempted(
    store,
    adding.then(() => reloadRoom(store, thread)),
  );
}

export function removeMember(store: Store, thread: ThreadId, profile: ProfileId): Promise<boolean> {
  const removing = store.server.request({ op: 'remove_members', thread, profiles: [profile] });
  return attempted(
    store,
    removing.then(() => reloadRoom(store, thread)),
  );
}

export function leave(store: Store, thread: ThreadId): Promise<boolean> {
  const leaving = store.server.request({ op: 'leave_thread', thread });
  return attempted(
    store,
    leaving.then(() => reloadRoom(store, thread)),
  );
}

export function copyText(parts: readonly Part[]): void {
  void navigator.clipboard?.writeText(wordsOf(parts));
  announce(text('thread-copied'));
}

/** Whether one may write there, as far as is known: what is not known yet is not refused beforehand. */
export function mayWriteIn(store: Store, thread: ThreadId): boolean {
  const leftAt = store.summaries.value.get(thread)?.leftAt ?? null;
  return leftAt === null && store.room(thread).value?.mayWrite !== false && !store.gone.value.has(thread);
}
