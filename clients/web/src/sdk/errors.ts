// What can go wrong for an application, typed. Each error knows whether the same may succeed later.

import { ERROR_CODES, type ErrorCode, type Refusal } from './protocol.ts';

/** What is no frame of ours, or would be none. */
export class FrameError extends Error {
  override name = 'FrameError';
}

/** A text that is no server address. */
export class AddressError extends Error {
  override name = 'AddressError';
}

/** Whether a request that was refused with this code may succeed later. A code that is not known is not repeated. */
export function mayPass(code: ErrorCode): boolean {
  return Object.hasOwn(ERROR_CODES, code) && ERROR_CODES[code];
}

export type RequestProblem =
  /** The server said no. */
  | { kind: 'refused'; refusal: Refusal }
  /** The connection ended while the request was under way. Whether it was done is not known. */
  | { kind: 'disconnected' }
  /** No answer in time; the connection may have been away all the while. */
  | { kind: 'timed_out' }
  /** Too many requests wait already. */
  | { kind: 'busy' }
  /** It can not be one: a malformed id, or more than the server takes. */
  | { kind: 'invalid'; text: string }
  /** The client has stopped and will not come back. */
  | { kind: 'stopped' }
  /** A kind of reply that does not belong to the request: a fault in the server. */
  | { kind: 'unexpected_reply' };

/** Why a request has no reply. */
export class RequestError extends Error {
  override name = 'RequestError';
  readonly problem: RequestProblem;

  constructor(problem: RequestProblem) {
    super(inWords(problem));
    this.problem = problem;
  }

  get refusal(): Refusal | undefined {
    return this.problem.kind === 'refused' ? this.problem.refusal : undefined;
  }

  get isRetryable(): boolean {
    if (this.problem.kind === 'refused') return mayPass(this.problem.refusal.code);
    return ['disconnected', 'timed_out', 'busy'].includes(this.problem.kind);
  }
}

export type SendProblem =
  /** The message can not be one; the text says what is wrong. */
  | { kind: 'invalid'; text: string }
  /** There is an entry with this client id, and it says something else. */
  | { kind: 'client_id_reused' }
  /** The outbox holds as many messages as it may. */
  | { kind: 'outbox_full' }
  /** The outbox could not be written. */
  | { kind: 'outbox_failed'; text: string }
  /** The client has stopped and will not come back. */
  | { kind: 'stopped' };

/** Why a send was not taken into the outbox. */
export class SendError extends Error {
  override name = 'SendError';
  readonly problem: SendProblem;

  constructor(problem: SendProblem) {
    super(inWords(problem));
    this.problem = problem;
  }

  get isRetryable(): boolean {
    return this.problem.kind === 'outbox_full';
  }
}

export type LoginProblem =
  /** The server said no. */
  | { kind: 'refused'; refusal: Refusal; status: number }
  /** The server could not be reached, or the exchange broke off. */
  | { kind: 'unreachable'; text: string }
  /** No answer in time. */
  | { kind: 'timed_out' }
  /** Something that is no Samtale server answered, or one that failed badly. */
  | { kind: 'status'; status: number }
  /** An answer that can not be read. */
  | { kind: 'unreadable' };

/** Why a login, refresh, log-out or activation failed. */
export class LoginError extends Error {
  override name = 'LoginError';
  readonly problem: LoginProblem;
  /** How long to wait, when the server said. */
  readonly retryAfterMs: number | undefined;

  constructor(problem: LoginProblem, retryAfterMs?: number) {
    super(inWords(problem));
    this.problem = problem;
    this.retryAfterMs = retryAfterMs ?? this.refusal?.retry_after_ms;
  }

  get refusal(): Refusal | undefined {
    return this.problem.kind === 'refused' ? this.problem.refusal : undefined;
  }

  get isRetryable(): boolean {
    if (this.problem.kind === 'refused') return mayPass(this.problem.refusal.code);
    if (this.problem.kind === 'status') return this.problem.status >= 500 || this.problem.status === 429;
    return this.problem.kind !== 'unreadable';
  }
}

function inWords(problem: RequestProblem | SendProblem | LoginProblem): string {
  switch (problem.kind) {
    case 'refused':
      return problem.refusal.message;
    case 'invalid':
    case 'outbox_failed':
    case 'unreachable':
      return problem.text;
    case 'status':
      return `the server answered with status ${problem.status} and nothing that explains it`;
    default:
      return WORDS[problem.kind];
  }
}

const WORDS = {
  disconnected: 'the connection ended before the answer',
  timed_out: 'no answer in time',
  busy: 'too many requests wait',
  stopped: 'the client has stopped',
  unexpected_reply: 'the server answered with another kind of reply',
  client_id_reused: 'the client id was used for something else',
  outbox_full: 'too many messages wait to be sent',
  unreadable: "the server's answer can not be read",
} as const;
