import type { Message, MessageId, ProfileId } from '../sdk/protocol.ts';
import { type Conversation, placeOf } from '../store/conversation.ts';
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

/** So many messages are made ready at first, and so many more whenever one comes near the first of them. */
const AT_ONCE = 100;

/**
 * The message from which on a thread is made ready, so that some are above the one at `place`; null is its end. What is
 * further up costs nothing until one scrolls there: a long thread opens like a short one.
 */
export function shownFrom({ messages }: Conversation, place: MessageId | null): MessageId | null {
  const end = place === null ? messages.length : placeOf(messages, place);
  return messages[Math.max(0, end - AT_ONCE)]?.message ?? null;
}

/** The rows from the message `from` on. `newFrom` is the first message that was unread when the thread was opened. */
export function rowsOf(
  { messages }: Conversation,
  from: MessageId | null,
  sends: Sends,
  newFrom: MessageId | null,
  own: ReadonlySet<ProfileId>,
): Row[] {
  const first = from === null ? 0 : placeOf(messages, from);
  const rows: Row[] = first === 0 ? [{ kind: 'top', key: 'top' }] : [];
  let continues = false;
  let dayBefore: number | null = null;
  for (let place = first; place < messages.length; place += 1) {
    const message = messages[place] as Message;
    const next = messages[place + 1];
    const day = dayOf(message.sent_at);
    const continued = next !== undefined && next.message !== newFrom && belongTogether(message, next);
    if (day !== dayBefore) rows.push({ kind: 'day', key: `day ${day}`, time: message.sent_at });
    if (message.message === newFrom) rows.push({ kind: 'new', key: NEW_KEY });
    rows.push({ kind: 'message', key: message.message, message, continues, ends: !continued });
    continues = continued;
    dayBefore = day;
  }
  const last = messages.at(-1);
  for (const [place, send] of sends.entries()) {
    const continues = place > 0 || (last !== undefined && own.has(last.author));
    rows.push({ kind: 'send', key: send.outgoing.client_id, send, continues });
  }
  rows.push({ kind: 'end', key: 'end' });
  return rows;
}

/** How many messages of others came after that one. */
export function newAfter({ messages }: Conversation, seen: MessageId | null, own: ReadonlySet<ProfileId>): number {
  if (seen === null) return 0;
  const later = messages.slice(placeOf(messages, seen));
  return later.filter(({ message, author }) => message > seen && !own.has(author)).length;
}

function belongTogether(before: Message, message: Message): boolean {
  if (dayOf(before.sent_at) !== dayOf(message.sent_at)) return false;
  return before.author === message.author && message.sent_at - before.sent_at < TOGETHER_MS && !message.reply_to;
}
