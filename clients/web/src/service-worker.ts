/**
 * Keeps the shell (page, scripts, styles, texts), so that the app opens at once and without a network. It keeps nothing
 * of any person: what is said and read never passes through here, and requests under /v1 are left alone.
 */

/** The few things of a worker's world used here; the DOM library that the app is checked with does not know them. */
interface WorkerEvent extends Event {
  readonly request: Request;
  readonly data: unknown;
  waitUntil(work: Promise<unknown>): void;
  respondWith(answer: Promise<Response>): void;
}
interface Worker {
  readonly location: Location;
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(kind: string, listener: (event: WorkerEvent) => void): void;
}
declare const __FILES__: readonly string[];
declare const __VERSION__: string;

const worker = globalThis as unknown as Worker;
const shell = `samtale-shell-${__VERSION__}`;
const kept = new Set(__FILES__);

worker.addEventListener('install', (event) => {
  // Past the HTTP cache: a stale file under a new version would stay for as long as the version does.
  const files = __FILES__.map((file) => new Request(file, { cache: 'reload' }));
  event.waitUntil(caches.open(shell).then((cache) => cache.addAll(files)));
});

worker.addEventListener('activate', (event) => {
  event.waitUntil(dropOlderShells().then(() => worker.clients.claim()));
});

// A new version waits until the person says so, because replacing scripts under an open page breaks its lazy parts.
worker.addEventListener('message', (event) => {
  if (event.data === 'take-over') event.waitUntil(worker.skipWaiting());
});

worker.addEventListener('fetch', (event) => {
  const { method, mode, url } = event.request;
  const { origin, pathname } = new URL(url);
  if (method !== 'GET' || origin !== worker.location.origin || pathname.startsWith('/v1/')) return;
  if (mode === 'navigate') event.respondWith(fromShell('/', event.request));
  else if (kept.has(pathname)) event.respondWith(fromShell(pathname, event.request));
});

async function fromShell(path: string, request: Request): Promise<Response> {
  const cache = await caches.open(shell);
  return (await cache.match(path)) ?? fetch(request);
}

async function dropOlderShells(): Promise<void> {
  for (const name of await caches.keys()) {
    if (name.startsWith('samtale-shell-') && name !== shell) await caches.delete(name);
  }
}
