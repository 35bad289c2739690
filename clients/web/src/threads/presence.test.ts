import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Request } from '../sdk/protocol.ts';
import { id, OTHER, SPACE, THREAD } from '../store/sample.ts';
import { SampleServer, welcome } from '../store/sample_server.ts';
import { type Server, Store } from '../store/store.ts';
import { followPresence } from './presence.ts';

const LATER = id('cccc', 3);

let store: Store;
let server: SampleServer;
let answers: { readonly profiles: readonly string[]; readonly settle: (online: string[] | null) => void }[];
let end: () => void;

beforeEach(async () => {
  vi.useFakeTimers();
  answers = [];
  server = new SampleServer();
  server.answers.watch_presence = ({ profiles }: Extract<Request, { op: 'watch_presence' }>) =>
    new Promise((resolve, reject) => {
      const settle = (online: string[] | null) =>
        online ? resolve({ kind: 'online', space: SPACE, profiles: online }) : reject(new Error('unavailable'));
      answers.push({ profiles, settle });
    });
  store = new Store(server as unknown as Server);
  store.apply({ kind: 'connected', welcome, resumes: false });
  await vi.advanceTimersByTimeAsync(1000);
  end = followPresence(store);
});
afterEach(() => {
  end();
  vi.useRealTimers();
});

/** Somebody else wrote last: who is on the screen is another. */
const shows = (author: string) => {
  const entry = store.summaries.value.get(THREAD);
  if (!entry) throw new Error('the inbox is empty');
  store.summaries.value = new Map([[THREAD, { ...entry, lastAuthor: author }]]);
};

it('what the screen shows meanwhile is asked for after the answer, and only the newest of it', async () => {
  expect(answers.map((answer) => answer.profiles)).toEqual([[OTHER]]);
  shows(id('cccc', 4));
  shows(LATER);
  expect(answers).toHaveLength(1);
  answers[0]?.settle([OTHER]);
  await vi.advanceTimersByTimeAsync(0);
  expect(store.online.value).toEqual(new Set());
  expect(answers.map((answer) => answer.profiles)).toEqual([[OTHER], [LATER]]);
  answers[1]?.settle([LATER]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(store.online.value).toEqual(new Set([LATER]));
  expect(answers).toHaveLength(2);
});

it('what was not answered is asked for again, until the page is left', async () => {
  answers[0]?.settle(null);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(answers).toHaveLength(2);
  answers[1]?.settle([OTHER]);
  await vi.advanceTimersByTimeAsync(0);
  expect(store.online.value).toEqual(new Set([OTHER]));
  shows(LATER);
  answers[2]?.settle(null);
  await vi.advanceTimersByTimeAsync(0);
  end();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(answers).toHaveLength(3);
});
