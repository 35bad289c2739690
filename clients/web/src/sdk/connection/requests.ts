// Requests under way and those that wait for a slot, each with its time.

import type { Moment } from '../clock.ts';
import { REQUESTS_UNDER_WAY } from '../limits.ts';
import type { ClientId, Request, Timestamp } from '../protocol.ts';
import type { Ticket } from './inputs.ts';

/** The most requests that may wait for a slot. */
export const REQUESTS_WAITING = 64;
/** The most slots that the outbox may use, so that a long outbox does not keep the screen from its history. */
const SENDS_UNDER_WAY = REQUESTS_UNDER_WAY - 2;
/** How long the server may take for a send. Who waits longer waits for a dead connection. */
const SEND_ANSWER_MS = 30_000;
/** How long it may take to say that it is there. */
const PROBE_ANSWER_MS = 10_000;

/** Whom an answer is for. */
export type Purpose =
  | { kind: 'caller'; ticket: Ticket; op: Request['op'] }
  /** `sentAt` is the time that it carries: another tab may give the entry another meanwhile. */
  | { kind: 'send'; clientId: ClientId; sentAt: Timestamp }
  /** Nobody: whether there is one at all is the question. */
  | { kind: 'probe' };

export type SendPurpose = Extract<Purpose, { kind: 'send' }>;

interface UnderWay {
  id: number;
  purpose: Purpose;
  lateAt: Moment;
}

interface Waiting {
  ticket: Ticket;
  request: Request;
  lateAt: Moment;
}

export class Requests {
  readonly #timeoutMs: number;
  #lastId = 0;
  #underWay: UnderWay[] = [];
  #waiting: Waiting[] = [];

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  get hasRoom(): boolean {
    return this.#waiting.length < REQUESTS_WAITING;
  }

  /** Whether nothing is under way. */
  get isIdle(): boolean {
    return this.#underWay.length === 0;
  }

  get isProbing(): boolean {
    return this.#underWay.some(({ purpose }) => purpose.kind === 'probe');
  }

  get hasSlot(): boolean {
    return this.#underWay.length < REQUESTS_UNDER_WAY;
  }

  get hasSlotForSend(): boolean {
    const sends = this.#underWay.filter(({ purpose }) => purpose.kind === 'send');
    return this.hasSlot && sends.length < SENDS_UNDER_WAY;
  }

  wait(now: Moment, ticket: Ticket, request: Request): void {
    this.#waiting.push({ ticket, request, lateAt: now + this.#timeoutMs });
  }

  /** Begins the request for an outbox entry. */
  beginSend(now: Moment, clientId: ClientId, sentAt: Timestamp): number {
    return this.#begin({ kind: 'send', clientId, sentAt }, now + SEND_ANSWER_MS);
  }

  beginProbe(now: Moment): number {
    return this.#begin({ kind: 'probe' }, now + PROBE_ANSWER_MS);
  }

  /** Begins the next waiting request, if a slot is free. */
  beginNext(): { id: number; request: Request } | undefined {
    const next = this.hasSlot ? this.#waiting.shift() : undefined;
    if (!next) return undefined;
    const { ticket, request, lateAt } = next;
    return { id: this.#begin({ kind: 'caller', ticket, op: request.op }, lateAt), request };
  }

  /** The request is answered; whose it was. Undefined when it was given up before. */
  finished(id: number): Purpose | undefined {
    const found = this.#underWay.find((request) => request.id === id);
    this.#underWay = this.#underWay.filter((request) => request !== found);
    return found?.purpose;
  }

  /** The request for this entry does not go out after all. */
  takeBackSend(clientId: ClientId): void {
    this.#underWay = this.#underWay.filter(({ purpose }) => purpose.kind !== 'send' || purpose.clientId !== clientId);
  }

  /** Takes out what has waited too long. */
  late(now: Moment): Purpose[] {
    const late = this.#underWay.filter((request) => now >= request.lateAt).map((request) => request.purpose);
    this.#underWay = this.#underWay.filter((request) => now < request.lateAt);
    for (const { ticket, request, lateAt } of this.#waiting) {
      if (now >= lateAt) late.push({ kind: 'caller', ticket, op: request.op });
    }
    this.#waiting = this.#waiting.filter((waiting) => now < waiting.lateAt);
    return late;
  }

  get deadline(): Moment {
    return Math.min(...[...this.#underWay, ...this.#waiting].map((request) => request.lateAt));
  }

  /** What is under way has no answer any more; what waits goes out on the next connection. */
  connectionLost(): Ticket[] {
    const tickets = this.#underWay.flatMap(({ purpose }) => (purpose.kind === 'caller' ? [purpose.ticket] : []));
    this.#underWay = [];
    return tickets;
  }

  /** Nothing goes out any more. */
  stopped(): Ticket[] {
    const tickets = [...this.connectionLost(), ...this.#waiting.map((waiting) => waiting.ticket)];
    this.#waiting = [];
    return tickets;
  }

  #begin(purpose: Purpose, lateAt: Moment): number {
    // Request ids fit 32 bits.
    this.#lastId = (this.#lastId + 1) % 2 ** 32;
    this.#underWay.push({ id: this.#lastId, purpose, lateAt });
    return this.#lastId;
  }
}
