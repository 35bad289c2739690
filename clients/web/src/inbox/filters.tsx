import type { OwnProfile } from '../sdk/protocol.ts';
import type { Store } from '../store/store.ts';
import { roleName } from '../texts/roles.ts';
import { text } from '../texts/text.ts';
import { childrenOf } from './children.ts';
import { type Filter, sameFilter } from './filter.ts';
import './filters.css';
import { filterOf, viewOf } from './view.ts';

/** Which child, which school, what is unread: one row, one choice. Several profiles need no logging out. */
export function Filters({ store }: { readonly store: Store }) {
  const children = childrenOf(store, store.own.value);
  const filter = filterOf(store);
  const profiles = store.me.value?.profiles ?? [];
  const choices: { filter: Filter; label: string }[] = [
    { filter: { kind: 'all' }, label: text('inbox-filter-all') },
    { filter: { kind: 'unread' }, label: text('inbox-filter-unread') },
  ];
  if (children.length > 1) {
    for (const { profile, name } of children) {
      choices.push({ filter: { kind: 'child', child: profile }, label: name.split(' ')[0] ?? name });
    }
  }
  if (profiles.length > 1) {
    for (const own of profiles) {
      choices.push({ filter: { kind: 'profile', profile: own.profile }, label: profileName(own, profiles) });
    }
  }
  choices.push({ filter: { kind: 'marked' }, label: text('inbox-filter-marked') });
  return (
    <fieldset class="filters" aria-label={text('inbox-filter')}>
      {choices.map((choice) => (
        <button
          key={JSON.stringify(choice.filter)}
          type="button"
          class="filters__choice"
          aria-pressed={sameFilter(filter, choice.filter)}
          onClick={() => {
            viewOf(store).filter.value = choice.filter;
          }}
        >
          {choice.label}
        </button>
      ))}
    </fieldset>
  );
}

/** The school says which; with two profiles there the role does. */
export function profileName(own: OwnProfile, all: readonly OwnProfile[]): string {
  const isAlone = all.filter((other) => other.space === own.space).length === 1;
  return isAlone ? own.space_name : `${own.space_name} (${roleName(own.role)})`;
}
