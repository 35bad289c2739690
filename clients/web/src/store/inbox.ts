import type { Event, InboxEntry, Message, MessageId, ProfileId, ReadMark, Thread, ThreadId } from '../sdk/protocol.ts';
import { isRead, joinedMarks, sameMark } from './reading.ts';
import { previewOf } from './wording.ts';

/** The server counts no further; "50" is shown as "50 or more". */
export const UNREAD_COUNTED = 50;

/** A thread as the inbox shows it. */
export interface Summary {
  readonly thread: Thread;
  /** One's own profile in it. */
  readonly profile: ProfileId;
  readonly lastMessage: MessageId;
  readonly lastAuthor: ProfileId;
  /** The version of the last message that the preview shows; 0 when the server made the preview. */
  readonly lastVersion: number;
  /** Empty when the message was recalled. */
  readonly preview: string;
  readonly unread: number;
  readonly read: ReadMark;
  readonly muted: boolean;
  readonly marked: boolean;
  readonly settingsVersion: number;
  readonly membershipVersion: number;
  readonly leftAt: number | null;
}

export type Summaries = ReadonlyMap<ThreadId, Summary>;

/** An entry of the server's inbox replaces what was known, save what an event has told since. */
export function withEntry(summaries: Summaries, entry: InboxEntry): Summaries {
  const known = summaries.get(entry.thread.thread);
  const thread = known && known.thread.version > entry.thread.version ? known.thread : entry.thread;
  const isBehind = known !== undefined && known.lastMessage > entry.last_message;
  const read = known ? joinedMarks(known.read, entry.read) : entry.read;
  return replaced(summaries, {
    thread,
    profile: entry.profile,
    lastMessage: isBehind ? known.lastMessage : entry.last_message,
    lastAuthor: isBehind ? known.lastAuthor : entry.last_author,
    lastVersion: isBehind ? known.lastVersion : 0,
    preview: isBehind ? known.preview : entry.preview,
    unread: isRead(read, entry.last_message) && !isBehind ? 0 : entry.unread,
    read,
    muted: entry.muted,
    marked: entry.marked,
    settingsVersion: known?.settingsVersion ?? 0,
    membershipVersion: Math.max(known?.membershipVersion ?? 0, entry.thread.membership_version),
    leftAt: entry.left_at ?? null,
  });
}

/** A message that is newer than all known of its thread moves the thread up and counts as unread, once. */
export function withMessage(summaries: Summaries, message: Message, own: ReadonlySet<ProfileId>): Summaries {
  const summary = summaries.get(message.thread);
  if (!summary || message.message < summary.lastMessage) return summaries;
  const isNew = message.message > summary.lastMessage;
  if (!isNew && message.version <= summary.lastVersion) return summaries;
  const isUnread = isNew && !own.has(message.author) && !isRead(summary.read, message.message);
  return replaced(summaries, {
    ...summary,
    lastMessage: message.message,
    lastAuthor: message.author,
    lastVersion: message.version,
    preview: previewOf(message.parts),
    unread: isUnread ? Math.min(summary.unread + 1, UNREAD_COUNTED) : summary.unread,
  });
}

/**
 * Whether a message may be unread without being counted: one that arrived late and belongs before the newest. Only the
 * server can tell, so the inbox is asked again.
 */
export function isDoubtful(summary: Summary, message: Message, own: ReadonlySet<ProfileId>): boolean {
  if (message.version > 1 || own.has(message.author) || message.recalled_at !== undefined) return false;
  return message.message < summary.lastMessage && !isRead(summary.read, message.message);
}

export function withThread(summaries: Summaries, thread: Thread): Summaries {
  const summary = summaries.get(thread.thread);
  if (!summary || summary.thread.version >= thread.version) return summaries;
  return replaced(summaries, { ...summary, thread });
}

/**
 * What one has read, on whatever device. `counted` is how many of the known messages are unread then; null when too
 * little is known to count, and then only "all of it" is certain.
 */
export function withOwnRead(summaries: Summaries, thread: ThreadId, mark: ReadMark, counted: number | null): Summaries {
  const summary = summaries.get(thread);
  if (!summary) return summaries;
  const read = joinedMarks(summary.read, mark);
  const unread = isRead(read, summary.lastMessage) && counted === null ? 0 : (counted ?? summary.unread);
  if (unread === summary.unread && sameMark(read, summary.read)) return summaries;
  return replaced(summaries, { ...summary, read, unread });
}

export function withSettings(summaries: Summaries, settings: Extract<Event, { kind: 'thread_settings' }>): Summaries {
  const summary = summaries.get(settings.thread);
  if (!summary || summary.settingsVersion >= settings.version) return summaries;
  const { muted, marked, version } = settings;
  return replaced(summaries, { ...summary, muted, marked, settingsVersion: version });
}

/** Someone came or left. Only one's own matters to the inbox: who has left reads up to then. */
export function withMembership(summaries: Summaries, membership: Extract<Event, { kind: 'membership' }>): Summaries {
  const summary = summaries.get(membership.thread);
  if (!summary || summary.profile !== membership.profile) return summaries;
  if (summary.membershipVersion > membership.membership_version) return summaries;
  const leftAt = membership.left_at ?? null;
  if (leftAt === summary.leftAt && summary.membershipVersion === membership.membership_version) return summaries;
  return replaced(summaries, { ...summary, leftAt, membershipVersion: membership.membership_version });
}

export function withoutThread(summaries: Summaries, thread: ThreadId): Summaries {
  if (!summaries.has(thread)) return summaries;
  const left = new Map(summaries);
  left.delete(thread);
  return left;
}

/** Latest activity first. */
export function byActivity(summaries: Summaries): Summary[] {
  return [...summaries.values()].sort((one, other) => (one.lastMessage < other.lastMessage ? 1 : -1));
}

function replaced(summaries: Summaries, summary: Summary): Summaries {
  return new Map(summaries).set(summary.thread.thread, summary);
}
