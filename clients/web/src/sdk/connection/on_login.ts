// Tokens: when to log in, when to refresh, and what a refusal means.

import type { Moment } from '../clock.ts';
import type { LoginError } from '../errors.ts';
import type { LoginReply } from '../protocol.ts';
import type { Core } from './core.ts';

/** An access token this close to its end is refreshed first: the way to the server takes time. */
const MARGIN_MS = 20_000;
/** However short a token lasts, it is not renewed more often than this. */
const SHORTEST_MS = 5_000;

/** Begins an attempt with the first step that is needed. */
export function connect(core: Core, now: Moment): void {
  const { access, renewal, mayLogIn } = core.login;
  if (access && now < access.endsAt) {
    core.state = { kind: 'connecting', step: 'socket' };
    core.act({ kind: 'open' });
  } else if (renewal) {
    core.state = { kind: 'connecting', step: 'refresh' };
    core.act({ kind: 'refresh', renewal });
  } else if (mayLogIn) {
    core.state = { kind: 'connecting', step: 'log_in' };
    core.act({ kind: 'log_in' });
  } else {
    core.stop({ kind: 'login_refused', text: 'there is nothing to log in with' });
  }
}

/** From now on these are the tokens. */
export function takeTokens(core: Core, now: Moment, reply: LoginReply): void {
  const { access_token, refresh_token, expires_in } = reply;
  const lastsMs = expires_in * 1000;
  // A token that lasts less than the margin is used at once, not refreshed for ever.
  const endsAt = now + Math.max(lastsMs - MARGIN_MS, lastsMs / 2, SHORTEST_MS);
  core.login.access = { token: access_token, endsAt };
  core.login.renewal = refresh_token === undefined ? { kind: 'cookie' } : { kind: 'token', token: refresh_token };
  core.login.mayLogIn = core.start.logIn === 'again';
}

export function onLoggedIn(core: Core, now: Moment, reply: LoginReply): void {
  if (core.state.kind !== 'connecting') return;
  takeTokens(core, now, reply);
  const shown = reply.refresh_token === undefined ? {} : { refreshToken: reply.refresh_token };
  core.act({ kind: 'deliver', update: { kind: 'logged_in', ...shown, profiles: reply.profiles } });
  core.state = { kind: 'connecting', step: 'socket' };
  core.act({ kind: 'open' });
}

export function onLoginFailed(core: Core, now: Moment, error: LoginError): void {
  if (core.state.kind !== 'connecting') return;
  const refusal = error.refusal ? { refusal: error.refusal } : {};
  if (error.isRetryable) {
    core.disconnect(now, { kind: 'login_failed', text: error.message, ...refusal }, error.retryAfterMs);
  } else if (core.state.step === 'refresh' && core.login.mayLogIn) {
    core.login.renewal = undefined;
    connect(core, now);
  } else {
    core.stop({ kind: 'login_refused', text: error.message, ...refusal });
  }
}
