// What every part of the connection works on, and the two ways in which it ends.

import { jitteredWait, type Random } from '../backoff.ts';
import { type Moment, ServerClock } from '../clock.ts';
import type { Cursor, DeviceId, Language, LoginReply, PersonId } from '../protocol.ts';
import type { DisconnectReason, StopReason } from '../updates.ts';
import type { Action, Answer, Renewal, Ticket } from './inputs.ts';
import { Requests } from './requests.ts';
import { Seen } from './seen.ts';
import { Sends } from './sends.ts';
import type { State } from './state.ts';

/** A connection that was live for this long was a good one: what ends it does not add to earlier failures. */
export const PROVEN_MS = 5000;

/** What a connection starts from. */
export interface Start {
  /** Whether there is something to log in with that is not a token: a code or a forgotten password works once. */
  logIn: 'never' | 'once' | 'again';
  renewal?: Renewal;
  /** A login made just now. */
  login?: LoginReply;
  /** The installation. */
  device: DeviceId;
  /** What the program calls itself. */
  client: string;
  /** The language of sentences for people. */
  language: Language;
  /** How long a request may take, waiting included. */
  requestTimeoutMs: number;
  /** For the waits. */
  random: Random;
}

/** What the client can show of itself. */
export interface LoginState {
  mayLogIn: boolean;
  renewal: Renewal | undefined;
  access: { token: string; endsAt: Moment } | undefined;
  /** Whether the server called a token invalid since the last `welcome`. The second time it is believed. */
  rejected: boolean;
}

export class Core {
  state: State = { kind: 'disconnected', retryAt: 0, attempt: 0, told: false };
  readonly start: Start;
  readonly login: LoginState;
  /** Whose outbox and cursor these are, once that is known. */
  person: PersonId | undefined;
  cursor: Cursor | undefined;
  /** Attempts that failed in a row. */
  failures = 0;
  readonly clock = new ServerClock();
  readonly seen = new Seen();
  readonly requests: Requests;
  readonly sends = new Sends();
  #actions: Action[] = [];

  constructor(start: Start) {
    this.start = start;
    this.login = { mayLogIn: start.logIn !== 'never', renewal: start.renewal, access: undefined, rejected: false };
    this.requests = new Requests(start.requestTimeoutMs);
  }

  act(action: Action): void {
    this.#actions.push(action);
  }

  answer(ticket: Ticket, answer: Answer): void {
    this.act({ kind: 'answer', ticket, answer });
  }

  takeActions(): Action[] {
    const actions = this.#actions;
    this.#actions = [];
    return actions;
  }

  /** Ends the connection, or the attempt, and comes back after the told wait or with jitter. */
  disconnect(now: Moment, reason: DisconnectReason, toldWaitMs?: number): void {
    if (this.state.kind === 'live' && now - this.state.since >= PROVEN_MS) this.failures = 0;
    const retryInMs = toldWaitMs ?? jitteredWait(this.failures, this.start.random);
    this.failures += 1;
    const told = toldWaitMs !== undefined;
    this.state = { kind: 'disconnected', retryAt: now + retryInMs, attempt: this.failures, told };
    this.act({ kind: 'close' });
    this.sends.connectionLost();
    for (const ticket of this.requests.connectionLost()) {
      this.answer(ticket, { kind: 'problem', problem: { kind: 'disconnected' } });
    }
    this.act({ kind: 'deliver', update: { kind: 'disconnected', retryInMs, reason } });
  }

  /** Ends everything, for good. The outbox keeps what waits. */
  stop(reason: StopReason): void {
    this.state = { kind: 'stopped', reason };
    this.act({ kind: 'close' });
    this.sends.connectionLost();
    for (const ticket of this.requests.stopped()) {
      this.answer(ticket, { kind: 'problem', problem: { kind: 'stopped' } });
    }
    this.act({ kind: 'deliver', update: { kind: 'stopped', reason } });
  }
}
