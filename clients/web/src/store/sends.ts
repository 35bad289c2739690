import type { OutboxItem, Outgoing } from '../sdk/index.ts';
import type { ClientId, Refusal, ThreadId } from '../sdk/protocol.ts';

/** A message on its way. It is shown as sent only once the server has said so. */
export interface Send {
  readonly outgoing: Outgoing;
  readonly state: /** Kept on the device; `refusal` is why the server did not take it yet. */
    | { readonly kind: 'queued'; readonly refusal: Refusal | null }
    /** Waits for the server's answer. */
    | { readonly kind: 'sending' }
    /** Refused for good, and out of the outbox. */
    | { readonly kind: 'failed'; readonly refusal: Refusal };
}

export type Sends = readonly Send[];

/**
 * The outbox as it is now. An entry that is gone from it stays here until an update says what became of it, so that
 * nothing vanishes from the screen in between.
 */
export function withOutbox(sends: Sends, items: readonly OutboxItem[]): Sends {
  const now = new Map(items.map((item) => [item.outgoing.client_id, item]));
  const known = new Set(sends.map((send) => send.outgoing.client_id));
  const updated = sends.map((send) => {
    const item = now.get(send.outgoing.client_id);
    return item ? ofItem(item) : send;
  });
  return [...updated, ...items.filter((item) => !known.has(item.outgoing.client_id)).map(ofItem)];
}

export function withFailed(sends: Sends, outgoing: Outgoing, refusal: Refusal): Sends {
  const failed: Send = { outgoing, state: { kind: 'failed', refusal } };
  return [...without(sends, outgoing.client_id), failed];
}

export function without(sends: Sends, clientId: ClientId): Sends {
  return sends.filter((send) => send.outgoing.client_id !== clientId);
}

export function sendOf(sends: Sends, clientId: ClientId): Send | undefined {
  return sends.find((send) => send.outgoing.client_id === clientId);
}

/** Those that are shown at the end of a thread. */
export function sendsIn(sends: Sends, thread: ThreadId): Sends {
  return sends.filter(({ outgoing }) => outgoing.op === 'send_message' && outgoing.thread === thread);
}

/** Those that no thread shows: new ones, answers to one sender alone, and those to a thread that is gone. */
export function sendsWithoutThread(sends: Sends, gone: ReadonlySet<ThreadId>): Sends {
  return sends.filter(({ outgoing }) => outgoing.op !== 'send_message' || gone.has(outgoing.thread));
}

/** Whether something in that thread was refused for good, and waits for a decision. */
export function hasFailed(sends: Sends, thread: ThreadId): boolean {
  return sendsIn(sends, thread).some(({ state }) => state.kind === 'failed');
}

/** How many are not stored on the server and may still be. */
export function waitingCount(sends: Sends): number {
  return sends.filter((send) => send.state.kind !== 'failed').length;
}

function ofItem({ outgoing, state, refusal }: OutboxItem): Send {
  if (state === 'sending') return { outgoing, state: { kind: 'sending' } };
  return { outgoing, state: { kind: 'queued', refusal: refusal ?? null } };
}
