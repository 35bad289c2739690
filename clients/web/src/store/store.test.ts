import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { id, ME, member, message, messageId, OTHER, SPACE, THREAD, threadPage } from './sample.ts';
import { event, outgoing, SampleServer, welcome } from './sample_server.ts';
import { type Server, Store } from './store.ts';
import { loadThread } from './thread_pages.ts';

let server: SampleServer;
let store: Store;
const settled = () => vi.advanceTimersByTimeAsync(1000);
const summary = () => store.summaries.value.get(THREAD);
const messages = () => store.conversation(THREAD).value.messages;

beforeEach(async () => {
  vi.useFakeTimers();
  server = new SampleServer();
  store = new Store(server as unknown as Server);
  store.apply({ kind: 'connected', welcome, resumes: false });
  await settled();
});
afterEach(() => vi.useRealTimers());

describe('the store', () => {
  it('asks for the inbox when there is nothing to resume', () => {
    expect(server.count('inbox')).toBe(1);
    expect(summary()?.unread).toBe(0);
    expect(store.reach.value).toEqual({ kind: 'all' });
  });

  it('asks for nothing when everything is resumed', async () => {
    store.apply({ kind: 'connected', welcome, resumes: true });
    store.apply({ kind: 'resumed', space: SPACE, events: 0 });
    await settled();
    expect(server.count('inbox')).toBe(1);
  });

  it('knows from each welcome whether one is hidden', () => {
    store.apply({ kind: 'connected', welcome: { ...welcome, presence_hidden: true }, resumes: true });
    expect(store.presenceHidden.value).toBe(true);
    store.apply({ kind: 'connected', welcome, resumes: true });
    expect(store.presenceHidden.value).toBe(false);
  });

  it('asks for the inbox again, once, when messages come in threads that it does not know', async () => {
    for (const number of [2, 3])
      store.apply(event({ kind: 'message', ...message(2000, { thread: id('1111', number) }) }));
    await settled();
    expect(server.count('inbox')).toBe(2);
  });

  it('shows a message that comes twice once', async () => {
    loadThread(store, THREAD);
    await settled();
    const fact = event({ kind: 'message', ...message(2000) });
    store.apply(fact);
    store.apply(fact);
    expect(messages()).toHaveLength(3);
    expect(summary()?.unread).toBe(1);
  });

  it('shows as sent only what the server has stored', async () => {
    loadThread(store, THREAD);
    await settled();
    server.outbox = [{ outgoing: { ...outgoing, parts: [...outgoing.parts] }, state: 'queued' }];
    server.outboxChanged();
    expect(store.sends.value).toHaveLength(1);
    expect(messages()).toHaveLength(2);
    server.outbox = [];
    server.outboxChanged();
    expect(store.sends.value).toHaveLength(1);
    store.apply({ kind: 'sent', sent: { thread: THREAD, message: messageId(3000), client_id: outgoing.client_id } });
    expect(store.sends.value).toHaveLength(0);
    expect(messages().at(-1)?.author).toBe(ME);
    store.apply(event({ kind: 'message', ...message(3000, { author: ME }) }));
    expect(messages()).toHaveLength(3);
  });

  it('counts anew what another device has read', async () => {
    loadThread(store, THREAD);
    await settled();
    store.apply(event({ kind: 'message', ...message(2000) }));
    store.apply(event({ kind: 'message', ...message(3000) }));
    store.apply(event({ kind: 'read', thread: THREAD, profile: ME, version: 1, read: { up_to: messageId(2000) } }));
    expect(summary()?.unread).toBe(1);
  });

  it('closes a thread at once for a member who was removed', async () => {
    loadThread(store, THREAD);
    await settled();
    server.answers.open_thread = threadPage([member(ME, { left_at: 9 }), member(OTHER)], { may_write: false });
    store.apply(
      event({ kind: 'membership', thread: THREAD, membership_version: 2, profile: ME, joined_at: 0, left_at: 9 }),
    );
    expect(summary()?.leftAt).toBe(9);
    await settled();
    expect(store.room(THREAD).value?.mayWrite).toBe(false);
  });

  it('reads the open thread again after a resync', async () => {
    store.open.value = THREAD;
    loadThread(store, THREAD);
    await settled();
    store.apply({ kind: 'resync', space: SPACE });
    await settled();
    expect(server.count('history')).toBe(2);
    expect(server.count('inbox')).toBe(2);
  });

  it('takes the newer of two drafts', () => {
    store.apply(event({ kind: 'draft', thread: THREAD, version: 3, text: 'nyt' }));
    store.apply(event({ kind: 'draft', thread: THREAD, version: 2, text: 'gammelt' }));
    expect(store.drafts.value.get(THREAD)?.text).toBe('nyt');
  });

  it('begins where the last run stopped', async () => {
    loadThread(store, THREAD);
    await settled();
    const snapshot = structuredClone(store.snapshot());
    const next = new Store(new SampleServer() as unknown as Server);
    if (snapshot) next.restore(snapshot);
    expect(next.summaries.value.get(THREAD)?.thread.subject).toBe('Tur');
    expect(next.conversation(THREAD).value.messages).toHaveLength(2);
    expect(next.reach.value).toEqual({ kind: 'all' });
  });
});
