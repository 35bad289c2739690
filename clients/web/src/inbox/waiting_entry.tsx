import { Button } from '../design/button.tsx';
import { Icon } from '../design/icon.tsx';
import type { Send } from '../store/sends.ts';
import type { Store } from '../store/store.ts';
import { previewOf } from '../store/wording.ts';
import { refusalText } from '../texts/faults.ts';
import { text } from '../texts/text.ts';
import { copyText, drop, sendAgain } from '../threads/actions.ts';
import './entry.css';

/** What waits or was refused and no thread shows: a thread has no place in the inbox before the server has stored it. */
export function WaitingEntry({ store, send }: { readonly store: Store; readonly send: Send }) {
  const { outgoing, state } = send;
  const mayTryAgain = outgoing.op !== 'send_message';
  const subject = outgoing.op === 'start_thread' ? outgoing.subject : previewOf(outgoing.parts);
  return (
    <li class="entry entry--waiting">
      <div class="entry__waiting">
        <Icon name={state.kind === 'failed' ? 'warning' : 'clock'} />
        <span class="entry__body">
          <span class="entry__subject">{subject}</span>
          {outgoing.op === 'start_thread' ? <span class="entry__preview">{previewOf(outgoing.parts)}</span> : null}
          <span class={`entry__state${state.kind === 'failed' ? ' entry__state--failed' : ''}`}>{stateText(send)}</span>
          {state.kind === 'failed' ? (
            <span class="entry__choices">
              {mayTryAgain ? <Button onPress={() => void sendAgain(store, send)}>{text('app-retry')}</Button> : null}
              <Button kind="quiet" onPress={() => copyText(outgoing.parts)}>
                {text('thread-copy')}
              </Button>
              <Button kind="quiet" onPress={() => drop(store, send)}>
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
