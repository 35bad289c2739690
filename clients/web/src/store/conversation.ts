import type { Message, MessageId, ProfileId, ReadMark, Withheld } from '../sdk/protocol.ts';
import { isRead } from './reading.ts';

/** What is known of what came before the first message that is here. */
export type Older =
  /** Nothing: the newest page has not come yet, and what is here may have gaps. */
  'unknown' | 'loading' | 'more' | 'none';

/** The messages of a thread, in order and without a gap from the first on. */
export interface Conversation {
  readonly messages: readonly Message[];
  readonly older: Older;
  readonly withheld: readonly Withheld[];
}

export const NOTHING_KNOWN: Conversation = { messages: [], older: 'unknown', withheld: [] };

/** A page of history. */
export interface Page {
  readonly messages: readonly Message[];
  readonly more: boolean;
  readonly withheld?: readonly Withheld[] | undefined;
}

/** A message takes its place, whenever it arrives; an older version of one that is here changes nothing. */
export function withMessage(conversation: Conversation, message: Message): Conversation {
  const { messages, older } = conversation;
  const place = placeOf(messages, message.message);
  const known = messages[place];
  if (known?.message === message.message) {
    if (known.version >= message.version) return conversation;
    return { ...conversation, messages: messages.with(place, message) };
  }
  // A change of a message that is not loaded: it comes with its page.
  if (place === 0 && older !== 'none' && messages.length > 0) return conversation;
  return { ...conversation, messages: messages.toSpliced(place, 0, message) };
}

/** The newest page. What is here before it stays only if nothing can be missing between. */
export function withNewestPage(conversation: Conversation, page: Page): Conversation {
  const first = page.messages[0]?.message;
  const { messages } = conversation;
  const isJoined =
    conversation.older !== 'unknown' && first !== undefined && messageOf(conversation, first) !== undefined;
  const kept = isJoined || first === undefined ? messages : messages.slice(placeOf(messages, first));
  return {
    messages: merged(kept, page.messages),
    older: isJoined ? conversation.older : page.more ? 'more' : 'none',
    withheld: page.withheld ?? [],
  };
}

/** A page that ends where the conversation begins. */
export function withOlderPage(conversation: Conversation, page: Page): Conversation {
  return {
    messages: merged(page.messages, conversation.messages),
    older: page.more ? 'more' : 'none',
    withheld: [...conversation.withheld, ...(page.withheld ?? [])],
  };
}

/** How many messages of others are unread; null when that cannot be told because some are not here. */
export function unreadIn(conversation: Conversation, mark: ReadMark, own: ReadonlySet<ProfileId>): number | null {
  const first = conversation.messages[0];
  if (!first || conversation.older === 'unknown') return null;
  if (conversation.older !== 'none' && !isRead(mark, first.message)) return null;
  let count = 0;
  for (const message of beyond(conversation, mark)) if (isUnread(message, mark, own)) count += 1;
  return count;
}

/** The first message of someone else that is unread, if there is one. */
export function firstUnread(conversation: Conversation, mark: ReadMark, own: ReadonlySet<ProfileId>): MessageId | null {
  for (const message of beyond(conversation, mark)) if (isUnread(message, mark, own)) return message.message;
  return null;
}

/** What comes after all that is read for certain: of a long thread the end, so that its length costs nothing. */
function beyond({ messages }: Conversation, mark: ReadMark): readonly Message[] {
  return mark.up_to === undefined ? messages : messages.slice(placeOf(messages, mark.up_to));
}

export function isUnread(message: Message, mark: ReadMark, own: ReadonlySet<ProfileId>): boolean {
  return !own.has(message.author) && message.recalled_at === undefined && !isRead(mark, message.message);
}

export function messageOf(conversation: Conversation, id: MessageId): Message | undefined {
  const found = conversation.messages[placeOf(conversation.messages, id)];
  return found?.message === id ? found : undefined;
}

/** Where a message of this id is or would be. New messages go last, so that is looked at first. */
export function placeOf(messages: readonly Message[], id: MessageId): number {
  const last = messages.at(-1);
  if (!last || last.message < id) return messages.length;
  let low = 0;
  let high = messages.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((messages[middle] as Message).message < id) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Both in order; of one that is in both, the newer version. Pages mostly come before or after all that is here. */
function merged(some: readonly Message[], others: readonly Message[]): readonly Message[] {
  const [last] = some.slice(-1);
  const [first] = others;
  if (!last || !first) return last ? some : others;
  if (last.message < first.message) return [...some, ...others];
  const all = new Map(some.map((message) => [message.message, message]));
  for (const message of others) {
    const known = all.get(message.message);
    if (!known || known.version < message.version) all.set(message.message, message);
  }
  return [...all.values()].sort((one, other) => (one.message < other.message ? -1 : 1));
}
