import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { childrenOf, loadChildren } from '../inbox/children.ts';
import { passes } from '../inbox/filter.ts';
import { filterOf, viewOf } from '../inbox/view.ts';
import type { OwnProfile, Person, Request } from '../sdk/protocol.ts';
import { byActivity } from '../store/inbox.ts';
import { id, inboxEntry, messageId, SPACE, THREAD, thread } from '../store/sample.ts';
import { SampleServer, welcome } from '../store/sample_server.ts';
import { type Server, Store } from '../store/store.ts';
import { shownPeople } from '../threads/presence.ts';
import { EMPTY, letterOf, outgoingOf, writeAs, writerOf } from './letter.ts';

// A teacher at one school who is a parent there too, and a parent at another.
const ELSEWHERE = id('aaaa', 2);
const AT_ELSEWHERE = id('1111', 2);
const TEACHER = id('cccc', 1);
const PARENT = id('cccc', 2);
const PARENT_ELSEWHERE = id('cccc', 3);
const [CHILD, CHILD_ELSEWHERE] = [id('cccc', 11), id('cccc', 12)] as const;
const [COLLEAGUE, TEACHER_ELSEWHERE] = [id('cccc', 21), id('cccc', 22)] as const;

const profile = (profile: string, space: string, role: OwnProfile['role']): OwnProfile => ({
  profile,
  space,
  space_name: space === SPACE ? 'Skovbrynet' : 'Bakkegården',
  role,
  name: 'Mette Holm',
});
const profiles = [
  profile(TEACHER, SPACE, 'employee'),
  profile(PARENT, SPACE, 'guardian'),
  profile(PARENT_ELSEWHERE, ELSEWHERE, 'guardian'),
];
const guardian = (own: string, child: string): Person => ({
  profile: own,
  role: 'guardian',
  name: 'Mette Holm',
  children: [child],
});
const PEOPLE: readonly Person[] = [
  guardian(PARENT, CHILD),
  guardian(PARENT_ELSEWHERE, CHILD_ELSEWHERE),
  { profile: CHILD, role: 'child', name: 'Freja Holm' },
  { profile: CHILD_ELSEWHERE, role: 'child', name: 'Viggo Holm' },
];

let store: Store;
let server: SampleServer;
const connect = (own = profiles) =>
  store.apply({ kind: 'connected', welcome: { ...welcome, profiles: own }, resumes: false });
const shown = () => byActivity(store.summaries.value).filter((summary) => passes(filterOf(store), summary));
const threadsShown = () => shown().map((summary) => summary.thread.thread);
const lookAs = (own: string) => {
  viewOf(store).filter.value = { kind: 'profile', profile: own };
};

beforeEach(async () => {
  vi.useFakeTimers();
  server = new SampleServer();
  const here = inboxEntry(1000, { profile: TEACHER, last_author: COLLEAGUE });
  const there = inboxEntry(2000, {
    thread: thread({ space: ELSEWHERE, thread: AT_ELSEWHERE, regarding: [CHILD_ELSEWHERE] }),
    profile: PARENT_ELSEWHERE,
    last_author: TEACHER_ELSEWHERE,
  });
  server.answers.inbox = { kind: 'inbox', entries: [there, here], more: false };
  server.answers.names = (request: Extract<Request, { op: 'names' }>) => ({
    kind: 'people',
    people: PEOPLE.filter((person) => request.profiles.includes(person.profile)),
    more: false,
  });
  store = new Store(server as unknown as Server);
  connect();
  await loadChildren(store);
  await vi.advanceTimersByTimeAsync(1000);
});
afterEach(() => vi.useRealTimers());

describe('with profiles at two schools', () => {
  it('the inbox is one, until one school, role or child is chosen', () => {
    expect(threadsShown()).toEqual([AT_ELSEWHERE, THREAD]);
    lookAs(TEACHER);
    expect(threadsShown()).toEqual([THREAD]);
    viewOf(store).filter.value = { kind: 'child', child: CHILD_ELSEWHERE };
    expect(threadsShown()).toEqual([AT_ELSEWHERE]);
  });

  it('all is shown again when the chosen profile is not one’s own any more', () => {
    lookAs(PARENT_ELSEWHERE);
    connect(profiles.slice(0, 2));
    expect(filterOf(store)).toEqual({ kind: 'all' });
  });

  it('one’s children are known by school, each asked for where they are', () => {
    expect(childrenOf(store, store.own.value).map((child) => child.name)).toEqual(['Freja Holm', 'Viggo Holm']);
    expect(childrenOf(store, [PARENT]).map((child) => child.profile)).toEqual([CHILD]);
    expect(childrenOf(store, [TEACHER])).toEqual([]);
    const asked = server.asked.flatMap((request) => (request.op === 'names' ? [request] : []));
    const of = (child: string) => asked.find(({ profiles }) => profiles.includes(child))?.space;
    expect([of(CHILD), of(CHILD_ELSEWHERE)]).toEqual([SPACE, ELSEWHERE]);
  });

  it('one writes as whom one looks at the inbox as', () => {
    expect(writerOf(store)?.profile).toBe(TEACHER);
    lookAs(PARENT);
    expect(writerOf(store)?.profile).toBe(PARENT);
    viewOf(store).filter.value = { kind: 'child', child: CHILD_ELSEWHERE };
    expect(writerOf(store)?.profile).toBe(PARENT_ELSEWHERE);
  });

  it('another name to write in takes who was chosen for the first with it, not what was written', () => {
    const to = { key: 'x', label: 'x', beside: '', isGroup: false, recipients: [], child: null };
    letterOf(store).value = { ...EMPTY, to: [to], regarding: [CHILD], words: 'Hej', subject: 'Tur' };
    writeAs(store, PARENT_ELSEWHERE);
    expect(letterOf(store).value).toEqual({ ...EMPTY, as: PARENT_ELSEWHERE, words: 'Hej', subject: 'Tur' });
  });

  it('what is sent names the profile and its school', () => {
    writeAs(store, PARENT_ELSEWHERE);
    const writer = writerOf(store) as OwnProfile;
    const sent = outgoingOf({ ...letterOf(store).value, subject: ' Tur ', words: 'Hej' }, writer, id('4444', 1));
    expect(sent).toMatchObject({ space: ELSEWHERE, as_profile: PARENT_ELSEWHERE, subject: 'Tur' });
    expect(sent).not.toHaveProperty('regarding');
  });

  it('those of one school are watched: of the open thread, else of the chosen profile, else of the newest', async () => {
    expect(shownPeople(store)).toEqual({ space: ELSEWHERE, profiles: [TEACHER_ELSEWHERE] });
    lookAs(TEACHER);
    expect(shownPeople(store)).toEqual({ space: SPACE, profiles: [COLLEAGUE] });
  });

  it('nothing of one person is there for the next', () => {
    letterOf(store).value = { ...EMPTY, words: 'Hemmeligt' };
    viewOf(store).search.value = 'Hemmeligt';
    const next = new Store(new SampleServer() as unknown as Server);
    expect(letterOf(next).value).toEqual(EMPTY);
    expect(viewOf(next).search.value).toBe('');
  });

  it('a resync of one school leaves the other as it was', async () => {
    const there = store.conversation(AT_ELSEWHERE);
    there.value = { messages: [], older: 'none', withheld: [] };
    store.conversation(THREAD).value = { messages: [], older: 'none', withheld: [] };
    store.apply({ kind: 'resync', space: SPACE });
    expect(store.conversation(THREAD).value.older).toBe('unknown');
    expect(there.value.older).toBe('none');
    expect(messageId(2000)).toBe(store.summaries.value.get(AT_ELSEWHERE)?.lastMessage);
  });
});
