// What the client has seen of each thread: the newest message, which its own must come after, and the version of the
// membership, which it tells with a send.

import { timeOfMessage } from '../ids.ts';
import type { Event, MessageId, Reply, ThreadId, Timestamp } from '../protocol.ts';

/** The threads remembered. Only those with messages of the last seconds matter: older ids are below the time anyway. */
const THREADS = 512;

interface SeenThread {
  newestAt: Timestamp;
  membershipVersion: number;
}

export class Seen {
  /** In the order in which they were last seen. */
  readonly #threads = new Map<ThreadId, SeenThread>();

  /** The first time that is above all ids seen in the thread. */
  above(thread: ThreadId): Timestamp {
    const seen = this.#threads.get(thread);
    return seen ? seen.newestAt + 1 : 0;
  }

  /** The newest version of the thread's membership that was seen. */
  membershipVersion(thread: ThreadId): number | undefined {
    return this.#threads.get(thread)?.membershipVersion || undefined;
  }

  event(event: Event): void {
    if (event.kind === 'message') this.#message(event.thread, event.message);
    else if (event.kind === 'thread' || event.kind === 'membership') {
      this.#membership(event.thread, event.membership_version);
    }
  }

  reply(reply: Reply): void {
    switch (reply.kind) {
      case 'sent':
      case 'message':
        return this.#message(reply.thread, reply.message);
      case 'history':
        for (const message of reply.messages) this.#message(message.thread, message.message);
        return;
      case 'inbox':
        for (const { thread, last_message } of reply.entries) {
          this.#message(thread.thread, last_message);
          this.#membership(thread.thread, thread.membership_version);
        }
        return;
      case 'thread':
        return this.#membership(reply.thread.thread, reply.thread.membership_version);
      case 'renamed':
      case 'membership_changed':
        return this.#membership(reply.thread, reply.membership_version);
    }
  }

  #message(thread: ThreadId, message: MessageId): void {
    const seen = this.#thread(thread);
    seen.newestAt = Math.max(seen.newestAt, timeOfMessage(message));
  }

  #membership(thread: ThreadId, version: number): void {
    const seen = this.#thread(thread);
    seen.membershipVersion = Math.max(seen.membershipVersion, version);
  }

  #thread(thread: ThreadId): SeenThread {
    const seen = this.#threads.get(thread) ?? { newestAt: 0, membershipVersion: 0 };
    this.#threads.delete(thread);
    this.#threads.set(thread, seen);
    if (this.#threads.size > THREADS) this.#forgetOne();
    return seen;
  }

  /** The one that was seen least recently. */
  #forgetOne(): void {
    for (const thread of this.#threads.keys()) {
      this.#threads.delete(thread);
      return;
    }
  }
}
