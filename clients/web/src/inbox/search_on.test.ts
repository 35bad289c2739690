import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Request } from '../sdk/protocol.ts';
import { id, inboxEntry, messageId, thread } from '../store/sample.ts';
import { SampleServer, welcome } from '../store/sample_server.ts';
import { type Server, Store } from '../store/store.ts';
import { searched, searchOn, stopSearching } from './search_on.ts';
import { viewOf } from './view.ts';

const PAGE = 50;
let store: Store;
let server: SampleServer;

/** An inbox of so many threads, the newest first. */
function inboxOf(count: number) {
  return ({ before }: Extract<Request, { op: 'inbox' }>) => {
    const all = Array.from({ length: count }, (_, place) => count - place);
    const left = all.filter((time) => before === undefined || messageId(time) < before);
    const entries = left
      .slice(0, PAGE)
      .map((time) => inboxEntry(time, { thread: thread({ thread: id('1111', time) }) }));
    return { kind: 'inbox', entries, more: left.length > PAGE };
  };
}

async function connected(count: number): Promise<void> {
  server.answers.inbox = inboxOf(count);
  store.apply({ kind: 'connected', welcome, resumes: false });
  await vi.advanceTimersByTimeAsync(1000);
}

beforeEach(() => {
  vi.useFakeTimers();
  server = new SampleServer();
  store = new Store(server as unknown as Server);
  viewOf(store).search.value = 'lus';
});
afterEach(() => vi.useRealTimers());

describe('a search of everything', () => {
  it('asks for page after page until all is here, and says how far it is', async () => {
    await connected(180);
    expect(searched(store)).toEqual({ count: 50, backTo: 131 });
    await searchOn(store);
    expect(searched(store)).toEqual({ count: 180, backTo: null });
    expect(server.count('inbox')).toBe(4);
    expect(viewOf(store).searching.value).toBe(false);
  });

  it('stops at two thousand more, and goes on when asked again', async () => {
    await connected(2200);
    await searchOn(store);
    expect(searched(store)).toEqual({ count: 2050, backTo: 151 });
    await searchOn(store);
    expect(searched(store).backTo).toBeNull();
  });

  it('stops when it is told to, or has nothing to look for any more', async () => {
    await connected(500);
    const searching = searchOn(store);
    stopSearching(store);
    await searching;
    expect(searched(store).count).toBe(100);
    const again = searchOn(store);
    viewOf(store).search.value = '';
    await again;
    expect(searched(store).count).toBe(150);
  });

  it('stops where the connection ends, and claims no more than it saw', async () => {
    await connected(500);
    const answer = server.answers.inbox as ReturnType<typeof inboxOf>;
    server.answers.inbox = (request: Extract<Request, { op: 'inbox' }>) => {
      if (server.count('inbox') > 3) throw new Error('offline');
      return answer(request);
    };
    await searchOn(store);
    expect(searched(store).count).toBe(150);
    expect(viewOf(store).searching.value).toBe(false);
  });
});
