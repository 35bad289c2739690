import { type Signal, signal } from '@preact/signals';
import type { OwnProfile, ThreadId } from '../sdk/protocol.ts';
import { ofStore } from '../store/of_store.ts';
import type { Store } from '../store/store.ts';
import type { Filter } from './filter.ts';

/** How the inbox is looked at. Who comes back from a thread finds it as they left it. */
interface View {
  readonly filter: Signal<Filter>;
  readonly search: Signal<string>;
  /** Older threads are being asked for, to search in them too. */
  readonly searching: Signal<boolean>;
  /** The entry that the keyboard is at: Tab reaches it and its menu, the arrows the others. */
  readonly current: Signal<ThreadId | null>;
}

export const viewOf = ofStore<View>(() => ({
  filter: signal<Filter>({ kind: 'all' }),
  search: signal(''),
  searching: signal(false),
  current: signal<ThreadId | null>(null),
}));

/** What is filtered by; everything, once the profile that was chosen is no longer one's own. */
export function filterOf(store: Store): Filter {
  const { value: filter } = viewOf(store).filter;
  return filter.kind === 'profile' && !store.own.value.has(filter.profile) ? { kind: 'all' } : filter;
}

/** The profile that one looks at the inbox as: the chosen one, or that of the chosen child's parent. */
export function profileInView(store: Store): OwnProfile | null {
  const filter = filterOf(store);
  const profiles = store.me.value?.profiles ?? [];
  const isMeant = ({ profile }: OwnProfile) => {
    if (filter.kind === 'profile') return filter.profile === profile;
    return filter.kind === 'child' && store.people.value.get(profile)?.children?.includes(filter.child) === true;
  };
  return profiles.find(isMeant) ?? null;
}
