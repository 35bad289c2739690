import { Avatar } from '../design/avatar.tsx';
import { Icon } from '../design/icon.tsx';
import { Menu } from '../design/menu.tsx';
import { route } from '../router.ts';
import { timeOfMessage } from '../sdk/ids.ts';
import { type Summary, UNREAD_COUNTED } from '../store/inbox.ts';
import { hasFailed } from '../store/sends.ts';
import type { Store } from '../store/store.ts';
import { full, short } from '../texts/dates.ts';
import { listing, text } from '../texts/text.ts';
import { setThread } from './actions.ts';
import './entry.css';
import { knownName, nameOf } from './names.ts';

interface EntryProps {
  readonly store: Store;
  readonly summary: Summary;
}

interface ListedProps extends EntryProps {
  readonly isCurrent: boolean;
  readonly onFocus: () => void;
}

export function Entry({ store, summary, isCurrent, onFocus }: ListedProps) {
  const { thread, lastMessage, lastAuthor, unread, muted, marked, leftAt } = summary;
  const isOpen = route.value.kind === 'thread' && route.value.thread === thread.thread;
  const subject = thread.subject || text('inbox-no-subject');
  const sentAt = timeOfMessage(lastMessage);
  return (
    <li class={`entry${unread > 0 ? ' entry--unread' : ''}${isOpen ? ' entry--open' : ''}`} onFocusIn={onFocus}>
      <a
        class="entry__link"
        href={`/threads/${thread.thread}`}
        aria-current={isOpen ? 'true' : undefined}
        tabIndex={isCurrent ? 0 : -1}
      >
        <Avatar id={lastAuthor} name={nameOf(store, lastAuthor)} online={store.online.value.has(lastAuthor)} />
        <span class="entry__body">
          <span class="entry__top">
            <span class="entry__subject">{subject}</span>
            <time class="entry__time" dateTime={new Date(sentAt).toISOString()} title={full(sentAt)}>
              {short(sentAt, Date.now())}
            </time>
          </span>
          <span class="entry__middle">
            <span class="entry__preview">{previewLine(store, summary)}</span>
            {unread > 0 ? <Unread count={unread} /> : null}
          </span>
          <Tags store={store} summary={summary} />
        </span>
      </a>
      <Menu
        label={text('inbox-actions', { subject })}
        tabIndex={isCurrent ? 0 : -1}
        items={
          leftAt === null
            ? [
                {
                  icon: muted ? 'bell' : 'bell-off',
                  label: text(muted ? 'inbox-unmute' : 'inbox-mute'),
                  onChoose: () => void setThread(store, thread.thread, { muted: !muted }),
                },
                markItem(store, summary),
              ]
            : [markItem(store, summary)]
        }
      />
      {marked ? <span class="entry__ribbon" aria-hidden="true" /> : null}
    </li>
  );
}

function markItem(store: Store, { thread, marked }: Summary) {
  return {
    icon: 'mark' as const,
    label: text(marked ? 'inbox-unmark' : 'inbox-mark'),
    onChoose: () => void setThread(store, thread.thread, { marked: !marked }),
  };
}

function previewLine(store: Store, summary: Summary): string {
  const draft = store.drafts.value.get(summary.thread.thread)?.text.trim();
  if (draft) return text('inbox-draft', { preview: draft.replace(/\s+/gu, ' ').slice(0, 120) });
  const preview = summary.preview || text('inbox-recalled');
  if (store.own.value.has(summary.lastAuthor)) return text('inbox-you', { preview });
  const name = knownName(store, summary.lastAuthor);
  return name ? `${name}: ${preview}` : preview;
}

/** Which children it is about, and what one has set. */
function Tags({ store, summary }: EntryProps) {
  const children = (summary.thread.regarding ?? []).flatMap((child) => knownName(store, child) ?? []);
  const { muted, marked, leftAt } = summary;
  const isFailed = hasFailed(store.sends.value, summary.thread.thread);
  if (children.length === 0 && !muted && !marked && leftAt === null && !isFailed) return null;
  return (
    <span class="entry__tags">
      {children.length > 0 ? (
        <span class="entry__child">{text('inbox-regarding', { names: listing(children) })}</span>
      ) : null}
      {isFailed ? (
        <span class="entry__tag entry__state--failed">
          <Icon name="warning" small />
          {text('thread-failed')}
        </span>
      ) : null}
      {marked ? <span class="unseen">{text('inbox-marked')}</span> : null}
      {muted ? (
        <span class="entry__tag">
          <Icon name="bell-off" small />
          {text('inbox-muted')}
        </span>
      ) : null}
      {leftAt === null ? null : (
        <span class="entry__tag">
          <Icon name="leave" small />
          {text('inbox-left')}
        </span>
      )}
    </span>
  );
}

function Unread({ count }: { readonly count: number }) {
  const isMany = count >= UNREAD_COUNTED;
  return (
    <span class="entry__unread">
      <span aria-hidden="true">{isMany ? `${UNREAD_COUNTED}+` : count}</span>
      <span class="unseen">{isMany ? text('inbox-unread-many') : text('inbox-unread', { count })}</span>
    </span>
  );
}
