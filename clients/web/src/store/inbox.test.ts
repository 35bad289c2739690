import { describe, expect, it } from 'vitest';
import * as inbox from './inbox.ts';
import { id, inboxEntry, ME, message, messageId, OTHER, OWN, THREAD, thread } from './sample.ts';

const start = inbox.withEntry(new Map(), inboxEntry(1000));
const of = (summaries: inbox.Summaries) => summaries.get(THREAD) as inbox.Summary;

describe('the inbox', () => {
  it('counts a new message of someone else once, however often it comes', () => {
    const once = inbox.withMessage(start, message(2000), OWN);
    const twice = inbox.withMessage(once, message(2000), OWN);
    expect(of(once).unread).toBe(1);
    expect(twice).toBe(once);
  });

  it('does not count what one wrote oneself', () => {
    expect(of(inbox.withMessage(start, message(2000, { author: ME }), OWN)).unread).toBe(0);
  });

  it('does not count what is read on another device already', () => {
    const read = inbox.withOwnRead(start, THREAD, { up_to: messageId(2000) }, null);
    expect(of(inbox.withMessage(read, message(2000), OWN)).unread).toBe(0);
  });

  it('shows the newest wording of the last message', () => {
    const first = inbox.withMessage(start, message(2000), OWN);
    const edited = message(2000, { version: 2, parts: [{ kind: 'text', text: 'Ny\ntekst' }] });
    const second = inbox.withMessage(first, edited, OWN);
    expect(of(second).preview).toBe('Ny tekst');
    expect(inbox.withMessage(second, message(2000), OWN)).toBe(second);
  });

  it('asks again rather than guess when a message arrives late', () => {
    const summary = of(inbox.withMessage(start, message(3000), OWN));
    expect(inbox.isDoubtful(summary, message(2500), OWN)).toBe(true);
    expect(inbox.isDoubtful(summary, message(2500, { author: ME }), OWN)).toBe(false);
    expect(inbox.isDoubtful({ ...summary, read: { up_to: messageId(2600) } }, message(2500), OWN)).toBe(false);
  });

  it('has nothing unread when all is read, and keeps the count when that cannot be told', () => {
    const unread = inbox.withEntry(new Map(), inboxEntry(5000, { unread: 7 }));
    expect(of(inbox.withOwnRead(unread, THREAD, { up_to: messageId(4000) }, null)).unread).toBe(7);
    expect(of(inbox.withOwnRead(unread, THREAD, { up_to: messageId(4000) }, 2)).unread).toBe(2);
    expect(of(inbox.withOwnRead(unread, THREAD, { up_to: messageId(5000) }, null)).unread).toBe(0);
  });

  it('keeps what events told when an older answer comes after them', () => {
    const ahead = inbox.withMessage(
      inbox.withThread(start, thread({ version: 3, subject: 'Nyt' })),
      message(9000),
      OWN,
    );
    const after = of(inbox.withEntry(ahead, inboxEntry(1000)));
    expect(after.thread.subject).toBe('Nyt');
    expect(after.lastMessage).toBe(messageId(9000));
  });

  it('takes settings by their version', () => {
    const settings = { kind: 'thread_settings', thread: THREAD, version: 2, muted: true, marked: false } as const;
    const muted = inbox.withSettings(start, settings);
    expect(of(muted).muted).toBe(true);
    expect(inbox.withSettings(muted, { ...settings, version: 1, muted: false })).toBe(muted);
  });

  it('notes that one left, and only oneself', () => {
    const left = {
      kind: 'membership',
      thread: THREAD,
      membership_version: 4,
      profile: ME,
      joined_at: 0,
      left_at: 77,
    } as const;
    expect(of(inbox.withMembership(start, left)).leftAt).toBe(77);
    expect(inbox.withMembership(start, { ...left, profile: OTHER })).toBe(start);
  });

  it('is not fooled by an older leaving after one came back', () => {
    const back = { kind: 'membership', thread: THREAD, membership_version: 5, profile: ME, joined_at: 90 } as const;
    const came = inbox.withMembership(start, back);
    expect(of(inbox.withMembership(came, { ...back, membership_version: 4, left_at: 77 })).leftAt).toBeNull();
  });

  it('lists the latest activity first', () => {
    const other = inboxEntry(2000, { thread: thread({ thread: id('1111', 2) }) });
    const both = inbox.withEntry(start, other);
    expect(inbox.byActivity(both).map((summary) => summary.lastMessage)).toEqual([messageId(2000), messageId(1000)]);
  });
});
