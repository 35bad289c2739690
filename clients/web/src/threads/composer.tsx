import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { IconButton } from '../design/button.tsx';
import { nameOf } from '../inbox/names.ts';
import { go } from '../router.ts';
import { limits } from '../sdk/index.ts';
import type { Message, ThreadId } from '../sdk/protocol.ts';
import { present } from '../store/room.ts';
import type { Store } from '../store/store.ts';
import { previewOf, wordsOf } from '../store/wording.ts';
import { dateAndTime } from '../texts/dates.ts';
import { text } from '../texts/text.ts';
import { edit, isSendable, replyToSender, send } from './actions.ts';
import './composer.css';
import { useDraft } from './draft.ts';
import { TypingLine, useTyping } from './typing.tsx';

/** A mouse, and so a keyboard with Shift. Elsewhere Enter makes a new line, and the button sends; composer.css asks the same. */
const HAS_KEYBOARD = '(hover: hover) and (pointer: fine)';

/** What the writing field is for right now. */
export type Intent =
  /** To everyone in the thread. */
  | { readonly kind: 'all' }
  /** The same, as an answer to one message. */
  | { readonly kind: 'answer'; readonly message: Message }
  /** To the sender of a message alone, elsewhere. */
  | { readonly kind: 'alone'; readonly message: Message }
  /** Another wording of one's own message. */
  | { readonly kind: 'edit'; readonly message: Message };

interface ComposerProps {
  readonly store: Store;
  readonly thread: ThreadId;
  readonly intent: Intent;
  readonly onIntent: (intent: Intent) => void;
}

export function Composer({ store, thread, intent, onIntent }: ComposerProps) {
  const room = store.room(thread).value;
  const leftAt = store.summaries.value.get(thread)?.leftAt ?? null;
  if (leftAt !== null)
    return (
      <p class="composer__closed" role="status">
        {text('thread-no-longer-in-it', { date: dateAndTime(leftAt) })}
      </p>
    );
  if (room && !room.mayWrite)
    return (
      <p class="composer__closed" role="status">
        {text('thread-may-not-write')}
      </p>
    );
  return <Writing store={store} thread={thread} intent={intent} onIntent={onIntent} />;
}

function Writing({ store, thread, intent, onIntent }: ComposerProps) {
  const field = useRef<HTMLTextAreaElement>(null);
  const draft = useDraft(store, thread, field);
  const [other, setOther] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [awaited, setAwaited] = useState<string | null>(null);
  const typed = useTyping(store, thread);
  const hint = useId();
  const isForAll = intent.kind === 'all' || intent.kind === 'answer';
  const words = isForAll ? draft.words : other;

  // Before the next key can come: what was typed must not be replaced by what the field begins with.
  useLayoutEffect(() => {
    if (intent.kind === 'edit') setOther(wordsOf(intent.message.parts));
    if (intent.kind === 'alone') setOther('');
    if (intent.kind !== 'all') field.current?.focus();
  }, [intent]);
  useAwaited(store, awaited);
  useGrowing(field, words);

  const write = (next: string) => {
    if (!isForAll) return setOther(next);
    draft.write(next);
    if (next.trim() !== '') typed();
  };
  const submit = async () => {
    if (!isSendable(words) || isBusy) return;
    setBusy(true);
    const isDone = await carryOut(store, thread, intent, words, setAwaited);
    setBusy(false);
    if (!isDone) return;
    if (isForAll) draft.clear();
    setOther('');
    onIntent({ kind: 'all' });
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape' && intent.kind !== 'all') onIntent({ kind: 'all' });
    // An Enter that ends the composition of a character is not meant for us.
    if (event.key !== 'Enter' || event.isComposing) return;
    const sends = event.ctrlKey || event.metaKey || (!event.shiftKey && matchMedia(HAS_KEYBOARD).matches);
    if (!sends) return;
    event.preventDefault();
    void submit();
  };

  const excess = new TextEncoder().encode(words).length - limits.TEXT_BYTES;
  return (
    <form
      class={`composer composer--${intent.kind}`}
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <TypingLine store={store} thread={thread} />
      <Purpose store={store} intent={intent} onIntent={onIntent} />
      <div class="composer__box">
        <textarea
          ref={field}
          class="composer__field"
          rows={1}
          aria-label={text('thread-write')}
          aria-describedby={hint}
          placeholder={text('thread-write')}
          value={words}
          dir="auto"
          enterkeyhint="enter"
          onInput={(event) => write(event.currentTarget.value)}
          onKeyDown={onKeyDown}
        />
        <IconButton
          icon={intent.kind === 'edit' ? 'check' : 'send'}
          type="submit"
          main
          label={text(intent.kind === 'edit' ? 'thread-save-edit' : 'thread-send')}
          disabled={!isSendable(words)}
        />
      </div>
      <p class="composer__hint" id={hint}>
        {excess > 0 ? <span class="composer__excess">{text('thread-too-long', { bytes: excess })}</span> : null}
        {isForAll ? <span>{reach(store, thread)}</span> : null}
        <span class="composer__keys">{text('thread-new-line')}</span>
      </p>
    </form>
  );
}

async function carryOut(
  store: Store,
  thread: ThreadId,
  intent: Intent,
  words: string,
  await_: (clientId: string) => void,
): Promise<boolean> {
  switch (intent.kind) {
    case 'all':
      return send(store, thread, words, null);
    case 'answer':
      return send(store, thread, words, intent.message.message);
    case 'edit':
      return edit(store, intent.message, words);
    case 'alone': {
      const clientId = await replyToSender(store, intent.message, words);
      if (clientId !== null) await_(clientId);
      return clientId !== null;
    }
  }
}

/** What the field is for, when it is not simply for all, and how to get out of that. */
function Purpose({ store, intent, onIntent }: Pick<ComposerProps, 'store' | 'intent' | 'onIntent'>) {
  if (intent.kind === 'all') return null;
  const name = nameOf(store, intent.message.author);
  const keys = { answer: 'thread-answering', alone: 'thread-answering-alone', edit: 'thread-editing' } as const;
  return (
    <div class="composer__purpose" role="status">
      <p>
        <strong>{text(keys[intent.kind], { name })}</strong>
        <span class="message__quote">{previewOf(intent.message.parts)}</span>
      </p>
      <IconButton icon="close" label={text('app-cancel')} onPress={() => onIntent({ kind: 'all' })} />
    </div>
  );
}

/** How many it goes to, before it goes: nobody writes to a whole class by mistake. */
function reach(store: Store, thread: ThreadId): string | null {
  const room = store.room(thread).value;
  if (!room) return null;
  const members = present(room).length - 1;
  if (members < 2) return null;
  const count = room.after === null ? String(members) : `${members}+`;
  if (room.families === 0) return text('thread-write-to-all', { members: count });
  return text('thread-write-to-all-families', {
    members: count,
    families: text('thread-families', { count: room.families }),
  });
}

/** Goes to the thread of an answer to one sender alone, once the server says which that is. */
function useAwaited(store: Store, clientId: string | null): void {
  const arrived = clientId === null ? undefined : store.arrived.value.get(clientId);
  useEffect(() => {
    if (arrived) go({ kind: 'thread', thread: arrived });
  }, [arrived]);
}

/** Grows with what is written; browsers that can do it by themselves do. */
function useGrowing(field: { readonly current: HTMLTextAreaElement | null }, words: string): void {
  useLayoutEffect(() => {
    const shown = field.current;
    if (!shown || CSS.supports('field-sizing', 'content')) return;
    shown.style.blockSize = 'auto';
    shown.style.blockSize = `${shown.scrollHeight}px`;
  }, [words]);
}
