import { attempted } from '../problem.tsx';
import { withSettings } from '../store/inbox.ts';
import type { Store } from '../store/store.ts';

/** One's own settings of a thread; what is left out stays as it is. */
export async function setThread(
  store: Store,
  thread: string,
  settings: { readonly muted?: boolean; readonly marked?: boolean },
): Promise<void> {
  await attempted(
    store,
    store.server.request({ op: 'set_thread_settings', thread, ...settings }).then((reply) => {
      store.summaries.value = withSettings(store.summaries.value, { ...reply, kind: 'thread_settings' });
    }),
  );
}
