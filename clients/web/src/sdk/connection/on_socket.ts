// The socket opens and closes.

import type { Moment } from '../clock.ts';
import { closeCodeName, comesBack, toldWait } from '../close_codes.ts';
import { VERSION } from '../protocol.ts';
import type { Core } from './core.ts';
import { connect } from './on_login.ts';

export function onOpened(core: Core, now: Moment): void {
  if (core.state.kind !== 'connecting' || core.state.step !== 'socket') return;
  const { access } = core.login;
  if (!access) return connect(core, now);
  const { device, client, language } = core.start;
  const hello = { version: VERSION, access_token: access.token, device, client, language };
  const resumes = core.cursor !== undefined;
  core.state = { kind: 'handshaking', since: now, resumes };
  core.act({ kind: 'transmit', frame: { t: 'hello', ...hello, ...(core.cursor && { cursor: core.cursor }) } });
}

export function onHeard(core: Core, now: Moment): void {
  if (core.state.kind === 'live') core.state.heardAt = now;
}

export function onClosed(core: Core, now: Moment, code: number | undefined, text: string): void {
  const name = closeCodeName(code);
  const wasRejected = core.login.rejected;
  if (name === 'token_expired') core.login.access = undefined;
  if (name === 'invalid_token') {
    core.login.access = undefined;
    core.login.rejected = true;
  }
  // A token that the server calls invalid gets one try with a new one.
  const isWorthATry = name === 'invalid_token' && !wasRejected;
  if (code === undefined || comesBack(code) || isWorthATry) {
    const told = code === undefined ? { text } : { code, text };
    core.disconnect(now, { kind: 'closed', ...told }, toldWait(text));
  } else {
    core.stop({ kind: 'closed', code, ...(name && { name }), text });
  }
}
