import { useEffect, useMemo } from 'preact/hooks';
import { nameOf } from '../inbox/names.ts';
import type { ThreadId } from '../sdk/protocol.ts';
import type { Store } from '../store/store.ts';
import { withoutOverdue } from '../store/typing.ts';
import { text } from '../texts/text.ts';
import { sayTyping } from './actions.ts';

/** So often at most is it said that one is writing. */
const SAY_MS = 3000;

/** "Mette is writing …" */
export function TypingLine({ store, thread }: { readonly store: Store; readonly thread: ThreadId }) {
  const writers = [...(store.typing.value.get(thread) ?? [])];
  const soonest = Math.min(...writers.map(([, until]) => until));
  useEffect(() => {
    if (!Number.isFinite(soonest)) return;
    const timer = setTimeout(
      () => {
        store.typing.value = withoutOverdue(store.typing.value, Date.now());
      },
      soonest - Date.now() + 1,
    );
    return () => clearTimeout(timer);
  }, [soonest]);
  // The line has its place always: one that comes and goes would move what is being read.
  return (
    <p class="composer__typing" aria-live="polite">
      {writers.length > 0 ? <span class="composer__dots" aria-hidden="true" /> : null}
      {sentence(writers.map(([profile]) => nameOf(store, profile)))}
    </p>
  );
}

function sentence([first, second, ...others]: readonly string[]): string {
  if (first === undefined) return '';
  if (second === undefined) return text('thread-typing-one', { name: first });
  return others.length === 0 ? text('thread-typing-two', { first, second }) : text('thread-typing-many');
}

/** To be called at every keystroke. */
export function useTyping(store: Store, thread: ThreadId): () => void {
  return useMemo(() => {
    let saidAt = Number.NEGATIVE_INFINITY;
    return () => {
      const now = performance.now();
      if (now - saidAt < SAY_MS || store.connection.value.kind !== 'live') return;
      saidAt = now;
      sayTyping(store, thread);
    };
  }, [store, thread]);
}
