import { describe, expect, it } from 'vitest';
import * as room from './room.ts';
import { ME, member, messageId, OTHER, SPACE, THREAD, threadPage } from './sample.ts';

const start = room.withPage(null, threadPage([member(ME), member(OTHER)]), true);
const left = {
  kind: 'membership',
  thread: THREAD,
  membership_version: 2,
  profile: OTHER,
  joined_at: 0,
  left_at: 9,
} as const;

describe('a room', () => {
  it('is left by a membership event of a newer version, once', () => {
    const after = room.withMembership(start, left);
    expect(room.present(after).map((one) => one.profile)).toEqual([ME]);
    expect(room.withMembership(after, { ...left, membership_version: 1 })).toBe(after);
  });

  it('lets someone come back', () => {
    const { left_at: _, ...back } = { ...left, membership_version: 3, joined_at: 20 };
    const after = room.withMembership(room.withMembership(start, left), back);
    expect(room.present(after)).toHaveLength(2);
  });

  it('says who has read, and "all" only when it is certain', () => {
    const read = { kind: 'read', thread: THREAD, profile: OTHER, version: 1, read: { up_to: messageId(5) } } as const;
    const after = room.withRead(start, read);
    expect(room.readersOf(start, messageId(5), ME)).toEqual({ kind: 'some', count: 0 });
    expect(room.readersOf(after, messageId(5), ME)).toEqual({ kind: 'all' });
    expect(room.readersOf(after, messageId(6), ME)).toEqual({ kind: 'some', count: 0 });
    const partly = room.withPage(after, threadPage([member(ME), member(OTHER)], { more: true }), true);
    expect(room.readersOf(partly, messageId(5), ME).kind).toBe('some');
  });

  it('is changed by its starter and by staff, as long as they may write there', () => {
    const own = { profile: ME, space: SPACE, space_name: 'Skolen', role: 'guardian', name: 'Mette' } as const;
    expect(room.steers(start, own)).toBe(false);
    expect(room.steers(start, { ...own, role: 'employee' })).toBe(true);
    expect(room.steers(start, { ...own, profile: start.thread.starter })).toBe(true);
    expect(room.steers({ ...start, mayWrite: false }, { ...own, role: 'employee' })).toBe(false);
  });

  it('grows by pages', () => {
    const first = room.withPage(null, threadPage([member(ME)], { more: true }), true);
    expect(first.after).toBe(ME);
    expect(room.withPage(first, threadPage([member(OTHER)]), false).members.size).toBe(2);
  });
});
