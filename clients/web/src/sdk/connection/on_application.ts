// The application, or another tab of it, asks or sends something.

import type { Moment } from '../clock.ts';
import type { SendProblem } from '../errors.ts';
import { type News, OUTBOX_ENTRIES, type Outgoing, requestOf, wrongParts } from '../outbox.ts';
import type { ClientId, Refusal, Request, Sent } from '../protocol.ts';
import type { Core } from './core.ts';
import type { Hint, Ticket } from './inputs.ts';
import { connect } from './on_login.ts';
import type { SendPurpose } from './requests.ts';

export function onRequest(core: Core, now: Moment, ticket: Ticket, request: Request): void {
  if (!core.requests.hasRoom) return core.answer(ticket, { kind: 'problem', problem: { kind: 'busy' } });
  core.requests.wait(now, ticket, request);
  transmitWaiting(core, now);
}

export function onSend(core: Core, now: Moment, ticket: Ticket, outgoing: Outgoing): void {
  const problem = takeIntoOutbox(core, outgoing);
  if (!problem) transmitWaiting(core, now);
  core.act({ kind: 'taken', ticket, ...(problem && { problem }) });
}

function takeIntoOutbox(core: Core, outgoing: Outgoing): SendProblem | undefined {
  const wrong = wrongParts(outgoing.parts);
  if (wrong) return { kind: 'invalid', text: wrong };
  const sent = core.sends.acknowledged(outgoing.client_id);
  if (sent) {
    core.act({ kind: 'deliver', update: { kind: 'sent', sent } });
    return undefined;
  }
  const known = core.sends.find(outgoing.client_id);
  if (known) return isSame(known, outgoing) ? undefined : { kind: 'client_id_reused' };
  if (core.sends.count >= OUTBOX_ENTRIES) return { kind: 'outbox_full' };
  core.act({ kind: 'persist', record: { kind: 'queued', outgoing } });
  core.sends.add({ outgoing });
  return undefined;
}

/** Also when the application has made it anew, with its fields in another order or one of them undefined. */
function isSame(known: Outgoing, other: Outgoing): boolean {
  const sorted = (_: string, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([one], [two]) => (one < two ? -1 : 1)))
      : value;
  return JSON.stringify(known, sorted) === JSON.stringify(other, sorted);
}

/** Another tab changed the outbox; what it queued may be this one's to send. */
export function onNews(core: Core, now: Moment, news: News): void {
  for (const record of news.records) core.sends.elsewhere(record);
  for (const update of news.updates) {
    if (update.kind === 'sent') core.seen.reply({ kind: 'sent', ...update.sent });
    core.act({ kind: 'deliver', update });
  }
  transmitWaiting(core, now);
}

/** The device says something of itself. */
export function onHint(core: Core, now: Moment, hint: Hint): void {
  const { state } = core;
  if (state.kind === 'disconnected' && hint !== 'offline' && !state.told) connect(core, now);
  if (state.kind !== 'live') return;
  if (hint === 'offline') core.disconnect(now, { kind: 'offline' });
  // Another network, or a device that slept: the socket may be dead and not know it yet.
  else probe(core, now);
}

/**
 * Asks whether the server is there, with a request that costs it little: a browser shows no pings, so silence alone says
 * nothing.
 */
export function probe(core: Core, now: Moment): void {
  if (core.requests.isProbing || !core.requests.hasSlot) return;
  const id = core.requests.beginProbe(now);
  core.act({ kind: 'transmit', frame: { t: 'request', id, request: { op: 'list_logins' } } });
}

/** Sends what may go out now: first from the outbox, then what the application asks. */
export function transmitWaiting(core: Core, now: Moment): void {
  const serverNow = core.clock.now(now);
  if (core.state.kind !== 'live' || serverNow === undefined) return;
  while (core.requests.hasSlotForSend) {
    const next = core.sends.next(now, serverNow, core.seen);
    if (!next) break;
    if (next.record) core.act({ kind: 'persist', record: next.record });
    const id = core.requests.beginSend(now, next.outgoing.client_id, next.stamp.sent_at);
    core.act({ kind: 'transmit', frame: { t: 'request', id, request: requestOf(next.outgoing, next.stamp) } });
  }
  for (let next = core.requests.beginNext(); next; next = core.requests.beginNext()) {
    core.act({ kind: 'transmit', frame: { t: 'request', ...next } });
  }
}

export function onSent(core: Core, { thread, message, client_id }: Sent): void {
  const sent = { thread, message, client_id };
  if (!core.sends.acknowledge(sent)) return;
  core.act({ kind: 'persist', record: { kind: 'done', client_id } });
  core.act({ kind: 'deliver', update: { kind: 'sent', sent } });
}

export function onSendRefused(core: Core, now: Moment, send: SendPurpose, refusal: Refusal): void {
  switch (core.sends.refused(now, send, refusal, core.start.random)) {
    case 'again':
      return;
    case 'learn_time':
      core.clock.distrust();
      return core.disconnect(now, { kind: 'clock_ahead' });
    case 'give_up':
      return giveUp(core, now, send.clientId, refusal);
  }
}

function giveUp(core: Core, now: Moment, clientId: ClientId, refusal: Refusal): void {
  // What the token may not do today it may after a new login; the message is not to blame.
  if (refusal.code === 'invalid_token') return core.sends.againLater(now, clientId, refusal, core.start.random);
  const outgoing = core.sends.remove(clientId);
  if (!outgoing) return;
  core.act({ kind: 'persist', record: { kind: 'done', client_id: clientId } });
  core.act({ kind: 'deliver', update: { kind: 'send_failed', clientId, outgoing, refusal } });
}
