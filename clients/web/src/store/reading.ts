import type { MessageId, ReadMark } from '../sdk/protocol.ts';

/** Whether a message is read: at or before `up_to`, or named on its own. */
export function isRead(mark: ReadMark, message: MessageId): boolean {
  if (mark.up_to !== undefined && message <= mark.up_to) return true;
  return mark.also?.includes(message) ?? false;
}

/**
 * What is read when both are. Nobody can make a message unread, so joining is right whichever came first, and applied
 * twice or late it changes nothing.
 */
export function joinedMarks(one: ReadMark, other: ReadMark): ReadMark {
  const upTo = later(one.up_to, other.up_to);
  const also = new Set([...(one.also ?? []), ...(other.also ?? [])]);
  const beyond = [...also].filter((message) => upTo === undefined || message > upTo).sort();
  return { ...(upTo === undefined ? {} : { up_to: upTo }), ...(beyond.length > 0 ? { also: beyond } : {}) };
}

/** The newest message that is read. */
export function newestRead(mark: ReadMark): MessageId | undefined {
  return later(mark.up_to, mark.also?.at(-1));
}

export function sameMark(one: ReadMark, other: ReadMark): boolean {
  return one.up_to === other.up_to && (one.also ?? []).join() === (other.also ?? []).join();
}

function later(one: MessageId | undefined, other: MessageId | undefined): MessageId | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one > other ? one : other;
}
