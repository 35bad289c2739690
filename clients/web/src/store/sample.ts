/** Plain values for tests. No product code reads this. */
import type { InboxEntry, Member, Message, ReplyTo, Thread } from '../sdk/protocol.ts';

export const SPACE = id('aaaa', 1);
export const THREAD = id('1111', 1);
export const ME = id('cccc', 1);
export const OTHER = id('cccc', 2);
export const OWN: ReadonlySet<string> = new Set([ME]);

export function id(kind: string, number: number): string {
  return `019fea41-ab00-7${kind.slice(1)}-8${kind.slice(1)}-${number.toString(16).padStart(12, '0')}`;
}

/** The id of a message of that time: ids sort by time. */
export function messageId(time: number): string {
  const hex = time.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7222-8222-000000000001`;
}

export function message(time: number, more: Partial<Message> = {}): Message {
  const parts: Message['parts'] = [{ kind: 'text', text: `at ${time}` }];
  return { thread: THREAD, message: messageId(time), author: OTHER, sent_at: time, version: 1, parts, ...more };
}

export function thread(more: Partial<Thread> = {}): Thread {
  const fixed = { space: SPACE, thread: THREAD, version: 1, membership_version: 1 };
  return { ...fixed, subject: 'Tur', starter: OTHER, started_at: 0, ...more };
}

export function inboxEntry(lastTime: number, more: Partial<InboxEntry> = {}): InboxEntry {
  const fixed = { thread: thread(), profile: ME, last_message: messageId(lastTime), last_author: OTHER };
  return { ...fixed, preview: 'Hej', unread: 0, read: {}, muted: false, marked: false, ...more };
}

export function member(profile: string, more: Partial<Member> = {}): Member {
  return { profile, role: 'guardian', name: `Name ${profile.slice(-1)}`, joined_at: 0, ...more };
}

export function threadPage(members: Member[], more: Partial<ReplyTo<'open_thread'>> = {}): ReplyTo<'open_thread'> {
  return { kind: 'thread', thread: thread(), members, more: false, families: 1, may_write: true, ...more };
}
