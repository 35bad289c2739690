import { useEffect, useMemo, useState } from 'preact/hooks';
import type { ThreadId } from '../sdk/protocol.ts';
import { Pause } from '../store/pause.ts';
import type { Store } from '../store/store.ts';
import { saveDraft } from './actions.ts';

/** So often at most is a draft saved. */
const SAVE_PAUSE_MS = 1000;

interface Draft {
  readonly words: string;
  readonly write: (words: string) => void;
  readonly clear: () => void;
}

/**
 * The text in the writing field, which follows the person between devices. What another device wrote is taken over
 * unless someone is writing here and now.
 */
export function useDraft(store: Store, thread: ThreadId, field: { readonly current: HTMLElement | null }): Draft {
  const kept = store.drafts.value.get(thread);
  const [words, setWords] = useState(kept?.text ?? '');
  const saving = useMemo(() => savingOf(store, thread), [store, thread]);

  useEffect(() => {
    if (!kept || kept.text === saving.latest) return;
    const isWriting = document.activeElement === field.current && saving.latest !== '';
    if (isWriting) return;
    saving.latest = kept.text;
    setWords(kept.text);
  }, [kept?.version]);
  useEffect(() => {
    const now = () => saving.pause.now();
    addEventListener('pagehide', now);
    return () => {
      removeEventListener('pagehide', now);
      now();
    };
  }, [saving]);

  const write = (next: string) => {
    saving.latest = next;
    setWords(next);
    saving.pause.start();
  };
  const clear = () => {
    write('');
    saving.pause.now();
  };
  return { words, write, clear };
}

function savingOf(store: Store, thread: ThreadId) {
  const saving = {
    latest: store.drafts.peek().get(thread)?.text ?? '',
    pause: new Pause(SAVE_PAUSE_MS, () => void saveDraft(store, thread, saving.latest)),
  };
  return saving;
}
