import { describe, expect, it } from 'vitest';
import { OTHER, THREAD } from './sample.ts';
import { TYPING_MS, withoutOverdue, withoutTyping, withTyping } from './typing.ts';

describe('typing', () => {
  it('ends by itself', () => {
    const typing = withTyping(new Map(), THREAD, OTHER, 0);
    expect(withoutOverdue(typing, TYPING_MS - 1).size).toBe(1);
    expect(withoutOverdue(typing, TYPING_MS).size).toBe(0);
  });

  it('ends with the message', () => {
    expect(withoutTyping(withTyping(new Map(), THREAD, OTHER, 0), THREAD, OTHER).size).toBe(0);
  });
});
