import { type Signal, signal } from '@preact/signals';
import { profileInView } from '../inbox/view.ts';
import type { Outgoing } from '../sdk/index.ts';
import type { ClientId, OwnProfile, ProfileId } from '../sdk/protocol.ts';
import { ofStore } from '../store/of_store.ts';
import type { Store } from '../store/store.ts';
import { isSendable, textParts } from '../threads/actions.ts';
import { type Choice, Chosen } from './choice.ts';

/** A new thread, as far as it is written. */
export interface Letter {
  /** In whose name; null is whoever it would be by itself. */
  readonly as: ProfileId | null;
  readonly to: readonly Choice[];
  /** What stands in the field of recipients, by which nobody is chosen yet. */
  readonly search: string;
  readonly subject: string;
  readonly regarding: readonly ProfileId[];
  readonly words: string;
}

export const EMPTY: Letter = { as: null, to: [], search: '', subject: '', regarding: [], words: '' };

/** It outlives the screen: who looks something up in another thread finds it again. */
export const letterOf: (store: Store) => Signal<Letter> = ofStore(() => signal(EMPTY));

/** In whose name it is written: as chosen, else as one looks at the inbox, else as one's first profile. */
export function writerOf(store: Store): OwnProfile | null {
  const profiles = store.me.value?.profiles ?? [];
  const { as } = letterOf(store).value;
  return profiles.find(({ profile }) => profile === as) ?? profileInView(store) ?? profiles[0] ?? null;
}

/** Another name to write in. Who can be written to, and which children it can be about, depends on that. */
export function writeAs(store: Store, as: ProfileId): void {
  const letter = letterOf(store);
  letter.value = { ...letter.value, as, to: [], search: '', regarding: [] };
}

export type Missing = 'choice' | 'to' | 'subject' | 'words';

/** A name that was only typed comes first: whoever wrote it believes that it goes to them too. */
export function missingIn({ to, search, subject, words }: Letter): Missing | null {
  if (isUnchosen(search)) return 'choice';
  if (to.length === 0) return 'to';
  if (subject.trim() === '') return 'subject';
  return isSendable(words) ? null : 'words';
}

export function isUnchosen(search: string): boolean {
  return search.trim() !== '';
}

/** What goes into the outbox. */
export function outgoingOf(letter: Letter, writer: OwnProfile, client_id: ClientId): Outgoing {
  const { to, subject, regarding, words } = letter;
  return {
    op: 'start_thread',
    client_id,
    space: writer.space,
    as_profile: writer.profile,
    to: Chosen.recipients(to),
    subject: subject.trim(),
    parts: textParts(words),
    ...(regarding.length > 0 ? { regarding: [...regarding] } : {}),
  };
}
