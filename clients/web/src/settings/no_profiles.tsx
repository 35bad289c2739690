import { Empty } from '../design/notice.tsx';
import type { Store } from '../store/store.ts';
import { text } from '../texts/text.ts';

/** Known to have no place at any school: not yet, or no more. False until the server has said who one is. */
export function hasNoProfile(store: Store): boolean {
  return store.me.value?.profiles.length === 0;
}

/** Why there is nothing to read and nobody to write to, and whom to ask. */
export function NoProfiles() {
  return <Empty title={text('profiles-none')} help={text('profiles-none-help')} />;
}
