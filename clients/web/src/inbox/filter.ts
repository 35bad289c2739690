import type { ProfileId } from '../sdk/protocol.ts';
import type { Summary } from '../store/inbox.ts';

/** Which threads the inbox shows. */
export type Filter =
  | { readonly kind: 'all' }
  | { readonly kind: 'unread' }
  | { readonly kind: 'marked' }
  /** Those of one of one's own profiles: of a school, or of a role there. */
  | { readonly kind: 'profile'; readonly profile: ProfileId }
  /** Those that regard one of one's children. */
  | { readonly kind: 'child'; readonly child: ProfileId };

export function passes(filter: Filter, summary: Summary): boolean {
  switch (filter.kind) {
    case 'all':
      return true;
    case 'unread':
      return summary.unread > 0;
    case 'marked':
      return summary.marked;
    case 'profile':
      return summary.profile === filter.profile;
    case 'child':
      return summary.thread.regarding?.includes(filter.child) ?? false;
  }
}

export function sameFilter(one: Filter, other: Filter): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Whether every word of the search is somewhere in the subject, the names or the preview, whatever case and accents. */
export function matches(search: string, summary: Summary, names: readonly string[]): boolean {
  return hasWords([summary.thread.subject, summary.preview, ...names].join(' '), search);
}

export function hasWords(text: string, search: string): boolean {
  const all = folded(text);
  const words = folded(search).split(' ').filter(Boolean);
  return words.every((word) => all.includes(word));
}

/** Danish letters are letters of their own and stay; accents on others do not keep a name from being found. */
function folded(words: string): string {
  return words
    .toLocaleLowerCase('da')
    .replace(/[éèêëáàâäíìîïóòôúùûü]/gu, (letter) => letter.normalize('NFD').charAt(0))
    .replace(/\s+/gu, ' ')
    .trim();
}
