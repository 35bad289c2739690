// The screens over a made-up server, for development and for measuring; no part of the product. `?messages=10000` is the
// length of the thread, all of it in memory, as after scrolling up through it; with `&paged` it comes as from a server.
import { render } from 'preact';
import '../src/design/tokens.css';
import '../src/design/base.css';
import '../src/design/icon.css';
import { Announcer } from '../src/design/announcer.tsx';
import { followTheme } from '../src/design/theme.ts';
import { followAddress, go } from '../src/router.ts';
import type { Message, Request } from '../src/sdk/protocol.ts';
import { Shell } from '../src/shell.tsx';
import {
  id,
  inboxEntry,
  ME,
  member,
  message,
  messageId,
  OTHER,
  SPACE,
  THREAD,
  threadPage,
} from '../src/store/sample.ts';
import { type Server, Store } from '../src/store/store.ts';
import { speak } from '../src/texts/text.ts';

const count = Number(new URLSearchParams(location.search).get('messages') ?? 10_000);
const isPaged = new URLSearchParams(location.search).has('paged');
const PAGE = 50;
const MINUTE_MS = 60_000;
const begin = Date.now() - count * MINUTE_MS;
const SENTENCES = [
  'Ja tak!',
  'Vi ses i morgen klokken otte ved den store port.',
  'Husk madpakke, regntøj og skiftetøj. '.repeat(4),
];

function made(place: number): Message {
  const words = `${place}: ${SENTENCES[place % SENTENCES.length]}`;
  const author = place % 5 < 2 ? ME : OTHER;
  return message(begin + place * MINUTE_MS, { author, parts: [{ kind: 'text', text: words }] });
}

const messages = Array.from({ length: count }, (_, place) => made(place));
const newest = begin + (count - 1) * MINUTE_MS;
const read = { up_to: messageId(newest) };

function pageBefore(before: string | undefined) {
  if (!isPaged) return { kind: 'history', messages, more: false };
  const end = before === undefined ? count : messages.findIndex((one) => one.message === before);
  const start = Math.max(0, end - PAGE);
  return { kind: 'history', messages: messages.slice(start, end), more: start > 0 };
}

function answer(request: Request): unknown {
  switch (request.op) {
    case 'inbox':
      return { kind: 'inbox', entries: [inboxEntry(newest, { read })], more: false };
    case 'history':
      return pageBefore(request.before);
    case 'open_thread':
      return threadPage([member(ME), member(OTHER, { name: 'Anne Holm', role: 'employee' })]);
    case 'load_draft':
      return { kind: 'draft', thread: THREAD, version: 0, text: '' };
    default:
      return { kind: 'people', people: [], profiles: [], more: false };
  }
}

const server = {
  request: async (request: Request) => answer(request),
  queue: async () => '',
  outbox: [],
  whenOutboxChanges: () => () => {},
  hint: () => {},
} as unknown as Server;
const store = new Store(server);
const own = { profile: ME, space: SPACE, space_name: 'Skolen', role: 'guardian', name: 'Mette Lindgaard' } as const;
const person = id('bbbb', 1);
const welcome = { server_time: 0, person, session: person, profiles: [own], expires_at: 0, ping_interval_ms: 25_000 };

followTheme();
followAddress();
await speak('da');
store.apply({ kind: 'connected', welcome, resumes: false });
go({ kind: 'inbox' }, { replace: true });
const place = document.getElementById('app');
if (place) {
  render(
    <>
      <Shell store={store} />
      <Announcer />
    </>,
    place,
  );
}

// For whoever measures: another message arrives.
Object.assign(globalThis, {
  arrive: () => {
    const next = message(Date.now(), { author: OTHER });
    store.apply({ kind: 'event', space: SPACE, id: person, event: { kind: 'message', ...next } });
  },
});
