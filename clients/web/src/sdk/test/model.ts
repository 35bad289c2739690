// A model of what the nodes store, with their faults.

import type { Input } from '../connection/inputs.ts';
import type { ClientId, ErrorCode, SendMessage, ThreadId, Timestamp } from '../protocol.ts';
import { closed, refusal, sent } from './scene.ts';

interface Stored {
  sentAt: Timestamp;
  clientId: ClientId;
}

export class ServerModel {
  /** Per thread, by what a message id is made of: time and client id. */
  readonly #threads = new Map<ThreadId, Map<string, Stored>>();
  readonly #void = new Set<string>();
  /** Which node one talks to, and so whose clock counts, changes with each connection. */
  skewMs = 0;

  /** As the design says it: what is fresh is written, what is old is looked up and made void. */
  answer(requestId: number, send: SendMessage, now: Timestamp, fault: number): Input[] {
    const refuse = (code: ErrorCode) => [refusal(requestId, code)];
    if (send.sent_at > now + 2000) return refuse('clock_ahead');
    if (fault === 0) return [closed(4005)];
    if (fault === 1) return refuse('overloaded');
    const thread = this.#threads.get(send.thread) ?? new Map<string, Stored>();
    this.#threads.set(send.thread, thread);
    const message = `${send.sent_at} ${send.client_id}`;
    if (!thread.has(message) && (this.#void.has(message) || now - send.sent_at > 10_000)) {
      this.#void.add(message);
      return refuse('restamp');
    }
    thread.set(message, { sentAt: send.sent_at, clientId: send.client_id });
    if (fault === 2) return [closed(4005)];
    if (fault === 3) return refuse('storage_unavailable');
    return fault === 4 ? [] : [sent(requestId, send)];
  }

  get count(): number {
    return this.#all().length;
  }

  /** The client ids of a thread in its order. */
  order(thread: ThreadId): ClientId[] {
    const messages = [...(this.#threads.get(thread)?.values() ?? [])];
    return messages.sort((one, two) => one.sentAt - two.sentAt).map(({ clientId }) => clientId);
  }

  holds(clientId: ClientId): boolean {
    return this.#all().some((stored) => stored.clientId === clientId);
  }

  #all(): Stored[] {
    return [...this.#threads.values()].flatMap((thread) => [...thread.values()]);
  }
}
