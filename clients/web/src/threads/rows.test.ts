import { describe, expect, it } from 'vitest';
import { type Conversation, firstUnread } from '../store/conversation.ts';
import { ME, message, messageId, OTHER, OWN } from '../store/sample.ts';
import { newAfter, rowsOf } from './rows.ts';

const NOON = new Date(2026, 7, 3, 12).getTime();
const DAY = 86_400_000;
const conversation = (...messages: Conversation['messages'][number][]): Conversation => ({
  messages,
  older: 'none',
  withheld: [],
});

describe('the rows of a thread', () => {
  it('stand under their days', () => {
    const rows = rowsOf(conversation(message(NOON), message(NOON + DAY)), null, [], null, OWN);
    expect(rows.map((row) => row.kind)).toEqual(['top', 'day', 'message', 'day', 'message', 'end']);
  });

  it('belong together when one author writes on', () => {
    const rows = rowsOf(
      conversation(message(NOON), message(NOON + 1000), message(NOON + 2000, { author: ME })),
      null,
      [],
      null,
      OWN,
    );
    const told = rows.flatMap((row) => (row.kind === 'message' ? [[row.continues, row.ends]] : []));
    expect(told).toEqual([
      [false, false],
      [true, true],
      [false, true],
    ]);
  });

  it('are parted where the new ones begin', () => {
    const rows = rowsOf(conversation(message(NOON), message(NOON + 1000)), null, [], messageId(NOON + 1000), OWN);
    expect(rows.map((row) => row.kind)).toEqual(['top', 'day', 'message', 'new', 'message', 'end']);
  });

  it('have keys that differ', () => {
    const rows = rowsOf(conversation(message(NOON), message(NOON + DAY), message(NOON + 2 * DAY)), null, [], null, OWN);
    expect(new Set(rows.map((row) => row.key)).size).toBe(rows.length);
  });

  it('begin anew at the first that someone else wrote and one has not read', () => {
    const all = conversation(message(NOON), message(NOON + 1, { author: ME }), message(NOON + 2, { author: OTHER }));
    expect(firstUnread(all, { up_to: messageId(NOON) }, OWN)).toBe(messageId(NOON + 2));
    expect(firstUnread(all, { up_to: messageId(NOON + 2) }, OWN)).toBeNull();
  });

  it('count what came below, without one’s own', () => {
    const all = conversation(message(NOON), message(NOON + 1, { author: ME }), message(NOON + 2));
    expect(newAfter(all, messageId(NOON), OWN)).toBe(1);
  });
});
