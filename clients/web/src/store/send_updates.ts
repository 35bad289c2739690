import { timeOfMessage, type Update } from '../sdk/index.ts';
import type { Message } from '../sdk/protocol.ts';
import { withMessage } from './conversation.ts';
import * as inbox from './inbox.ts';
import { refreshInbox } from './inbox_pages.ts';
import { sendOf, withFailed, without } from './sends.ts';
import type { Store } from './store.ts';

type SendUpdate = Extract<Update, { kind: 'sent' | 'send_failed' }>;

/** What became of a message in the outbox. */
export function applySendUpdate(store: Store, update: SendUpdate): void {
  if (update.kind === 'send_failed') {
    store.sends.value = withFailed(store.sends.value, update.outgoing, update.refusal);
    return;
  }
  const { client_id, thread, message: id } = update.sent;
  const send = sendOf(store.sends.value, client_id);
  store.sends.value = without(store.sends.value, client_id);
  store.arrived.value = new Map(store.arrived.value).set(client_id, thread);
  const author = store.summaries.value.get(thread)?.profile;
  if (!send || !author) {
    refreshInbox(store);
    return;
  }
  const { outgoing } = send;
  const answers = 'reply_to' in outgoing && outgoing.reply_to ? { reply_to: outgoing.reply_to } : {};
  // The event brings version 1; until then this is what was stored.
  const message: Message = {
    thread,
    message: id,
    author,
    sent_at: timeOfMessage(id),
    version: 0,
    parts: outgoing.parts,
    ...answers,
  };
  const conversation = store.conversations.get(thread);
  if (conversation) conversation.value = withMessage(conversation.value, message);
  store.summaries.value = inbox.withMessage(store.summaries.value, message, store.own.value);
}
