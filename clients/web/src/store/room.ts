import type { Event, Member, MessageId, OwnProfile, ProfileId, ReplyTo, Thread, Withheld } from '../sdk/protocol.ts';
import { isRead, joinedMarks } from './reading.ts';

/** Who is in a thread, and what one may do there. */
export interface Room {
  readonly thread: Thread;
  readonly members: ReadonlyMap<ProfileId, Member>;
  /** The membership version that each member's row is of. */
  readonly versions: ReadonlyMap<ProfileId, number>;
  /** After whom the next page of members begins; null when all are here. */
  readonly after: ProfileId | null;
  readonly families: number;
  readonly mayWrite: boolean;
  readonly withheld: readonly Withheld[];
}

/** A page of `open_thread`: the first makes the room, the next add to it. */
export function withPage(room: Room | null, page: ReplyTo<'open_thread'>, isFirst: boolean): Room {
  const members = new Map(isFirst || !room ? [] : room.members);
  const versions = new Map(isFirst || !room ? [] : room.versions);
  for (const member of page.members) {
    const read = room?.members.get(member.profile)?.read;
    members.set(member.profile, read && member.read ? { ...member, read: joinedMarks(read, member.read) } : member);
    versions.set(member.profile, page.thread.membership_version);
  }
  const thread = room && room.thread.version > page.thread.version ? room.thread : page.thread;
  const last = page.members.at(-1)?.profile ?? null;
  const { families, may_write: mayWrite, withheld = [] } = page;
  return { thread, members, versions, after: page.more ? last : null, families, mayWrite, withheld };
}

export function withThread(room: Room, thread: Thread): Room {
  return room.thread.version >= thread.version ? room : { ...room, thread };
}

/** Someone came or left. Of one who came, only the server knows name and role: the room is asked again for them. */
export function withMembership(room: Room, event: Extract<Event, { kind: 'membership' }>): Room {
  const version = room.versions.get(event.profile) ?? 0;
  const member = room.members.get(event.profile);
  if (!member || version >= event.membership_version) return room;
  const { left_at: _, ...present } = member;
  const changed = { ...present, joined_at: event.joined_at, ...(event.left_at ? { left_at: event.left_at } : {}) };
  return {
    ...room,
    members: new Map(room.members).set(event.profile, changed),
    versions: new Map(room.versions).set(event.profile, event.membership_version),
  };
}

export function withRead(room: Room, event: Extract<Event, { kind: 'read' }>): Room {
  const member = room.members.get(event.profile);
  if (!member) return room;
  const read = joinedMarks(member.read ?? {}, event.read);
  return { ...room, members: new Map(room.members).set(event.profile, { ...member, read }) };
}

export function present(room: Room): Member[] {
  return [...room.members.values()].filter((member) => member.left_at === undefined);
}

/** Whether one may change the thread for all: its starter may, and staff in it. */
export function steers({ thread, mayWrite }: Room, own: OwnProfile): boolean {
  const isStaff = own.role !== 'guardian' && own.role !== 'child';
  return mayWrite && (isStaff || own.profile === thread.starter);
}

export type Readers = { readonly kind: 'all' } | { readonly kind: 'some'; readonly count: number };

/** Who of the others has read a message. "All" only when every member is known and shows it. */
export function readersOf(room: Room, message: MessageId, author: ProfileId): Readers {
  const others = present(room).filter((member) => member.profile !== author);
  const count = others.filter((member) => member.read && isRead(member.read, message)).length;
  if (count > 0 && count === others.length && room.after === null && room.withheld.length === 0) return { kind: 'all' };
  return { kind: 'some', count };
}
