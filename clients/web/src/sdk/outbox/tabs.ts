// The tabs of one person in one browser: one of them holds a lock and sends, and each tells the others what it did.

import type { News, Tabs } from '../outbox.ts';

export interface BrowserTabs extends Tabs {
  close(): void;
}

/**
 * Without Web Locks (an old browser, or a page without TLS) every tab sends. That is harmless: stamps are written only
 * where none stands, so all send the same with the same time, and the server recognises it.
 */
export function browserTabs(
  name: string,
  locks: LockManager | null | undefined = globalThis.navigator?.locks,
): BrowserTabs {
  const channel = openChannel(name);
  const closing = new AbortController();
  const { signal } = closing;
  const closed = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  return {
    whenOwner(granted) {
      if (!locks) return granted();
      const held = locks.request(name, { signal }, () => {
        granted();
        return closed;
      });
      held.catch(() => {
        // Refused, as to a page in a sandbox.
        if (!signal.aborted) granted();
      });
    },
    tell(news) {
      if (!signal.aborted) channel?.postMessage(news);
    },
    whenTold(told) {
      channel?.addEventListener('message', ({ data }: MessageEvent<News>) => told(data), { signal });
    },
    close() {
      closing.abort();
      channel?.close();
    },
  };
}

function openChannel(name: string): BroadcastChannel | undefined {
  return typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel(name);
}
