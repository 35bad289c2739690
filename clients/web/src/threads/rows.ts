import type { Message, MessageId, ProfileId, ReadMark } from '../sdk/protocol.ts';
import { type Conversation, isUnread } from '../store/conversation.ts';
import type { Send, Sends } from '../store/sends.ts';
import { dayOf } from '../texts/dates.ts';

/** Messages of one author this close together stand as one. */
const TOGETHER_MS = 5 * 60_000;

/** What a thread shows, from top to bottom. */
export type Row =
  /** The first row: what came before is on its way, can be loaded, or is nothing. */
  | { readonly kind: 'top'; readonly key: string }
  | { readonly kind: 'day'; readonly key: string; readonly time: number }
  /** "New since last time" */
  | { readonly kind: 'new'; readonly key: string }
  | {
      readonly kind: 'message';
      readonly key: string;
      readonly message: Message;
      readonly continues: boolean;
      readonly ends: boolean;
    }
  | { readonly kind: 'send'; readonly key: string; readonly send: Send; readonly continues: boolean }
  /** Room under the last, so that it does not stand on the edge. */
  | { readonly kind: 'end'; readonly key: string };

export const NEW_KEY = 'new';

/** `newFrom` is the first message that was unread when the thread was opened. */
export function rowsOf(
  conversation: Conversation,
  sends: Sends,
  newFrom: MessageId | null,
  own: ReadonlySet<ProfileId>,
): Row[] {
  const rows: Row[] = [{ kind: 'top', key: 'top' }];
  const { messages } = conversation;
  let continues = false;
  for (const [place, message] of messages.entries()) {
    const next = messages[place + 1];
    const continued = next !== undefined && next.message !== newFrom && belongTogether(message, next);
    const day = dayOf(message.sent_at);
    const before = messages[place - 1];
    if (!before || dayOf(before.sent_at) !== day) rows.push({ kind: 'day', key: `day ${day}`, time: message.sent_at });
    if (message.message === newFrom) rows.push({ kind: 'new', key: NEW_KEY });
    rows.push({ kind: 'message', key: message.message, message, continues, ends: !continued });
    continues = continued;
  }
  const last = messages.at(-1);
  for (const [place, send] of sends.entries()) {
    const continues = place > 0 || (last !== undefined && own.has(last.author));
    rows.push({ kind: 'send', key: send.outgoing.client_id, send, continues });
  }
  rows.push({ kind: 'end', key: 'end' });
  return rows;
}

/** The first message of someone else that is unread, if there is one. */
export function firstUnread(conversation: Conversation, mark: ReadMark, own: ReadonlySet<ProfileId>): MessageId | null {
  return conversation.messages.find((message) => isUnread(message, mark, own))?.message ?? null;
}

/** How many messages of others came after that one. */
export function newAfter(conversation: Conversation, seen: MessageId | null, own: ReadonlySet<ProfileId>): number {
  if (seen === null) return 0;
  let count = 0;
  for (const message of conversation.messages.toReversed()) {
    if (message.message <= seen) break;
    if (!own.has(message.author)) count += 1;
  }
  return count;
}

function belongTogether(before: Message, message: Message): boolean {
  if (dayOf(before.sent_at) !== dayOf(message.sent_at)) return false;
  return before.author === message.author && message.sent_at - before.sent_at < TOGETHER_MS && !message.reply_to;
}
