import type { ThreadId } from '../sdk/protocol.ts';
import type { Store } from '../store/store.ts';
import { dateAndTime } from '../texts/dates.ts';
import { text } from '../texts/text.ts';
import { withheldTexts } from '../texts/withheld.ts';

/** Above the first message: that older ones come, or where it all began. */
export function TopRow({ store, thread }: { readonly store: Store; readonly thread: ThreadId }) {
  const { older, withheld } = store.conversation(thread).value;
  const known = store.room(thread).value?.thread ?? store.summaries.value.get(thread)?.thread;
  const origin = known?.linked_to;
  return (
    <div class="messages__top">
      {older === 'none' && known ? <p>{text('thread-beginning', { date: dateAndTime(known.started_at) })}</p> : null}
      {older === 'loading' || older === 'more' ? <p>{text('thread-older-loading')}</p> : null}
      {older === 'none' && origin ? (
        <p>
          {text('thread-grew-out-of')} <a href={`/threads/${origin.thread}`}>{text('thread-see-original')}</a>
        </p>
      ) : null}
      {withheldTexts(withheld).map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
    </div>
  );
}
