// The connection as a state machine: it takes an input, decides, and returns actions. It never waits, opens nothing,
// reads no clock and is given its randomness, so every path through it is tested with plain values.
//
// One file per source of inputs: `on_login`, `on_socket`, `on_frame`, `on_tick`, `on_application`, `on_store`.

import type { Moment } from '../clock.ts';
import { Core, type Start } from './core.ts';
import type { Action, Input, Renewal } from './inputs.ts';
import { onHint, onNews, onRequest, onSend } from './on_application.ts';
import { onFrame } from './on_frame.ts';
import { onLoggedIn, onLoginFailed, takeTokens } from './on_login.ts';
import { onClosed, onHeard, onOpened } from './on_socket.ts';
import { onOutboxOwned, onStampLost, onStoreOpened } from './on_store.ts';
import { deadline, onTick } from './on_tick.ts';
import type { OutboxItem } from './sends.ts';
import type { State } from './state.ts';

export class Connection {
  readonly #core: Core;

  /** A connection that tries at the first tick. */
  constructor(start: Start) {
    this.#core = new Core(start);
    if (start.login) takeTokens(this.#core, 0, start.login);
  }

  get state(): Readonly<State> {
    return this.#core.state;
  }

  /** What waits in the outbox, in order. */
  get outbox(): OutboxItem[] {
    return this.#core.sends.items;
  }

  /** What a new access token would be got with, and a log-out be made with. */
  get renewal(): Renewal | undefined {
    return this.#core.login.renewal;
  }

  /** When the next tick is due, if nothing else happens. */
  get deadline(): Moment | undefined {
    return deadline(this.#core);
  }

  /** Takes an input and returns what to do about it. */
  apply(now: Moment, input: Input): Action[] {
    if (this.#core.state.kind === 'stopped') this.#refuse(input);
    else this.#take(now, input);
    return this.#core.takeActions();
  }

  #take(now: Moment, input: Input): void {
    const core = this.#core;
    switch (input.kind) {
      case 'logged_in':
        return onLoggedIn(core, now, input.reply);
      case 'login_failed':
        return onLoginFailed(core, now, input.error);
      case 'opened':
        return onOpened(core, now);
      case 'open_failed':
        return core.disconnect(now, { kind: 'unreachable', text: input.text });
      case 'frame':
        return onFrame(core, now, input.frame);
      case 'heard':
        return onHeard(core, now);
      case 'closed':
        return onClosed(core, now, input.code, input.reason);
      case 'request':
        return onRequest(core, now, input.ticket, input.request);
      case 'send':
        return onSend(core, now, input.ticket, input.outgoing);
      case 'store_opened':
        return onStoreOpened(core, input.person, input.entries, input.cursor);
      case 'outbox_owned':
        return onOutboxOwned(core, now, input.entries);
      case 'news':
        return onNews(core, now, input.news);
      case 'stamp_lost':
        return onStampLost(core, now, input.lost);
      case 'outbox_failed':
        return core.stop({ kind: 'outbox_failed', text: input.text });
      case 'behind':
        return core.state.kind === 'live' ? core.disconnect(now, { kind: 'behind' }) : undefined;
      case 'hint':
        return onHint(core, now, input.hint);
      case 'tick':
        return onTick(core, now);
      case 'stop':
        return core.stop({ kind: 'asked' });
    }
  }

  #refuse(input: Input): void {
    if (input.kind === 'request') {
      this.#core.answer(input.ticket, { kind: 'problem', problem: { kind: 'stopped' } });
    } else if (input.kind === 'send') {
      this.#core.act({ kind: 'taken', ticket: input.ticket, problem: { kind: 'stopped' } });
    }
  }
}
