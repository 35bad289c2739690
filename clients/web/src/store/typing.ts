import type { ProfileId, ThreadId } from '../sdk/protocol.ts';

/** How long "is writing" stands unless it is renewed. */
export const TYPING_MS = 6000;

/** Who writes where, and until when that is believed. */
export type Typing = ReadonlyMap<ThreadId, ReadonlyMap<ProfileId, number>>;

export function withTyping(typing: Typing, thread: ThreadId, profile: ProfileId, now: number): Typing {
  const writers = new Map(typing.get(thread)).set(profile, now + TYPING_MS);
  return new Map(typing).set(thread, writers);
}

/** They have written, or have been quiet for too long. */
export function withoutTyping(typing: Typing, thread: ThreadId, profile: ProfileId): Typing {
  const writers = new Map(typing.get(thread));
  if (!writers.delete(profile)) return typing;
  const others = new Map(typing);
  if (writers.size === 0) others.delete(thread);
  else others.set(thread, writers);
  return others;
}

export function withoutOverdue(typing: Typing, now: number): Typing {
  let left = typing;
  for (const [thread, writers] of typing) {
    for (const [profile, until] of writers) if (until <= now) left = withoutTyping(left, thread, profile);
  }
  return left;
}
