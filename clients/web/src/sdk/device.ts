// What a browser says of its device.

import type { Client } from './client.ts';

/** Tells the client when the device goes offline or comes back, and when the person opens the app. Returns how to end it. */
export function followDevice(client: Client, page: Window = window): () => void {
  const ending = new AbortController();
  const { signal } = ending;
  page.addEventListener('online', () => client.hint('online'), { signal });
  page.addEventListener('offline', () => client.hint('offline'), { signal });
  page.addEventListener('pageshow', () => client.hint('visible'), { signal });
  page.document.addEventListener(
    'visibilitychange',
    () => {
      if (page.document.visibilityState === 'visible') client.hint('visible');
    },
    { signal },
  );
  return () => ending.abort();
}
