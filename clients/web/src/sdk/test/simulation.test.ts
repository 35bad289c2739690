// The connection and its outbox against a model of the server that loses, delays, refuses and forgets, with programs
// that die: what was taken into the outbox is stored once, in order, and "sent" is never said before.
//
// A seed that fails replays.

import { expect, it } from 'vitest';
import type { Random } from '../backoff.ts';
import { Connection } from '../connection/connection.ts';
import type { Action, Input } from '../connection/inputs.ts';
import { changed, clientIdOf, type Entry, type OutboxRecord } from '../outbox.ts';
import type { ClientFrame, ClientId, ErrorCode, SendMessage, ThreadId, Timestamp } from '../protocol.ts';
import { seeded } from './random.ts';
import { closed, id, ME, NOON, outgoing, refusal, sent, start, tokens, welcomeAt } from './scene.ts';

const SEEDS = 300;
const STEPS = 250;

it('what is taken is stored once and in order, whatever dies', () => {
  for (let seed = 0; seed < SEEDS; seed += 1) {
    const world = new World(seed);
    for (let step = 0; step < STEPS; step += 1) world.step();
    world.comeToRest();
    world.check();
  }
});

/** What the nodes store: per thread and time one message. Which node one talks to, and so whose clock counts, changes. */
class Server {
  readonly stored = new Map<ThreadId, Map<Timestamp, ClientId>>();
  readonly #void = new Set<string>();
  skewMs = 0;

  /** As the design says it: what is fresh is written, what is old is looked up and made void. */
  answer(requestId: number, send: SendMessage, now: Timestamp, fault: number): Input | undefined {
    const refuse = (code: ErrorCode) => refusal(requestId, code);
    if (send.sent_at > now + 2000) return refuse('clock_ahead');
    if (fault === 0) return closed(4005);
    if (fault === 1) return refuse('overloaded');
    const thread = this.stored.get(send.thread) ?? new Map<Timestamp, ClientId>();
    this.stored.set(send.thread, thread);
    const name = `${send.client_id} ${send.sent_at}`;
    const isStored = thread.get(send.sent_at) === send.client_id;
    if (!isStored && (this.#void.has(name) || now - send.sent_at > 10_000)) {
      this.#void.add(name);
      return refuse('restamp');
    }
    thread.set(send.sent_at, send.client_id);
    if (fault === 2) return closed(4005);
    if (fault === 3) return refuse('storage_unavailable');
    return fault === 4 ? undefined : sent(requestId, send);
  }

  /** The client ids of a thread in its order. */
  order(thread: ThreadId): ClientId[] {
    const messages = [...(this.stored.get(thread) ?? [])];
    return messages.sort(([one], [two]) => one - two).map(([, clientId]) => clientId);
  }

  holds(clientId: ClientId): boolean {
    return [...this.stored.values()].some((thread) => [...thread.values()].includes(clientId));
  }
}

class World {
  readonly #seed: number;
  readonly #random: Random;
  readonly #server = new Server();
  readonly #taken = new Map<ThreadId, ClientId[]>();
  readonly #pending = new Map<number, ThreadId>();
  #connection: Connection;
  /** What is on the disk. */
  #records: OutboxRecord[] = [];
  /** What is on its way to the client. */
  #coming: Input[] = [];
  #now = 0;
  #startedAt = 0;
  #hasFaults = true;
  #written = 0;

  constructor(seed: number) {
    this.#seed = seed;
    this.#random = seeded(seed);
    this.#connection = this.#program();
  }

  step(): void {
    const dice = this.#below(100);
    if (dice < 35) this.#pass(this.#below(400));
    else if (dice < 38) this.#pass(this.#below(20_000));
    else if (dice < 75) this.#hear();
    else if (dice < 95) this.#write();
    else if (dice < 98) this.#give(closed());
    else this.#die();
  }

  /** No more faults, and enough time for every wait. */
  comeToRest(): void {
    this.#hasFaults = false;
    for (let tries = 0; tries < 2000; tries += 1) {
      while (this.#coming.length > 0) this.#hear();
      if (this.#connection.outbox.length === 0) return;
      this.#pass(500);
    }
    throw new Error(`seed ${this.#seed}: ${this.#connection.outbox.length} messages were never stored`);
  }

  check(): void {
    for (const [thread, taken] of this.#taken) {
      expect([this.#seed, ...this.#server.order(thread)]).toEqual([this.#seed, ...taken]);
    }
  }

  #pass(timeMs: number): void {
    this.#now += timeMs;
    this.#give({ kind: 'tick' });
  }

  #hear(): void {
    const input = this.#coming.shift();
    if (input) this.#give(input);
  }

  #write(): void {
    this.#written += 1;
    const thread = this.#below(3);
    this.#pending.set(this.#written, id(thread));
    this.#give({ kind: 'send', ticket: this.#written, outgoing: outgoing(thread, this.#written) });
  }

  /** The program ends; the next one reads the disk. Records that nothing waited for may be lost. */
  #die(): void {
    while (this.#records.at(-1)?.kind === 'done' && this.#below(2) === 0) this.#records.pop();
    // A program forgets what it saw of a thread; longer than nodes are apart, so that its own order stays.
    this.#now += 3000;
    this.#startedAt = this.#now;
    this.#coming = [];
    this.#connection = this.#program();
  }

  #program(): Connection {
    const connection = new Connection(start({ random: seeded(this.#below(2 ** 31)) }));
    const stored = new Map<ClientId, Entry>();
    for (const record of this.#records) {
      const after = changed(stored.get(clientIdOf(record)), record);
      if (after === 'lost') throw new Error(`seed ${this.#seed}: a stamp that nothing asked for`);
      if (after) stored.set(clientIdOf(record), after);
      else stored.delete(clientIdOf(record));
    }
    const entries = [...stored.values()];
    connection.apply(0, { kind: 'store_opened', person: ME, entries });
    connection.apply(0, { kind: 'outbox_owned', entries });
    return connection;
  }

  #give(input: Input): void {
    const inputs = [input];
    for (let next = inputs.shift(); next; next = inputs.shift()) {
      for (const action of this.#connection.apply(this.#now - this.#startedAt, next)) {
        const followUp = this.#perform(action);
        if (followUp) inputs.push(followUp);
      }
    }
  }

  #perform(action: Action): Input | undefined {
    switch (action.kind) {
      case 'log_in':
      case 'refresh':
        return tokens('any');
      case 'open':
        if (this.#hasFaults && this.#below(5) === 0) return { kind: 'open_failed', text: '' };
        this.#server.skewMs = this.#below(1000);
        return { kind: 'opened' };
      case 'transmit':
        this.#serve(action.frame);
        return undefined;
      case 'close':
        this.#coming = [];
        return undefined;
      case 'persist':
        this.#records.push(action.record);
        return undefined;
      case 'taken':
        this.#take(action.ticket);
        return undefined;
      case 'deliver':
        if (action.update.kind === 'send_failed') throw new Error(`seed ${this.#seed}: given up`);
        if (action.update.kind === 'sent') expect(this.#server.holds(action.update.sent.client_id)).toBe(true);
        return undefined;
      default:
        return undefined;
    }
  }

  #take(ticket: number): void {
    const thread = this.#pending.get(ticket) ?? '';
    this.#taken.set(thread, [...(this.#taken.get(thread) ?? []), id(ticket)]);
  }

  #serve(frame: ClientFrame): void {
    const nodeNow = NOON + this.#now + this.#server.skewMs;
    if (frame.t === 'hello') this.#coming.push(welcomeAt(nodeNow));
    else if (frame.request.op === 'send_message') {
      const fault = this.#hasFaults ? this.#below(10) : 9;
      const answer = this.#server.answer(frame.id, frame.request, nodeNow, fault);
      if (answer) this.#coming.push(answer);
    } else this.#coming.push(refusal(frame.id, 'not_permitted'));
  }

  #below(most: number): number {
    return Math.floor(this.#random() * most);
  }
}
