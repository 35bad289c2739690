import type { Withheld } from '../sdk/protocol.ts';
import { type Key, text } from './text.ts';

const KEYS: Readonly<Record<Withheld['reason'], Key>> = {
  name_protected: 'withheld-name-protected',
  not_permitted: 'withheld-not-permitted',
  outside_membership: 'withheld-outside-membership',
  unreadable: 'withheld-unreadable',
};

/** No list is short in silence: how many are not shown, and why. */
export function withheldTexts(withheld: readonly Withheld[]): string[] {
  const counts = new Map<Withheld['reason'], number>();
  for (const { reason, count } of withheld) counts.set(reason, (counts.get(reason) ?? 0) + count);
  return [...counts].map(([reason, count]) => text(KEYS[reason] ?? 'withheld-not-permitted', { count }));
}
