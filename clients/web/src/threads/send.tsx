import { Button } from '../design/button.tsx';
import { Icon } from '../design/icon.tsx';
import type { Send } from '../store/sends.ts';
import type { Store } from '../store/store.ts';
import { wordsOf } from '../store/wording.ts';
import { refusalText } from '../texts/faults.ts';
import { text } from '../texts/text.ts';
import { drop, sendAgain } from './actions.ts';
import type { Intent } from './composer.tsx';
import './message.css';
import { Words } from './message.tsx';

interface SendRowProps {
  readonly store: Store;
  readonly send: Send;
  readonly continues: boolean;
  readonly onIntent: (intent: Intent) => void;
}

/** One's own message that the server has not stored: kept here, on its way, or refused. Never shown as sent. */
export function SendRow({ store, send, continues, onIntent }: SendRowProps) {
  const { outgoing, state } = send;
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
          <span>{stateText(send)}</span>
        </p>
        {state.kind === 'failed' ? (
          <p class="message__choices">
            <Button onPress={() => void sendAgain(store, send)}>{text('thread-failed-again')}</Button>
            <Button
              kind="quiet"
              onPress={() => {
                onIntent({ kind: 'all', words: wordsOf(outgoing.parts) });
                drop(store, send);
              }}
            >
              {text('thread-failed-keep')}
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

function stateText({ state }: Send): string {
  switch (state.kind) {
    case 'sending':
      return text('thread-sending');
    case 'queued':
      return state.refusal ? refusalText(state.refusal) : text('thread-queued');
    case 'failed':
      return `${text('thread-failed')}. ${refusalText(state.refusal)}`;
  }
}
