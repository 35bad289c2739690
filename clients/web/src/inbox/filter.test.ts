import { describe, expect, it } from 'vitest';
import { type Summary, withEntry } from '../store/inbox.ts';
import { id, inboxEntry, ME, THREAD, thread } from '../store/sample.ts';
import { matches, passes } from './filter.ts';

const CHILD = id('cccc', 7);
const entry = inboxEntry(1, { unread: 2, thread: thread({ subject: 'Tur til Moesgård', regarding: [CHILD] }) });
const summary = withEntry(new Map(), entry).get(THREAD) as Summary;

describe('the inbox shows', () => {
  it('what the filter lets through', () => {
    expect(passes({ kind: 'all' }, summary)).toBe(true);
    expect(passes({ kind: 'unread' }, summary)).toBe(true);
    expect(passes({ kind: 'marked' }, summary)).toBe(false);
    expect(passes({ kind: 'child', child: CHILD }, summary)).toBe(true);
    expect(passes({ kind: 'child', child: ME }, summary)).toBe(false);
    expect(passes({ kind: 'profile', profile: ME }, summary)).toBe(true);
  });

  it('what matches every word, in subject, names and text', () => {
    expect(matches('moesgård tur', summary, [])).toBe(true);
    expect(matches('hej anne', summary, ['Anne Holm'])).toBe(true);
    expect(matches('moesgård bo', summary, ['Anne Holm'])).toBe(false);
  });

  it('names with accents when one writes none, but å is no a', () => {
    expect(matches('andre', summary, ['André Bø'])).toBe(true);
    expect(matches('moesgard', summary, [])).toBe(false);
  });
});
