import { effect } from '@preact/signals';
import { profileInView } from '../inbox/view.ts';
import type { ProfileId, SpaceId } from '../sdk/protocol.ts';
import { byActivity } from '../store/inbox.ts';
import { Pause } from '../store/pause.ts';
import { present } from '../store/room.ts';
import type { Store } from '../store/store.ts';

/** The most that one connection may watch. */
const WATCHED = 200;
/** Beside the members of the thread, the authors at the top of the inbox: what a screen shows of it. */
const INBOX_AUTHORS = 20;

/** After so long, and up to twice that, what was not answered is asked for again: not by all at once. */
const RETRY_MS = 5_000;

interface Shown {
  readonly space: SpaceId;
  readonly profiles: ProfileId[];
}

/**
 * Watches who is online of the people on the screen: the members of the open thread, and the authors at the top of the
 * inbox in the same space. Again after each connection, since the server forgets it with the old one. Returns how to
 * end it.
 */
export function followPresence(store: Store): () => void {
  const watching = new Watching(store);
  const unfollow = effect(() => watching.show(store.connection.value.kind === 'live' ? shownPeople(store) : null));
  return () => {
    unfollow();
    watching.show(null);
  };
}

/** Asks for one thing at a time, so of what the screen showed meanwhile only the newest. */
class Watching {
  readonly #store: Store;
  readonly #retry = new Pause(RETRY_MS, () => void this.#ask());
  #shown: Shown | null = null;
  #isAsking = false;

  constructor(store: Store) {
    this.#store = store;
  }

  show(shown: Shown | null): void {
    if (keyOf(shown) === keyOf(this.#shown)) return;
    this.#shown = shown;
    void this.#ask();
  }

  async #ask(): Promise<void> {
    this.#retry.cancel();
    const shown = this.#shown;
    if (this.#isAsking || shown === null) return;
    this.#isAsking = true;
    const online = await this.#watch(shown);
    this.#isAsking = false;
    if (shown !== this.#shown) void this.#ask();
    else {
      // Nobody is shown as online while it is not known, which claims nothing.
      this.#store.online.value = online ?? new Set();
      if (!online) this.#retry.start(RETRY_MS * (1 + Math.random()));
    }
  }

  async #watch({ space, profiles }: Shown): Promise<ReadonlySet<ProfileId> | null> {
    try {
      const online = await this.#store.server.request({ op: 'watch_presence', space, profiles });
      return new Set(online.profiles);
    } catch {
      return null;
    }
  }
}

function keyOf(shown: Shown | null): string {
  return shown ? `${shown.space} ${shown.profiles.join()}` : '';
}

/**
 * One connection watches people of one space, and whom it watched before no more: so those of the open thread, else of
 * the profile that one looks at the inbox as, else of the newest thread.
 */
export function shownPeople(store: Store): Shown | null {
  const { value: open } = store.open;
  const room = open === null ? null : store.room(open).value;
  const summaries = byActivity(store.summaries.value);
  const space = room?.thread.space ?? profileInView(store)?.space ?? summaries[0]?.thread.space;
  if (!space) return null;
  const authors = summaries.filter((summary) => summary.thread.space === space).slice(0, INBOX_AUTHORS);
  const members = room ? present(room).map((member) => member.profile) : [];
  const all = new Set([...members, ...authors.map((summary) => summary.lastAuthor)]);
  const others = [...all].filter((profile) => !store.own.value.has(profile)).slice(0, WATCHED);
  return { space, profiles: others.sort() };
}
