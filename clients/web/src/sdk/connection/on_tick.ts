// Time has passed.

import type { Moment } from '../clock.ts';
import { HANDSHAKE_MS } from '../limits.ts';
import type { DisconnectReason } from '../updates.ts';
import type { Core } from './core.ts';
import { probe, transmitWaiting } from './on_application.ts';
import { connect } from './on_login.ts';
import type { Live } from './state.ts';

/** When the next tick is due, if nothing else happens; undefined when nothing is waited for. */
export function deadline(core: Core): Moment | undefined {
  if (core.state.kind === 'stopped') return undefined;
  const sends = core.state.kind === 'live' ? core.sends.deadline : Number.POSITIVE_INFINITY;
  const first = Math.min(ownDeadline(core), sends, core.requests.deadline);
  return Number.isFinite(first) ? first : undefined;
}

function ownDeadline(core: Core): Moment {
  switch (core.state.kind) {
    case 'disconnected':
      return core.state.retryAt;
    case 'handshaking':
      return core.state.since + HANDSHAKE_MS;
    case 'live':
      return Math.min(silentAt(core, core.state), renewalAt(core));
    default:
      // The login and the opening of the socket have time limits of their own.
      return Number.POSITIVE_INFINITY;
  }
}

/** While the question is under way, or no slot is free to ask it, the times of the requests count. */
function silentAt(core: Core, live: Live): Moment {
  const mayAsk = core.requests.hasSlot && !core.requests.isProbing;
  return mayAsk ? live.heardAt + live.silenceMs : Number.POSITIVE_INFINITY;
}

/** Between requests, so that nobody's answer is lost; a server that cannot wait closes by itself. */
function renewalAt(core: Core): Moment {
  return core.requests.isIdle ? (core.login.access?.endsAt ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
}

export function onTick(core: Core, now: Moment): void {
  const dead = giveUpLateRequests(core, now);
  core.sends.wake(now);
  const { state } = core;
  if (state.kind === 'disconnected' && now >= state.retryAt) return connect(core, now);
  if (state.kind === 'handshaking' && now >= state.since + HANDSHAKE_MS) {
    return core.disconnect(now, { kind: 'handshake_timeout' });
  }
  if (state.kind !== 'live') return;
  if (dead) return core.disconnect(now, dead);
  // At once: the tokens of many clients end at many times, so this is spread already.
  if (now >= renewalAt(core)) return core.disconnect(now, { kind: 'token_ends' }, 0);
  transmitWaiting(core, now);
  if (now >= silentAt(core, state)) probe(core, now);
}

/** What it says about the connection, if anything: callers may ask what takes its time, sends and probes do not. */
function giveUpLateRequests(core: Core, now: Moment): DisconnectReason | undefined {
  let dead: DisconnectReason | undefined;
  for (const purpose of core.requests.late(now)) {
    if (purpose.kind === 'caller') {
      core.answer(purpose.ticket, { kind: 'problem', problem: { kind: 'timed_out' } });
    } else if (purpose.kind === 'probe') dead = { kind: 'silence' };
    else dead ??= { kind: 'no_answer' };
  }
  return dead;
}
