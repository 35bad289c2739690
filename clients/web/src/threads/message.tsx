import { useState } from 'preact/hooks';
import { Avatar } from '../design/avatar.tsx';
import { Question } from '../design/dialog.tsx';
import { Menu, type MenuItem } from '../design/menu.tsx';
import { nameOf, nameOrYou } from '../inbox/names.ts';
import type { Message, Part } from '../sdk/protocol.ts';
import { messageOf } from '../store/conversation.ts';
import { readersOf } from '../store/room.ts';
import type { Store } from '../store/store.ts';
import { previewOf } from '../store/wording.ts';
import { clock, full } from '../texts/dates.ts';
import { text } from '../texts/text.ts';
import { copyText, recall } from './actions.ts';
import type { Intent } from './composer.tsx';
import './message.css';
import type { Row } from './rows.ts';
import { Ticks } from './ticks.tsx';

interface MessageRowProps {
  readonly store: Store;
  readonly row: Extract<Row, { kind: 'message' }>;
  /** The one that the keyboard is at: Tab reaches it and its menu, and no other. */
  readonly isCurrent: boolean;
  readonly onIntent: (intent: Intent) => void;
}

export function MessageRow({ store, row: { message, continues, ends }, isCurrent, onIntent }: MessageRowProps) {
  const [isRecalling, setRecalling] = useState(false);
  const isOwn = store.own.value.has(message.author);
  const name = nameOrYou(store, message.author);
  const time = clock(message.sent_at);
  return (
    <article
      class={`message${isOwn ? ' message--own' : ''}${continues ? ' message--continues' : ''}`}
      tabIndex={isCurrent ? 0 : -1}
      data-key={message.message}
      aria-label={`${name}, ${time}`}
    >
      {isOwn ? null : (
        <span class="message__face">{continues ? null : <Avatar id={message.author} name={name} />}</span>
      )}
      <div class="message__body">
        {continues || isOwn ? null : (
          <p class="message__meta">
            <span class="message__name">{name}</span>
            <Time message={message} />
          </p>
        )}
        <div class="message__line">
          <div class="message__bubble">
            <Answered store={store} message={message} />
            {message.recalled_at === undefined ? <Words parts={message.parts} /> : <em>{text('thread-recalled')}</em>}
          </div>
          <Menu
            label={text('thread-message-actions', { name, time })}
            tabIndex={isCurrent ? 0 : -1}
            items={choices(store, message, onIntent, () => setRecalling(true))}
          />
        </div>
        <Foot store={store} message={message} isOwn={isOwn} ends={ends} />
      </div>
      {isRecalling ? (
        <Question
          title={text('thread-recall-title')}
          help={text('thread-recall-help')}
          submit={text('thread-recall')}
          onClose={() => setRecalling(false)}
          onSubmit={() => {
            setRecalling(false);
            void recall(store, message);
          }}
        />
      ) : null}
    </article>
  );
}

function choices(store: Store, message: Message, onIntent: (intent: Intent) => void, onRecall: () => void): MenuItem[] {
  if (message.recalled_at !== undefined || message.version === 0) return [];
  const isOwn = store.own.value.has(message.author);
  const mayWrite = store.room(message.thread).value?.mayWrite ?? false;
  const copy: MenuItem = {
    icon: 'copy',
    label: text('thread-copy'),
    onChoose: () => copyText(message.parts),
  };
  const answer: MenuItem = {
    icon: 'reply',
    label: text('thread-answer'),
    onChoose: () => onIntent({ kind: 'answer', message }),
  };
  const alone: MenuItem = {
    icon: 'reply',
    label: text('thread-reply-to-sender', { name: nameOf(store, message.author) }),
    onChoose: () => onIntent({ kind: 'alone', message }),
  };
  const editing: MenuItem = {
    icon: 'edit',
    label: text('thread-edit'),
    onChoose: () => onIntent({ kind: 'edit', message }),
  };
  const recalling: MenuItem = { icon: 'recall', label: text('thread-recall'), onChoose: onRecall };
  return [...(mayWrite ? [answer] : []), ...(isOwn ? (mayWrite ? [editing, recalling] : [recalling]) : [alone]), copy];
}

/** The message that this one answers, in a line. */
function Answered({ store, message }: { readonly store: Store; readonly message: Message }) {
  if (message.reply_to === undefined) return null;
  const answered = messageOf(store.conversation(message.thread).value, message.reply_to);
  return (
    <p class="message__answered">
      {answered ? text('thread-answers', { name: nameOf(store, answered.author) }) : text('thread-answers-unknown')}
      {answered ? <span class="message__quote">{previewOf(answered.parts) || text('thread-recalled')}</span> : null}
    </p>
  );
}

/** Addresses in a text can be followed; nothing else in it is anything but text. */
const ADDRESS = /(https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]])/u;

export function Words({ parts }: { readonly parts: readonly Part[] }) {
  return (
    <>
      {parts.map((part, place) => (
        <p class="message__words" key={place} dir="auto">
          {part.kind === 'text' ? withLinks(part.text) : <em>{text('thread-unknown-part')}</em>}
        </p>
      ))}
    </>
  );
}

function withLinks(words: string) {
  return words.split(ADDRESS).map((piece, place) =>
    place % 2 === 1 ? (
      <a key={`${place} ${piece}`} href={piece} target="_blank" rel="noopener noreferrer">
        {piece}
      </a>
    ) : (
      piece
    ),
  );
}

function Time({ message }: { readonly message: Message }) {
  return (
    <time dateTime={new Date(message.sent_at).toISOString()} title={full(message.sent_at)}>
      {clock(message.sent_at)}
    </time>
  );
}

interface FootProps {
  readonly store: Store;
  readonly message: Message;
  readonly isOwn: boolean;
  /** The last of those that stand together: what holds for it holds for those before. */
  readonly ends: boolean;
}

/** Under one's own: when, that it is stored, and who has read it. Under all: that it was edited. */
function Foot({ store, message, isOwn, ends }: FootProps) {
  const isEdited = message.edited_at !== undefined && message.recalled_at === undefined;
  const isTold = isOwn && ends;
  if (!isTold && !isEdited) return null;
  const room = store.room(message.thread).value;
  const readers = isTold && room ? readersOf(room, message.message, message.author) : null;
  return (
    <p class="message__foot">
      {isEdited ? <span>{text('thread-edited')}</span> : null}
      {isTold ? <Time message={message} /> : null}
      {isTold && message.recalled_at === undefined ? <Ticks readers={readers} /> : null}
    </p>
  );
}
