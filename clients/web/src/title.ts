import { useEffect } from 'preact/hooks';
import type { Route } from './router.ts';
import type { Store } from './store/store.ts';
import { text } from './texts/text.ts';

export function usePageTitle(name: string): void {
  const title = `${name} · ${text('app-name')}`;
  useEffect(() => {
    document.title = title;
  }, [title]);
}

/** The page's title says where one is, and how much is unread: it is what one sees of a tab in the background. */
export function useTitle(store: Store, place: Route): void {
  const unread = [...store.summaries.value.values()].reduce((sum, { unread, muted }) => sum + (muted ? 0 : unread), 0);
  usePageTitle(`${unread > 0 ? `(${unread}) ` : ''}${where(store, place)}`);
}

function where(store: Store, place: Route): string {
  switch (place.kind) {
    case 'thread':
      return store.summaries.value.get(place.thread)?.thread.subject || text('inbox-no-subject');
    case 'compose':
      return text('compose-title');
    case 'settings':
      return text('settings-title');
    case 'statement':
      return text('settings-accessibility');
    case 'not_found':
      return text('app-not-found');
    default:
      return text('inbox-title');
  }
}
