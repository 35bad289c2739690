import type { Draft, ThreadId } from '../sdk/protocol.ts';

export type Drafts = ReadonlyMap<ThreadId, Draft>;

/** A draft as some device left it; an older one changes nothing. */
export function withDraft(drafts: Drafts, draft: Draft): Drafts {
  const known = drafts.get(draft.thread);
  if (known && known.version >= draft.version) return drafts;
  const { thread, version, text } = draft;
  return new Map(drafts).set(thread, { thread, version, text });
}
