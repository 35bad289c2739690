/** A made-up server for tests. No product code reads this. */
import type { OutboxItem, Outgoing, Update } from '../sdk/index.ts';
import type { Event, Request } from '../sdk/protocol.ts';
import { id, inboxEntry, ME, member, message, OTHER, SPACE, THREAD, threadPage } from './sample.ts';

/** A server that answers what it is told to, and remembers what it was asked. */
export class SampleServer {
  readonly asked: Request[] = [];
  readonly queued: Outgoing[] = [];
  /** What is answered to each kind of request: a reply, or what makes one of the request. */
  readonly answers: Record<string, unknown> = {
    inbox: { kind: 'inbox', entries: [inboxEntry(1000)], more: false },
    names: { kind: 'people', people: [], more: false },
    open_thread: threadPage([member(ME), member(OTHER)]),
    history: { kind: 'history', messages: [message(500), message(1000)], more: false },
    load_draft: { kind: 'draft', thread: THREAD, version: 0, text: '' },
  };
  outbox: OutboxItem[] = [];
  outboxChanged: () => void = () => {};

  request = async (request: Request) => {
    this.asked.push(request);
    const answer = this.answers[request.op];
    return typeof answer === 'function' ? answer(request) : answer;
  };
  queue = async (sent: Outgoing) => {
    this.queued.push(sent);
    return sent.client_id;
  };
  whenOutboxChanges = (listener: () => void) => {
    this.outboxChanged = listener;
    return () => {};
  };
  count(op: Request['op']): number {
    return this.asked.filter((request) => request.op === op).length;
  }
}

export const ownProfile = { profile: ME, space: SPACE, space_name: 'Skolen', role: 'guardian', name: 'Mette' } as const;
export const welcome = {
  server_time: 0,
  person: id('bbbb', 1),
  session: id('6666', 1),
  profiles: [ownProfile],
  expires_at: 0,
  ping_interval_ms: 25_000,
};
export const event = (fact: Event): Update => ({ kind: 'event', space: SPACE, id: id('3333', 1), event: fact });
export const outgoing = {
  op: 'send_message',
  client_id: id('4444', 1),
  thread: THREAD,
  parts: [{ kind: 'text', text: 'Hej' }],
} as const;
