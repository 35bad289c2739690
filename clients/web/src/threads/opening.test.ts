import { describe, expect, it } from 'vitest';
import { type Conversation, firstUnread, unreadIn } from '../store/conversation.ts';
import { message, messageId, OTHER, OWN } from '../store/sample.ts';
import { newAfter, rowsOf, shownFrom } from './rows.ts';

const MINUTE = 60_000;
const messages = (count: number) => Array.from({ length: count }, (_, place) => message((place + 1) * MINUTE));

/** A conversation that counts how often one of its messages is looked at. */
function counted(count: number) {
  const looks = { count: 0 };
  const watched = new Proxy(messages(count), {
    get(all, name, receiver) {
      if (typeof name === 'string' && /^\d+$/.test(name)) looks.count += 1;
      return Reflect.get(all, name, receiver);
    },
  });
  const conversation: Conversation = { messages: watched, older: 'none', withheld: [] };
  return { conversation, looks };
}

/** All that opening a thread does with its messages, when all but the last `unread` are read. */
function lookedAt(count: number, unread: number): number {
  const { conversation, looks } = counted(count);
  const mark = { up_to: messageId((count - unread) * MINUTE) };
  const newFrom = firstUnread(conversation, mark, OWN);
  const rows = rowsOf(conversation, shownFrom(conversation, newFrom), [], newFrom, OWN);
  expect(rows.length).toBeGreaterThan(100);
  unreadIn(conversation, mark, OWN);
  newAfter(conversation, messageId((count - 1) * MINUTE), OWN);
  return looks.count;
}

/** A binary search looks once per doubling. */
const SEARCHES = 5 * Math.log2(10_000 / 200);

describe('a thread of ten thousand messages', () => {
  it('opens with the work of a short one', () => {
    expect(lookedAt(10_000, 0)).toBeLessThan(lookedAt(200, 0) + SEARCHES);
    expect(lookedAt(10_000, 3)).toBeLessThan(lookedAt(200, 3) + SEARCHES);
  });

  it('has a hundred more ready each time one comes near the first', () => {
    const { conversation } = counted(250);
    const opened = shownFrom(conversation, null);
    expect(opened).toBe(messageId(151 * MINUTE));
    const further = shownFrom(conversation, opened);
    expect(further).toBe(messageId(51 * MINUTE));
    const all = shownFrom(conversation, further);
    expect(all).toBe(messageId(MINUTE));
    expect(shownFrom(conversation, all)).toBe(all);
  });

  it('says where it began only above the very first message', () => {
    const { conversation } = counted(250);
    const kinds = (from: string | null) => rowsOf(conversation, from, [], null, OWN).map((row) => row.kind);
    expect(kinds(shownFrom(conversation, null))).not.toContain('top');
    expect(kinds(messageId(MINUTE))[0]).toBe('top');
  });

  it('begins some way above what is new', () => {
    const { conversation } = counted(10_000);
    const newFrom = firstUnread(conversation, { up_to: messageId(9000 * MINUTE) }, new Set([...OWN]));
    expect(conversation.messages[9000]?.author).toBe(OTHER);
    expect(newFrom).toBe(messageId(9001 * MINUTE));
    expect(shownFrom(conversation, newFrom)).toBe(messageId(8901 * MINUTE));
  });
});
