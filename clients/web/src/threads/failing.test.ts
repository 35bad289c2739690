import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Update } from '../sdk/index.ts';
import type { Request } from '../sdk/protocol.ts';
import { NOTHING_KNOWN } from '../store/conversation.ts';
import { ME, member, message, messageId, OTHER, SPACE, THREAD, threadPage } from '../store/sample.ts';
import { event, outgoing, SampleServer, welcome } from '../store/sample_server.ts';
import { hasFailed, sendsIn, sendsWithoutThread } from '../store/sends.ts';
import { type Server, Store } from '../store/store.ts';
import { loadOlder, loadThread } from '../store/thread_pages.ts';
import { drop, mayWriteIn, sendAgain } from './actions.ts';

const refusal = { code: 'not_permitted', message: 'nej' } as const;
const refused: Update = {
  kind: 'send_failed',
  clientId: outgoing.client_id,
  outgoing: { ...outgoing, parts: [...outgoing.parts] },
  refusal,
};
const removed = event({
  kind: 'membership',
  thread: THREAD,
  membership_version: 2,
  profile: ME,
  joined_at: 0,
  left_at: 9,
});

let store: Store;
let server: SampleServer;
const settled = () => vi.advanceTimersByTimeAsync(1000);
const times = () => store.conversation(THREAD).value.messages.map((one) => one.sent_at);
const failed = () => sendsIn(store.sends.value, THREAD);

/** A thread on the server, in pages of at most `limit`. */
function historyOf(all: readonly number[]) {
  return ({ before, limit }: Extract<Request, { op: 'history' }>) => {
    const earlier = all.filter((time) => before === undefined || messageId(time) < before);
    const messages = earlier.slice(-limit).map((time) => message(time, { version: 2 }));
    return { kind: 'history', messages, more: earlier.length > limit };
  };
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, place) => from + place);

beforeEach(async () => {
  vi.useFakeTimers();
  server = new SampleServer();
  store = new Store(server as unknown as Server);
  store.apply({ kind: 'connected', welcome, resumes: false });
  store.open.value = THREAD;
  loadThread(store, THREAD);
  await settled();
});
afterEach(() => vi.useRealTimers());

describe('a message that is refused for good', () => {
  it('stays with its text and the reason, and the inbox says where', () => {
    store.apply(refused);
    expect(failed()).toMatchObject([{ outgoing: { parts: outgoing.parts }, state: { kind: 'failed', refusal } }]);
    expect(hasFailed(store.sends.value, THREAD)).toBe(true);
  });

  it('goes as a new one when it is tried again, once', async () => {
    store.apply(refused);
    const [send] = failed();
    if (send) await sendAgain(store, send);
    expect(server.queued).toHaveLength(1);
    expect(server.queued[0]?.client_id).not.toBe(outgoing.client_id);
    expect(failed()).toHaveLength(0);
  });

  it('stays when the new one cannot be kept, and says so', async () => {
    store.apply(refused);
    server.queue = async () => {
      throw new Error('no room');
    };
    const [send] = failed();
    if (send) await sendAgain(store, send);
    expect(failed()).toHaveLength(1);
    expect(store.problem.value).toBeInstanceOf(Error);
  });

  it('is gone when it is deleted', () => {
    store.apply(refused);
    const [send] = failed();
    if (send) drop(store, send);
    expect(store.sends.value).toHaveLength(0);
  });

  it('is there after a restart of one’s own device', () => {
    store.apply(refused);
    const next = new Store(new SampleServer() as unknown as Server);
    const snapshot = store.snapshot();
    if (snapshot) next.restore(structuredClone(snapshot));
    expect(hasFailed(next.sends.value, THREAD)).toBe(true);
  });
});

describe('a thread that one was removed from', () => {
  it('is closed for writing at once, and keeps what was written', () => {
    expect(mayWriteIn(store, THREAD)).toBe(true);
    store.apply(removed);
    expect(mayWriteIn(store, THREAD)).toBe(false);
    expect(times()).toEqual([500, 1000]);
  });

  it('is open again for who is taken in anew', async () => {
    store.apply(removed);
    const fact = { kind: 'membership', thread: THREAD, profile: ME, joined_at: 20 } as const;
    store.apply(event({ ...fact, membership_version: 3 }));
    await settled();
    expect(mayWriteIn(store, THREAD)).toBe(true);
  });

  it('leaves what could not be sent to it in the inbox when it is gone altogether', () => {
    store.apply(refused);
    store.gone.value = new Set([THREAD]);
    expect(sendsWithoutThread(store.sends.value, store.gone.value)).toHaveLength(1);
  });
});

describe('after a resync', () => {
  it('all that was here is here still, with what is new and what was changed', async () => {
    server.answers.history = historyOf(range(1001, 1300));
    store.conversation(THREAD).value = NOTHING_KNOWN;
    loadThread(store, THREAD);
    await settled();
    for (let pages = 0; pages < 3; pages += 1) await loadOlder(store, THREAD);
    const before = times();
    const lengths: number[] = [];
    const stop = store.conversation(THREAD).subscribe(({ messages }) => lengths.push(messages.length));
    server.answers.history = historyOf(range(1001, 1420));
    store.apply({ kind: 'resync', space: SPACE });
    await settled();
    stop();
    expect(times()).toEqual(expect.arrayContaining(before));
    expect(times().at(-1)).toBe(1420);
    expect(Math.min(...lengths)).toBe(before.length);
    expect(store.conversation(THREAD).value.older).toBe('more');
  });

  it('a message that came meanwhile is not lost', async () => {
    server.answers.history = historyOf(range(501, 1000));
    store.apply({ kind: 'resync', space: SPACE });
    store.apply(event({ kind: 'message', ...message(2000, { author: OTHER }) }));
    await settled();
    expect(times().at(-1)).toBe(2000);
  });

  it('members are asked for again, and who left meanwhile is gone', async () => {
    server.answers.open_thread = threadPage([member(ME)]);
    store.apply({ kind: 'resync', space: SPACE });
    await settled();
    expect([...(store.room(THREAD).value?.members.keys() ?? [])]).toEqual([ME]);
  });

  it('the draft of the open thread is asked for again', async () => {
    store.apply(event({ kind: 'draft', thread: THREAD, version: 1, text: 'gammelt' }));
    server.answers.load_draft = { kind: 'draft', thread: THREAD, version: 2, text: 'nyt' };
    store.apply({ kind: 'resync', space: SPACE });
    await settled();
    expect(store.drafts.value.get(THREAD)?.text).toBe('nyt');
  });
});
