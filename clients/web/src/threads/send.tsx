import { Button } from '../design/button.tsx';
import { Icon } from '../design/icon.tsx';
import type { Send } from '../store/sends.ts';
import type { Store } from '../store/store.ts';
import { refusalText } from '../texts/faults.ts';
import { text } from '../texts/text.ts';
import { copyText, drop, mayWriteIn, sendAgain } from './actions.ts';
import './message.css';
import { Words } from './message.tsx';

interface SendRowProps {
  readonly store: Store;
  readonly send: Send;
  readonly continues: boolean;
}

/** One's own message that the server has not stored: kept here, on its way, or refused. Never shown as sent. */
export function SendRow({ store, send, continues }: SendRowProps) {
  const { outgoing, state } = send;
  const mayWrite = outgoing.op === 'send_message' && mayWriteIn(store, outgoing.thread);
  return (
    <article class={`message message--own message--${state.kind}${continues ? ' message--continues' : ''}`}>
      <div class="message__body">
        <div class="message__line">
          <div class="message__bubble">
            <Words parts={outgoing.parts} />
          </div>
        </div>
        <p class="message__foot" role={state.kind === 'failed' ? 'alert' : undefined}>
          <Icon name={state.kind === 'failed' ? 'warning' : 'clock'} small />
          <span>{stateText(send, mayWrite)}</span>
        </p>
        {state.kind === 'failed' ? (
          <p class="message__choices">
            {mayWrite ? <Button onPress={() => void sendAgain(store, send)}>{text('app-retry')}</Button> : null}
            <Button kind="quiet" onPress={() => copyText(outgoing.parts)}>
              {text('thread-copy')}
            </Button>
            <Button kind="quiet" onPress={() => drop(store, send)}>
              {text('thread-failed-drop')}
            </Button>
          </p>
        ) : null}
      </div>
    </article>
  );
}

function stateText({ state }: Send, mayWrite: boolean): string {
  switch (state.kind) {
    case 'sending':
      return text('thread-sending');
    case 'queued':
      return state.refusal ? refusalText(state.refusal) : text('thread-queued');
    case 'failed':
      return `${text('thread-failed')}. ${mayWrite ? refusalText(state.refusal) : text('thread-may-not-write')}`;
  }
}
