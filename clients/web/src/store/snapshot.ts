import type { Cursor, Draft, OwnProfile, Person, PersonId, ThreadId } from '../sdk/protocol.ts';
import type { Conversation } from './conversation.ts';
import type { Summary } from './inbox.ts';
import type { Send } from './sends.ts';

/** Of a conversation the newest messages are kept, of the newest conversations: enough to open the app on the bus. */
export const KEPT_MESSAGES = 40;
export const KEPT_CONVERSATIONS = 20;
export const KEPT_SUMMARIES = 200;

/** One's own doing in the world: who one is, and the profiles one has. */
export interface Me {
  readonly person: PersonId;
  readonly profiles: readonly OwnProfile[];
}

/**
 * What is kept of a person on their own device, whole. It is written in one piece together with the cursor that it
 * covers, so that the two never tell different stories, not even when two tabs write.
 */
export interface Snapshot {
  readonly version: 1;
  readonly me: Me;
  readonly summaries: readonly Summary[];
  readonly isWholeInbox: boolean;
  readonly isInboxBehind: boolean;
  readonly people: readonly (readonly [string, Person])[];
  readonly conversations: readonly (readonly [ThreadId, Conversation])[];
  readonly drafts: readonly Draft[];
  readonly failed: readonly Send[];
  readonly cursor: Cursor | null;
}

/** A conversation as it is kept: its end, if what is here has no gap. */
export function kept(conversation: Conversation): Conversation | null {
  const { messages, older } = conversation;
  if (older === 'unknown' || messages.length === 0) return null;
  const isWhole = older === 'none' && messages.length <= KEPT_MESSAGES;
  return {
    messages: messages.slice(-KEPT_MESSAGES),
    older: isWhole ? 'none' : 'more',
    withheld: conversation.withheld,
  };
}
