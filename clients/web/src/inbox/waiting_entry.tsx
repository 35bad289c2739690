import { Button } from '../design/button.tsx';
import { Icon } from '../design/icon.tsx';
import { type Send, without } from '../store/sends.ts';
import type { Store } from '../store/store.ts';
import { previewOf, wordsOf } from '../store/wording.ts';
import { refusalText } from '../texts/faults.ts';
import { text } from '../texts/text.ts';
import './entry.css';

/** A thread that waits to be started: it has no place in the inbox before the server has stored it. */
export function WaitingEntry({ store, send }: { readonly store: Store; readonly send: Send }) {
  const { outgoing, state } = send;
  const subject = outgoing.op === 'start_thread' ? outgoing.subject : previewOf(outgoing.parts);
  return (
    <li class="entry entry--waiting">
      <div class="entry__waiting">
        <Icon name={state.kind === 'failed' ? 'warning' : 'clock'} />
        <span class="entry__body">
          <span class="entry__subject">{subject}</span>
          <span class="entry__preview">{stateText(send)}</span>
          {state.kind === 'failed' ? (
            <span class="entry__choices">
              <Button onPress={() => void navigator.clipboard?.writeText(wordsOf(outgoing.parts))}>
                {text('thread-copy')}
              </Button>
              <Button
                kind="quiet"
                onPress={() => {
                  store.sends.value = without(store.sends.value, outgoing.client_id);
                }}
              >
                {text('thread-failed-drop')}
              </Button>
            </span>
          ) : null}
        </span>
      </div>
    </li>
  );
}

function stateText({ state }: Send): string {
  switch (state.kind) {
    case 'sending':
      return text('thread-sending');
    case 'queued':
      return state.refusal ? refusalText(state.refusal) : text('thread-queued');
    case 'failed':
      return `${text('thread-failed')}: ${refusalText(state.refusal)}`;
  }
}
