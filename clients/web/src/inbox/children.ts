import type { Person, ProfileId } from '../sdk/protocol.ts';
import { rememberPeople, wantPeople } from '../store/people.ts';
import type { Store } from '../store/store.ts';

/** The children of these profiles, as far as they are known by name. */
export function childrenOf(store: Store, profiles: Iterable<ProfileId>): readonly Person[] {
  const { value: people } = store.people;
  const ids = [...profiles].flatMap((profile) => people.get(profile)?.children ?? []);
  return [...new Set(ids)].flatMap((child) => people.get(child) ?? []);
}

/** Learns who one's children are: the server tells a guardian's children with the guardian's own name. */
export async function loadChildren(store: Store): Promise<void> {
  const guardians = store.me.value?.profiles.filter((profile) => profile.role === 'guardian') ?? [];
  for (const { space, profile } of guardians) {
    try {
      const { people } = await store.server.request({ op: 'names', space, profiles: [profile] });
      rememberPeople(store, people);
      wantPeople(
        store,
        space,
        people.flatMap((person) => person.children ?? []),
      );
    } catch {
      // The filter has one row fewer until the next connection.
    }
  }
}
