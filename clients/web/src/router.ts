import { computed, signal } from '@preact/signals';
import type { ThreadId } from './sdk/protocol.ts';

/** The places of the app. Whatever one can go to has an address of its own. */
export type Route =
  | { readonly kind: 'inbox' }
  | { readonly kind: 'thread'; readonly thread: ThreadId }
  | { readonly kind: 'compose' }
  | { readonly kind: 'settings' }
  | { readonly kind: 'login' }
  | { readonly kind: 'activate' }
  | { readonly kind: 'statement' }
  | { readonly kind: 'not_found' };

/** Where one can be sent. */
export type Place = Exclude<Route, { kind: 'not_found' }>;

const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const FIXED: Readonly<Record<string, Route>> = {
  '/': { kind: 'inbox' },
  '/new': { kind: 'compose' },
  '/settings': { kind: 'settings' },
  '/login': { kind: 'login' },
  '/activate': { kind: 'activate' },
  // Where the law wants the accessibility statement.
  '/was': { kind: 'statement' },
};

export function routeOf(path: string): Route {
  const trimmed = path.length > 1 ? path.replace(/\/+$/, '') : path;
  const [, room, id = '', ...rest] = trimmed.split('/');
  if (room === 'threads' && ID.test(id) && rest.length === 0) return { kind: 'thread', thread: id };
  return FIXED[trimmed] ?? { kind: 'not_found' };
}

export function pathOf(route: Place): string {
  if (route.kind === 'thread') return `/threads/${route.thread}`;
  const fixed = Object.entries(FIXED).find(([, known]) => known.kind === route.kind);
  return fixed?.[0] ?? '/';
}

const path = signal(typeof location === 'undefined' ? '/' : location.pathname);
export const route = computed<Route>(() => routeOf(path.value));

/** Goes somewhere; `replace` when going back should not come here again. */
export function go(to: Place, { replace = false } = {}): void {
  const address = pathOf(to);
  if (address === path.value) return;
  history[replace ? 'replaceState' : 'pushState'](null, '', address + location.search);
  path.value = address;
}

/** Follows the browser's own ways of going somewhere: back, forward, and links of this page. */
export function followAddress(): void {
  addEventListener('popstate', () => {
    path.value = location.pathname;
  });
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (!link || !isPlainClick(event) || link.origin !== location.origin || link.target !== '') return;
    const to = routeOf(link.pathname);
    if (to.kind === 'not_found') return;
    event.preventDefault();
    go(to);
  });
}

function isPlainClick(event: MouseEvent): boolean {
  const withKey = event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
  return event.button === 0 && !withKey && !event.defaultPrevented;
}
