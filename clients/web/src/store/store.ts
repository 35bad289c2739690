import { batch, computed, type Signal, signal } from '@preact/signals';
import { type Connection, connectionAfter } from '../connection/state.ts';
import type { Client, Update } from '../sdk/index.ts';
import type { MessageId, Person, ProfileId, SpaceId, ThreadId, Withheld } from '../sdk/protocol.ts';
import { type Conversation, NOTHING_KNOWN } from './conversation.ts';
import type { Drafts } from './drafts.ts';
import { applyEvent } from './events.ts';
import { byActivity, type Summaries } from './inbox.ts';
import { refreshInbox } from './inbox_pages.ts';
import type { Room } from './room.ts';
import { applySendUpdate } from './send_updates.ts';
import { type Sends, withOutbox } from './sends.ts';
import { KEPT_CONVERSATIONS, KEPT_SUMMARIES, kept, type Me, type Snapshot } from './snapshot.ts';
import { reloadThread } from './thread_pages.ts';
import { type Typing, withoutOverdue, withTyping } from './typing.ts';

/** What the store needs of the SDK's client. */
export type Server = Pick<Client, 'request' | 'queue' | 'outbox' | 'whenOutboxChanges' | 'hint' | 'logOut' | 'stop'>;

/** How much of the inbox is here. */
export type Reach =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'loading'; readonly before: MessageId | null }
  /** The next page begins before this message. */
  | { readonly kind: 'more'; readonly before: MessageId }
  | { readonly kind: 'all' };

/**
 * All that the app knows, for one person. It is changed in one place, by updates of the SDK and by replies to what the
 * person asked for; components read its signals and call actions.
 */
export class Store {
  readonly me = signal<Me | null>(null);
  readonly connection = signal<Connection>({ kind: 'connecting' });
  readonly summaries = signal<Summaries>(new Map());
  readonly reach = signal<Reach>({ kind: 'nothing' });
  readonly withheld = signal<readonly Withheld[]>([]);
  readonly people = signal<ReadonlyMap<ProfileId, Person>>(new Map());
  readonly drafts = signal<Drafts>(new Map());
  readonly typing = signal<Typing>(new Map());
  readonly online = signal<ReadonlySet<ProfileId>>(new Set());
  /** Whether others may not see that one is online. */
  readonly presenceHidden = signal(false);
  readonly sends = signal<Sends>([]);
  /** The thread on the screen. */
  readonly open = signal<ThreadId | null>(null);
  /** Threads that one may not see any more, or never could. */
  readonly gone = signal<ReadonlySet<ThreadId>>(new Set());
  /** Where the last new thread or lone answer ended up: the screen that waits for it goes there. */
  readonly arrived = signal<ReadonlyMap<string, ThreadId>>(new Map());
  /** What went wrong with something that the person did. */
  readonly problem = signal<unknown>(null);

  /** How often there was a reason to ask for the inbox, and up to which reason it was answered. */
  inboxWanted = 0;
  inboxAnswered = 0;

  readonly conversations = new Map<ThreadId, Signal<Conversation>>();
  readonly rooms = new Map<ThreadId, Signal<Room | null>>();
  readonly server: Server;

  readonly own = computed<ReadonlySet<ProfileId>>(
    () => new Set(this.me.value?.profiles.map((profile) => profile.profile) ?? []),
  );

  constructor(server: Server) {
    this.server = server;
    server.whenOutboxChanges(() => {
      this.sends.value = withOutbox(this.sends.value, server.outbox);
    });
  }

  /** Called for every update, in order. Never waits: when it returns, the update is dealt with. */
  apply(update: Update, now = Date.now(), isOnline = true): void {
    batch(() => {
      this.connection.value = connectionAfter(this.connection.value, update, now, isOnline);
      switch (update.kind) {
        case 'connected':
          this.#connected(update);
          break;
        case 'disconnected':
          // Who is online or writing is told per connection; what was known of it went with the last one.
          this.online.value = new Set();
          this.typing.value = new Map();
          break;
        case 'event':
          applyEvent(this, update.event);
          break;
        case 'signal':
          this.#signalled(update.signal, now);
          break;
        case 'resync':
          this.#resync(update.space);
          break;
        case 'sent':
        case 'send_failed':
          applySendUpdate(this, update);
          break;
        default:
          break;
      }
    });
  }

  /** The messages of a thread, from its first reader on. */
  conversation(thread: ThreadId): Signal<Conversation> {
    return entry(this.conversations, thread, () => signal<Conversation>(NOTHING_KNOWN));
  }

  room(thread: ThreadId): Signal<Room | null> {
    return entry(this.rooms, thread, () => signal<Room | null>(null));
  }

  /** Takes what an earlier run kept. */
  restore(snapshot: Snapshot): void {
    batch(() => {
      this.me.value = snapshot.me;
      this.summaries.value = new Map(snapshot.summaries.map((summary) => [summary.thread.thread, summary]));
      const oldest = byActivity(this.summaries.value).at(-1);
      if (snapshot.isWholeInbox) this.reach.value = { kind: 'all' };
      else if (oldest) this.reach.value = { kind: 'more', before: oldest.lastMessage };
      this.inboxWanted = snapshot.isInboxBehind ? 1 : 0;
      this.people.value = new Map(snapshot.people);
      for (const [thread, conversation] of snapshot.conversations) this.conversation(thread).value = conversation;
      this.drafts.value = new Map(snapshot.drafts.map((draft) => [draft.thread, draft]));
      this.sends.value = [...snapshot.failed, ...this.sends.value];
    });
  }

  /** What is to be kept, as it is now. */
  snapshot(): Snapshot | null {
    const me = this.me.value;
    if (!me || this.reach.value.kind === 'nothing') return null;
    const all = byActivity(this.summaries.value);
    const summaries = all.slice(0, KEPT_SUMMARIES);
    const conversations = summaries.flatMap(({ thread: { thread } }) => {
      const conversation = this.conversations.get(thread)?.value;
      const end = conversation ? kept(conversation) : null;
      return end ? [[thread, end] as const] : [];
    });
    return {
      version: 1,
      me,
      summaries,
      isWholeInbox: this.reach.value.kind === 'all' && summaries.length === all.length,
      isInboxBehind: this.isInboxBehind,
      people: [...this.people.value],
      conversations: conversations.slice(0, KEPT_CONVERSATIONS),
      drafts: [...this.drafts.value.values()],
      failed: this.sends.value.filter((send) => send.state.kind === 'failed'),
      cursor: null,
    };
  }

  #connected({ welcome, resumes }: Extract<Update, { kind: 'connected' }>): void {
    this.me.value = { person: welcome.person, profiles: welcome.profiles };
    this.presenceHidden.value = welcome.presence_hidden ?? false;
    if (!resumes) this.#forgetPlaces(null);
    else if (this.isInboxBehind || this.reach.value.kind === 'nothing') refreshInbox(this);
    // What was asked for in vain while the connection was away.
    const { value: thread } = this.open;
    if (resumes && thread !== null && this.#isIncomplete(thread)) reloadThread(this, thread);
  }

  #resync(space: SpaceId): void {
    this.#forgetPlaces(space);
  }

  /** What is here may have gaps now: the open thread is read again, the others when they are opened. */
  #forgetPlaces(space: SpaceId | null): void {
    for (const [thread, conversation] of this.conversations) {
      if (space !== null && this.spaceOf(thread) !== space) continue;
      if (thread !== this.open.value) conversation.value = NOTHING_KNOWN;
      else conversation.value = { ...conversation.value, older: 'unknown' };
    }
    // Drafts written meanwhile come with their threads.
    const isKept = ({ thread }: { readonly thread: ThreadId }) =>
      thread === this.open.value || (space !== null && this.spaceOf(thread) !== space);
    this.drafts.value = new Map([...this.drafts.value].filter(([, draft]) => isKept(draft)));
    if (this.open.value) reloadThread(this, this.open.value);
    // From the first page on, and the older ones as they are asked for; until then the old ones are shown.
    this.reach.value = { kind: 'nothing' };
    refreshInbox(this);
  }

  #signalled(passing: Extract<Update, { kind: 'signal' }>['signal'], now: number): void {
    if (passing.kind === 'typing' && !this.own.value.has(passing.profile)) {
      this.typing.value = withTyping(withoutOverdue(this.typing.value, now), passing.thread, passing.profile, now);
    }
    if (passing.kind === 'presence') {
      const online = new Set(this.online.value);
      if (passing.online) online.add(passing.profile);
      else online.delete(passing.profile);
      this.online.value = online;
    }
  }

  /** Something happened that only the server's inbox can tell, and its answer is not here yet. */
  get isInboxBehind(): boolean {
    return this.inboxWanted !== this.inboxAnswered;
  }

  #isIncomplete(thread: ThreadId): boolean {
    return this.conversation(thread).value.older === 'unknown' || this.room(thread).value === null;
  }

  spaceOf(thread: ThreadId): SpaceId | undefined {
    return this.summaries.value.get(thread)?.thread.space ?? this.rooms.get(thread)?.value?.thread.space;
  }
}

function entry<Value>(map: Map<ThreadId, Value>, thread: ThreadId, fresh: () => Value): Value {
  const known = map.get(thread);
  if (known !== undefined) return known;
  const made = fresh();
  map.set(thread, made);
  return made;
}
