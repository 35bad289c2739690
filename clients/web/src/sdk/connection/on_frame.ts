// A frame came from the server.

import type { Moment } from '../clock.ts';
import { REPLY_KINDS, type Refusal, type Reply, type ServerFrame, type Welcome } from '../protocol.ts';
import type { Core } from './core.ts';
import { onSendRefused, onSent, transmitWaiting } from './on_application.ts';
import { onHeard } from './on_socket.ts';

/** A server that pings more often than this is not believed: a hiccup of the network would end the connection. */
const SHORTEST_SILENCE_MS = 1000;

export function onFrame(core: Core, now: Moment, frame: ServerFrame): void {
  onHeard(core, now);
  switch (frame.t) {
    case 'welcome':
      return onWelcome(core, now, frame);
    case 'reply':
      return onReply(core, now, frame.id, frame.reply);
    case 'error':
      return onError(core, now, frame.id, frame.error);
    case 'event':
      core.seen.event(frame.event);
      return core.act({
        kind: 'deliver',
        update: { kind: 'event', space: frame.space, id: frame.id, event: frame.event },
      });
    case 'signal':
      return core.act({ kind: 'deliver', update: { kind: 'signal', signal: frame.signal } });
    case 'resumed':
      return core.act({ kind: 'deliver', update: { kind: 'resumed', space: frame.space, events: frame.events } });
    case 'resync':
      return core.act({ kind: 'deliver', update: { kind: 'resync', space: frame.space } });
    case 'cursor':
      core.cursor = frame.cursor;
      return core.act({ kind: 'keep_cursor', cursor: frame.cursor });
  }
}

function onWelcome(core: Core, now: Moment, welcome: Welcome): void {
  if (core.state.kind !== 'handshaking') return;
  if (core.person !== undefined && core.person !== welcome.person) {
    // A class tablet: what one person wrote is never sent by another.
    return core.stop({ kind: 'other_person', person: welcome.person });
  }
  core.person = welcome.person;
  core.clock.learn(core.state.since, now, welcome.server_time);
  core.login.rejected = false;
  const { resumes } = core.state;
  const silenceMs = Math.max(2 * welcome.ping_interval_ms, SHORTEST_SILENCE_MS);
  core.state = { kind: 'live', since: now, heardAt: now, silenceMs };
  core.act({ kind: 'deliver', update: { kind: 'connected', welcome, resumes } });
  transmitWaiting(core, now);
}

function onReply(core: Core, now: Moment, id: number, reply: Reply): void {
  core.seen.reply(reply);
  const purpose = core.requests.finished(id);
  // An answer to a send counts also when its request was given up: it is the client id that it acknowledges.
  if (reply.kind === 'sent') onSent(core, reply);
  if (purpose?.kind === 'send') core.sends.notUnderWay(purpose.clientId);
  if (purpose?.kind === 'caller') {
    const isExpected = reply.kind === REPLY_KINDS[purpose.op];
    core.answer(
      purpose.ticket,
      isExpected ? { kind: 'reply', reply } : { kind: 'problem', problem: { kind: 'unexpected_reply' } },
    );
  }
  transmitWaiting(core, now);
}

function onError(core: Core, now: Moment, id: number | undefined, refusal: Refusal): void {
  const purpose = id === undefined ? undefined : core.requests.finished(id);
  if (purpose?.kind === 'caller') {
    core.answer(purpose.ticket, { kind: 'problem', problem: { kind: 'refused', refusal } });
  }
  if (purpose?.kind === 'send') onSendRefused(core, now, purpose, refusal);
  transmitWaiting(core, now);
}
