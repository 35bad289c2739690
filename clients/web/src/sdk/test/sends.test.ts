// The outbox in motion: the state machine with plain values.

import { describe, expect, it } from 'vitest';
import { ceiling } from '../backoff.ts';
import { Connection } from '../connection/connection.ts';
import type { Action } from '../connection/inputs.ts';
import type { Entry } from '../outbox.ts';
import type { Event } from '../protocol.ts';
import {
  ask,
  closed,
  comeBack,
  frame,
  id,
  kindsOf,
  live,
  liveAt,
  ME,
  messageAt,
  NOON,
  outgoing,
  refusal,
  requestsOf,
  send,
  sendOf,
  sendsOf,
  sent,
  start,
  tokens,
  updatesOf,
  welcomeAt,
} from './scene.ts';

const stampsOf = (actions: readonly Action[]) =>
  actions.flatMap((action) => (action.kind === 'persist' && action.record.kind === 'stamped' ? [action.record] : []));

describe('a send', () => {
  it('is queued, stamped, transmitted, and sent only when the server says so', () => {
    const connection = live();
    const actions = connection.apply(10_000, send(5, 1));
    const stamp = { sent_at: NOON + 10_000 };
    expect(kindsOf(actions)).toEqual(['persist', 'persist', 'transmit', 'taken']);
    expect(actions[0]).toEqual({ kind: 'persist', record: { kind: 'queued', outgoing: outgoing(5, 1) } });
    expect(stampsOf(actions)).toEqual([{ kind: 'stamped', client_id: id(1), stamp }]);
    const { id: requestId, request } = sendOf(actions);
    expect(request).toEqual({ ...outgoing(5, 1), ...stamp });
    expect(connection.outbox).toEqual([{ outgoing: outgoing(5, 1), state: 'sending' }]);
    const answered = connection.apply(11_000, sent(requestId, request));
    expect(answered[0]).toEqual({ kind: 'persist', record: { kind: 'done', client_id: id(1) } });
    expect(updatesOf(answered)).toMatchObject([{ kind: 'sent', sent: { client_id: id(1), thread: id(5) } }]);
    expect(connection.outbox).toEqual([]);
    // Queued again: it is not sent again, and the answer is the same.
    const again = connection.apply(12_000, send(5, 1));
    expect(kindsOf(again)).toEqual(['deliver', 'taken']);
  });

  it('comes after everything seen in its thread, and tells the membership it knows of', () => {
    const connection = live();
    const ahead = NOON + 1500;
    const event: Event = {
      kind: 'message',
      thread: id(5),
      message: messageAt(ahead),
      author: id(6),
      sent_at: ahead,
      version: 1,
      parts: [],
    };
    connection.apply(0, frame({ t: 'event', space: id(4), id: id(7), event }));
    const changed = { kind: 'membership_changed', thread: id(5), membership_version: 4 } as const;
    connection.apply(0, frame({ t: 'reply', id: 900, reply: changed }));
    const first = sendOf(connection.apply(0, send(5, 1))).request;
    expect(first).toMatchObject({ sent_at: ahead + 1, membership_version: 4 });
    expect(sendOf(connection.apply(0, send(6, 2))).request.sent_at).toBe(NOON);
  });

  it('never sorts before what it answers', () => {
    const connection = live();
    const answer = { ...outgoing(5, 1), reply_to: messageAt(NOON + 1900) };
    const actions = connection.apply(0, { kind: 'send', ticket: 1, outgoing: answer });
    expect(sendOf(actions).request.sent_at).toBe(NOON + 1901);
  });

  it('of one thread go one by one, and threads side by side', () => {
    const connection = live();
    const first = sendOf(connection.apply(1000, send(5, 1)));
    expect(sendsOf(connection.apply(1000, send(5, 2)))).toEqual([]);
    expect(sendsOf(connection.apply(1000, send(6, 3)))).toHaveLength(1);
    const second = sendOf(connection.apply(1000, sent(first.id, first.request))).request;
    expect(second.client_id).toBe(id(2));
    expect(second.sent_at).toBeGreaterThan(first.request.sent_at);
  });

  it('six slots are the outbox’s and two stay for the screen', () => {
    const connection = live();
    const numbers = [1, 2, 3, 4, 5, 6, 7, 8];
    expect(numbers.flatMap((number) => sendsOf(connection.apply(1000, send(number, number))))).toHaveLength(6);
    expect(requestsOf(connection.apply(1000, ask(100)))).toHaveLength(1);
  });

  it('that cannot be a message, or reuses an id for something else, is not taken', () => {
    const connection = new Connection(start());
    const taken = (actions: Action[]) => actions.at(-1);
    expect(taken(connection.apply(0, send(5, 1)))).toEqual({ kind: 'taken', ticket: 1 });
    expect(taken(connection.apply(0, send(5, 1)))).toEqual({ kind: 'taken', ticket: 1 });
    expect(connection.outbox).toHaveLength(1);
    expect(taken(connection.apply(0, send(6, 1)))).toMatchObject({ problem: { kind: 'client_id_reused' } });
    const empty = { ...outgoing(5, 2), parts: [{ kind: 'text' as const, text: '  ' }] };
    const refused = connection.apply(0, { kind: 'send', ticket: 2, outgoing: empty });
    expect(taken(refused)).toMatchObject({ problem: { kind: 'invalid' } });
  });
});

describe('a retry', () => {
  it('goes out in order, with the same content and the same time', () => {
    const connection = live();
    const first = sendOf(connection.apply(1000, send(5, 1))).request;
    connection.apply(1000, send(5, 2));
    connection.apply(9000, closed(4003));
    const { now, actions } = comeBack(connection, NOON + 9000);
    const again = sendOf(actions);
    expect(again.request).toEqual(first);
    expect(kindsOf(actions)).not.toContain('persist');
    const second = sendOf(connection.apply(now, sent(again.id, again.request))).request;
    expect(second.client_id).toBe(id(2));
  });

  it('of what an earlier program left goes out first, with its time', () => {
    const stamp = { sent_at: NOON - 100_000, membership_version: 3 };
    const entries: Entry[] = [{ outgoing: outgoing(1, 1), stamp }, { outgoing: outgoing(2, 2) }];
    const [first, second] = sendsOf(liveAt(0, { entries }).actions);
    expect(first?.request).toMatchObject(stamp);
    expect(second?.request.sent_at).toBe(NOON);
  });

  it('after restamp has another, later time at once, which replaces the refused one', () => {
    const connection = live();
    const first = sendOf(connection.apply(1000, send(5, 1)));
    const actions = connection.apply(20_000, refusal(first.id, 'restamp'));
    const second = sendOf(actions);
    expect(second.request).toMatchObject({ client_id: id(1), sent_at: NOON + 20_000 });
    expect(stampsOf(actions)).toMatchObject([{ replaces: NOON + 1000, stamp: { sent_at: NOON + 20_000 } }]);
    // In the same millisecond it never repeats the void time; and a second refusal in a row learns the time anew.
    const again = connection.apply(20_000, refusal(second.id, 'restamp'));
    expect(updatesOf(again)).toMatchObject([{ reason: { kind: 'clock_ahead' } }]);
    const third = sendOf(comeBack(connection, NOON + 20_000).actions);
    expect(third.request.sent_at).toBe(NOON + 20_001);
  });

  it('after clock_ahead waits a second, and the second time learns the time anew', () => {
    const connection = live();
    const first = sendOf(connection.apply(1000, send(5, 1)));
    expect(sendsOf(connection.apply(1000, refusal(first.id, 'clock_ahead')))).toEqual([]);
    expect(connection.deadline).toBe(2000);
    const second = sendOf(connection.apply(2000, { kind: 'tick' }));
    expect(second.request.sent_at).toBe(NOON + 2000);
    const actions = connection.apply(2000, refusal(second.id, 'clock_ahead'));
    expect(updatesOf(actions)).toMatchObject([{ reason: { kind: 'clock_ahead' } }]);
    const hourEarlier = NOON - 3_600_000;
    const { now } = comeBack(connection, hourEarlier);
    expect(sendOf(connection.apply(3000, { kind: 'tick' })).request.sent_at).toBe(hourEarlier + 3000 - now);
  });

  it('of what may pass comes after the told wait, or with jitter, and says why it waits', () => {
    const connection = live();
    const first = sendOf(connection.apply(1000, send(5, 1)));
    connection.apply(1000, refusal(first.id, 'overloaded', { retry_after_ms: 3000 }));
    expect(connection.deadline).toBe(4000);
    expect(connection.outbox).toMatchObject([{ state: 'queued', refusal: { code: 'overloaded' } }]);
    const second = sendOf(connection.apply(4000, { kind: 'tick' }));
    expect(second.request).toEqual(first.request);
    connection.apply(4000, refusal(second.id, 'storage_unavailable'));
    expect(connection.deadline).toBe(4000 + ceiling(1) / 2);
  });

  it('what never will be sent is said, with what it said, and the next of the thread goes on', () => {
    const connection = live();
    const first = sendOf(connection.apply(1000, send(5, 1)));
    connection.apply(1000, send(5, 2));
    const actions = connection.apply(1000, refusal(first.id, 'not_permitted'));
    expect(updatesOf(actions)).toMatchObject([{ kind: 'send_failed', clientId: id(1), outgoing: outgoing(5, 1) }]);
    expect(actions[0]).toEqual({ kind: 'persist', record: { kind: 'done', client_id: id(1) } });
    expect(sendOf(actions).request.client_id).toBe(id(2));
  });

  it('without an answer means a dead connection, and a late answer counts', () => {
    const connection = live();
    const first = sendOf(connection.apply(1000, send(5, 1))).request;
    connection.apply(30_000, { kind: 'heard' });
    const actions = connection.apply(31_000, { kind: 'tick' });
    expect(updatesOf(actions)).toMatchObject([{ reason: { kind: 'no_answer' } }]);
    const { now, actions: back } = comeBack(connection, NOON + 60_000);
    const again = sendOf(back);
    expect(again.request).toEqual(first);
    const late = connection.apply(now, sent(again.id + 77, first));
    expect(updatesOf(late)).toMatchObject([{ kind: 'sent' }]);
    expect(connection.outbox).toEqual([]);
  });
});

describe('several tabs', () => {
  it('one that does not own the outbox shows it and sends nothing, and takes over what is stored', () => {
    const connection = new Connection(start());
    connection.apply(0, { kind: 'store_opened', person: ME, entries: [{ outgoing: outgoing(5, 1) }] });
    connection.apply(0, { kind: 'tick' });
    connection.apply(0, tokens('1'));
    connection.apply(0, { kind: 'opened' });
    expect(sendsOf(connection.apply(0, welcomeAt(NOON)))).toEqual([]);
    expect(sendsOf(connection.apply(0, send(5, 2)))).toEqual([]);
    expect(connection.outbox).toHaveLength(2);
    const stamp = { sent_at: NOON - 5 };
    const entries = [{ outgoing: outgoing(5, 1), stamp }, { outgoing: outgoing(5, 2) }];
    const taking = connection.apply(1000, { kind: 'outbox_owned', entries });
    expect(sendOf(taking).request).toMatchObject({ client_id: id(1), sent_at: NOON - 5 });
  });

  it('what another tab queued is sent, and what it has sent is told', () => {
    const connection = live();
    const queued = { kind: 'queued', outgoing: outgoing(5, 1) } as const;
    const actions = connection.apply(0, { kind: 'news', news: { records: [queued], updates: [] } });
    expect(sendOf(actions).request.client_id).toBe(id(1));
    const update = { kind: 'sent', sent: { thread: id(5), message: messageAt(NOON), client_id: id(1) } } as const;
    const records = [{ kind: 'done', client_id: id(1) } as const];
    const told = connection.apply(0, { kind: 'news', news: { records, updates: [update] } });
    expect(updatesOf(told)).toEqual([update]);
    expect(connection.outbox).toEqual([]);
  });

  it('who comes second with a stamp sends what the first has stamped, or nothing when that is done', () => {
    const connection = live();
    connection.apply(1000, send(5, 1));
    const entry = { outgoing: outgoing(5, 1), stamp: { sent_at: NOON + 7 } };
    const actions = connection.apply(1000, { kind: 'stamp_lost', lost: { client_id: id(1), entry } });
    expect(sendOf(actions).request.sent_at).toBe(NOON + 7);
    expect(kindsOf(actions)).not.toContain('persist');
    connection.apply(1000, { kind: 'stamp_lost', lost: { client_id: id(1) } });
    expect(connection.outbox).toEqual([]);
  });
});

it('an outbox that cannot be written stops everything', () => {
  const actions = live().apply(1000, { kind: 'outbox_failed', text: 'disk full' });
  expect(kindsOf(actions)).toEqual(['close', 'deliver']);
  expect(updatesOf(actions)).toEqual([{ kind: 'stopped', reason: { kind: 'outbox_failed', text: 'disk full' } }]);
});
