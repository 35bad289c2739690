import { describe, expect, it } from 'vitest';
import { isRead, joinedMarks } from './reading.ts';
import { messageId } from './sample.ts';

const [a, b, c, d] = [messageId(1), messageId(2), messageId(3), messageId(4)] as const;

describe('a read marker', () => {
  it('covers all up to it, and what it names beyond', () => {
    const mark = { up_to: b, also: [d] };
    expect([a, b, c, d].map((message) => isRead(mark, message))).toEqual([true, true, false, true]);
  });

  it('covers nothing when it is empty', () => {
    expect(isRead({}, a)).toBe(false);
  });

  it('joins with another, in any order and any number of times, to the same', () => {
    const one = { up_to: b, also: [d] };
    const other = { up_to: c };
    const both = { up_to: c, also: [d] };
    expect(joinedMarks(one, other)).toEqual(both);
    expect(joinedMarks(other, one)).toEqual(both);
    expect(joinedMarks(both, one)).toEqual(both);
  });

  it('drops single messages that it has grown over', () => {
    expect(joinedMarks({ also: [b, c] }, { up_to: d })).toEqual({ up_to: d });
  });
});
