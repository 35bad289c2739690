// Plain values for the tests of the connection: a start, frames, and what is asked of actions.

import { Connection } from '../connection/connection.ts';
import type { Start } from '../connection/core.ts';
import type { Action, Input, Ticket } from '../connection/inputs.ts';
import type { Entry, Outgoing } from '../outbox.ts';
import type {
  ErrorCode,
  Hello,
  Id,
  Refusal,
  Reply,
  Request,
  SendMessage,
  ServerFrame,
  Timestamp,
} from '../protocol.ts';
import type { Update } from '../updates.ts';

export const NOON: Timestamp = 1_800_000_000_000;
export const ME = id(2);

/** An id that says its number in the last byte. */
export function id(number: number): Id {
  return `00000000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`;
}

/** The id of a message that was sent then. */
export function messageAt(sentAt: Timestamp, number = 0): Id {
  const time = sentAt.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${number.toString(16).padStart(12, '0')}`;
}

export function start(changes: Partial<Start> = {}): Start {
  return {
    logIn: 'again',
    device: id(1),
    client: 'test',
    language: 'da',
    requestTimeoutMs: 30_000,
    random: () => 0.5,
    ...changes,
  };
}

export function tokens(name: string): Input {
  const reply = { access_token: `access ${name}`, refresh_token: `refresh ${name}`, expires_in: 600, profiles: [] };
  return { kind: 'logged_in', reply };
}

export function frame(content: ServerFrame): Input {
  return { kind: 'frame', frame: content };
}

export function welcomeAt(server_time: Timestamp): Input {
  return frame({
    t: 'welcome',
    server_time,
    person: ME,
    session: id(3),
    profiles: [],
    expires_at: server_time + 600_000,
    ping_interval_ms: 25_000,
  });
}

/** A connection that is live since `now`, where the server's time is then noon, with an outbox that is its to send. */
export function liveAt(now: number, { entries = [], ...rest }: Partial<Start> & { entries?: Entry[] } = {}) {
  const connection = new Connection(start(rest));
  connection.apply(now, { kind: 'store_opened', person: ME, entries });
  connection.apply(now, { kind: 'outbox_owned', entries });
  connection.apply(now, { kind: 'tick' });
  connection.apply(now, tokens('1'));
  connection.apply(now, { kind: 'opened' });
  const actions = connection.apply(now, welcomeAt(NOON));
  return { connection, actions };
}

export function live(): Connection {
  return liveAt(0).connection;
}

/** Comes back as soon as it may; returns what followed from `welcome`, and when that was. */
export function comeBack(connection: Connection, serverTime: Timestamp): { now: number; actions: Action[] } {
  const now = retryAt(connection);
  connection.apply(now, { kind: 'tick' });
  connection.apply(now, { kind: 'opened' });
  return { now, actions: connection.apply(now, welcomeAt(serverTime)) };
}

export function closed(code?: number, reason = ''): Input {
  return { kind: 'closed', ...(code && { code }), reason };
}

export function outgoing(thread: number, clientId: number): Outgoing {
  return { op: 'send_message', thread: id(thread), client_id: id(clientId), parts: [{ kind: 'text', text: 'hej' }] };
}

export function send(thread: number, clientId: number): Input {
  return { kind: 'send', ticket: clientId, outgoing: outgoing(thread, clientId) };
}

export function sent(requestId: number, message: SendMessage): Input {
  const { thread, client_id, sent_at } = message;
  const reply: Reply = { kind: 'sent', thread, client_id, message: messageAt(sent_at) };
  return frame({ t: 'reply', id: requestId, reply });
}

export function refusal(requestId: number, code: ErrorCode, more: Partial<Refusal> = {}): Input {
  return frame({ t: 'error', id: requestId, error: { code, message: code, ...more } });
}

export function ask(ticket: Ticket): Input {
  return { kind: 'request', ticket, request: { op: 'set_presence_visibility', hidden: false } };
}

export function done(requestId: number): Input {
  return frame({ t: 'reply', id: requestId, reply: { kind: 'done' } });
}

export function helloOf(actions: readonly Action[]): Hello {
  for (const action of actions) {
    if (action.kind === 'transmit' && action.frame.t === 'hello') return action.frame;
  }
  throw new Error('no hello');
}

export function requestsOf(actions: readonly Action[]): { id: number; request: Request }[] {
  return actions.flatMap((action) =>
    action.kind === 'transmit' && action.frame.t === 'request' ? [action.frame] : [],
  );
}

export function sendsOf(actions: readonly Action[]): { id: number; request: SendMessage }[] {
  return requestsOf(actions).flatMap(({ id: number, request }) =>
    request.op === 'send_message' ? [{ id: number, request }] : [],
  );
}

/** The one send among the actions. */
export function sendOf(actions: readonly Action[]): { id: number; request: SendMessage } {
  const [first, ...others] = sendsOf(actions);
  if (!first || others.length > 0) throw new Error(`one send, not ${JSON.stringify(actions)}`);
  return first;
}

export function updatesOf(actions: readonly Action[]): Update[] {
  return actions.flatMap((action) => (action.kind === 'deliver' ? [action.update] : []));
}

export function kindsOf(actions: readonly Action[]): string[] {
  return actions.map(({ kind }) => kind);
}

export function retryAt(connection: Connection): number {
  if (connection.state.kind !== 'disconnected') throw new Error(`disconnected, not ${connection.state.kind}`);
  return connection.state.retryAt;
}
