import type { ProfileId } from '../sdk/protocol.ts';
import type { Store } from '../store/store.ts';
import { text } from '../texts/text.ts';

/** What someone is called; "a member" until it is known, or when one may not know it. */
export function nameOf(store: Store, profile: ProfileId): string {
  return knownName(store, profile) ?? text('thread-someone');
}

/** The same, with oneself as "you". */
export function nameOrYou(store: Store, profile: ProfileId): string {
  return store.own.value.has(profile) ? text('thread-you') : nameOf(store, profile);
}

export function knownName(store: Store, profile: ProfileId): string | undefined {
  const own = store.me.value?.profiles.find((mine) => mine.profile === profile);
  return own?.name ?? store.people.value.get(profile)?.name;
}
