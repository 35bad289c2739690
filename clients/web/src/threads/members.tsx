import { useState } from 'preact/hooks';
import { Avatar } from '../design/avatar.tsx';
import { Button, IconButton } from '../design/button.tsx';
import { Question } from '../design/dialog.tsx';
import { timeOfMessage } from '../sdk/ids.ts';
import type { Member, ReadMark, Thread, ThreadId } from '../sdk/protocol.ts';
import { isRead, newestRead } from '../store/reading.ts';
import { present } from '../store/room.ts';
import type { Store } from '../store/store.ts';
import { loadMembers } from '../store/thread_pages.ts';
import { dateAndTime } from '../texts/dates.ts';
import { roleName } from '../texts/roles.ts';
import { byName, text } from '../texts/text.ts';
import { withheldTexts } from '../texts/withheld.ts';
import { removeMember } from './actions.ts';

interface MembersProps {
  readonly store: Store;
  readonly thread: ThreadId;
  readonly mayChange: boolean;
}

/** Who is in a thread, since when, and how far they have read. */
export function Members({ store, thread, mayChange }: MembersProps) {
  const [leaving, setLeaving] = useState<Member | null>(null);
  const room = store.room(thread).value;
  if (!room) return <p role="status">{text('thread-loading')}</p>;
  const members = [...room.members.values()].sort(byName);
  return (
    <section aria-labelledby="members-title">
      <h3 id="members-title">{text('thread-members-count', { count: present(room).length })}</h3>
      <ul class="members">
        {members.map((member) => (
          <li class="members__member" key={member.profile}>
            <Avatar id={member.profile} name={member.name} online={store.online.value.has(member.profile)} />
            <div class="members__body">
              <p class="members__name">{member.name}</p>
              <p class="members__state">
                {[roleName(member.role), stateOf(store, thread, room.thread, member)].filter(Boolean).join(' · ')}
              </p>
            </div>
            {mayChange && member.left_at === undefined && !store.own.value.has(member.profile) ? (
              <IconButton
                icon="close"
                label={text('thread-member-remove', { name: member.name })}
                opens="dialog"
                onPress={() => setLeaving(member)}
              />
            ) : null}
          </li>
        ))}
      </ul>
      {room.after === null ? null : (
        <Button onPress={() => void loadMembers(store, thread)}>{text('thread-members-more')}</Button>
      )}
      {withheldTexts(room.withheld).map((sentence) => (
        <p class="members__state" key={sentence}>
          {sentence}
        </p>
      ))}
      {leaving ? (
        <Question
          title={text('thread-member-remove-title', { name: leaving.name })}
          help={text('thread-member-remove-help', { name: leaving.name })}
          submit={text('thread-member-remove-submit')}
          onClose={() => setLeaving(null)}
          onSubmit={() => {
            setLeaving(null);
            void removeMember(store, thread, leaving.profile);
          }}
        />
      ) : null}
    </section>
  );
}

/** Who came this long after the beginning was added, and has not seen all of it perhaps. */
const LATER_MS = 60_000;

/** What is told of a member is told by the school's policy: without a mark nothing is claimed about reading. */
function stateOf(store: Store, id: ThreadId, thread: Thread, member: Member): string | null {
  if (member.left_at !== undefined) return text('thread-member-left', { date: dateAndTime(member.left_at) });
  if (store.online.value.has(member.profile)) return text('thread-online');
  if (member.read && !store.own.value.has(member.profile)) return readState(store, id, member.read);
  if (member.joined_at - thread.started_at < LATER_MS) return null;
  return text('thread-member-joined', { date: dateAndTime(member.joined_at) });
}

function readState(store: Store, thread: ThreadId, read: ReadMark): string {
  const last = store.conversation(thread).value.messages.at(-1)?.message;
  if (last !== undefined && isRead(read, last)) return text('thread-member-read-all');
  const newest = newestRead(read);
  if (newest === undefined) return text('thread-member-read-none');
  return text('thread-member-read-to', { date: dateAndTime(timeOfMessage(newest)) });
}
