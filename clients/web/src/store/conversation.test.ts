import { describe, expect, it } from 'vitest';
import {
  type Conversation,
  NOTHING_KNOWN,
  unreadIn,
  withMessage,
  withNewestPage,
  withOlderPage,
} from './conversation.ts';
import { ME, message, messageId, OWN } from './sample.ts';

const page = (times: number[], more = false) => ({ messages: times.map((time) => message(time)), more });
const times = (conversation: Conversation) => conversation.messages.map((one) => one.sent_at);

describe('a conversation', () => {
  it('gives every message its place, in whatever order they arrive', () => {
    let conversation = withNewestPage(NOTHING_KNOWN, page([]));
    for (const time of [30, 10, 50, 20, 40]) conversation = withMessage(conversation, message(time));
    expect(times(conversation)).toEqual([10, 20, 30, 40, 50]);
  });

  it('is not changed by a message that comes twice, or by an older version of one', () => {
    const first = withMessage(withNewestPage(NOTHING_KNOWN, page([10])), message(20, { version: 2 }));
    expect(withMessage(first, message(20, { version: 2 }))).toBe(first);
    expect(withMessage(first, message(20, { version: 1 }))).toBe(first);
  });

  it('takes a new version in the same place', () => {
    const edited = withMessage(withNewestPage(NOTHING_KNOWN, page([10, 20])), message(10, { version: 2, parts: [] }));
    expect(edited.messages.map((one) => one.version)).toEqual([2, 1]);
  });

  it('leaves out a change of what is not loaded, which would be a message after a gap', () => {
    const conversation = withNewestPage(NOTHING_KNOWN, page([100, 110], true));
    expect(withMessage(conversation, message(5, { version: 2 }))).toBe(conversation);
  });

  it('takes what arrived while its first page was on the way', () => {
    const arrived = withMessage(NOTHING_KNOWN, message(120));
    expect(times(withNewestPage(arrived, page([100, 110], true)))).toEqual([100, 110, 120]);
  });

  it('grows upwards page by page', () => {
    const conversation = withNewestPage(NOTHING_KNOWN, page([100, 110], true));
    const whole = withOlderPage(conversation, page([80, 90]));
    expect(times(whole)).toEqual([80, 90, 100, 110]);
    expect(whole.older).toBe('none');
  });

  it('drops what may have a gap after it when its place is lost', () => {
    const before: Conversation = { ...withNewestPage(NOTHING_KNOWN, page([10, 20], true)), older: 'unknown' };
    expect(times(withNewestPage(before, page([100, 110], true)))).toEqual([100, 110]);
  });

  it('counts what is unread only when it can know', () => {
    const tail = withNewestPage(NOTHING_KNOWN, page([100, 110, 120], true));
    expect(unreadIn(tail, { up_to: messageId(110) }, OWN)).toBe(1);
    expect(unreadIn(tail, { up_to: messageId(50) }, OWN)).toBeNull();
    const whole = withNewestPage(NOTHING_KNOWN, page([100, 110]));
    expect(unreadIn(withMessage(whole, message(130, { author: ME })), {}, OWN)).toBe(2);
  });

  it('takes a message into ten thousand without ado', () => {
    const many = Array.from({ length: 10_000 }, (_, time) => message(time + 1));
    let conversation: Conversation = { messages: many, older: 'none', withheld: [] };
    const began = performance.now();
    for (let time = 10_001; time <= 10_100; time += 1) conversation = withMessage(conversation, message(time));
    expect(conversation.messages).toHaveLength(10_100);
    expect(performance.now() - began).toBeLessThan(1000);
  });
});
