// The connection and its outbox against a model of the server that loses, delays, refuses and forgets, with programs
// that die, alone or in several tabs without a lock: what was taken into the outbox is stored once, in order, and
// "sent" is never said before.
//
// A seed that fails replays.

import { expect, it } from 'vitest';
import type { Random } from '../backoff.ts';
import { Connection } from '../connection/connection.ts';
import type { Action, Input } from '../connection/inputs.ts';
import { changed, clientIdOf, type Entry, type News, type OutboxRecord } from '../outbox.ts';
import type { ClientFrame, ClientId, ThreadId } from '../protocol.ts';
import { ServerModel } from './model.ts';
import { seeded } from './random.ts';
import { closed, id, ME, NOON, outgoing, refusal, start, tokens, welcomeAt } from './scene.ts';

const STEPS = 250;

it('what is taken is stored once and in order, whatever dies', () => {
  for (let seed = 0; seed < 300; seed += 1) live(new World(seed, 1));
});

// Not in order: each tab has learned the time by itself, and without a lock nothing makes one wait for the other.
it('what tabs without a lock all send is stored once', () => {
  for (let seed = 0; seed < 200; seed += 1) live(new World(seed, 3));
});

function live(world: World): void {
  for (let step = 0; step < STEPS; step += 1) world.step();
  world.comeToRest();
  world.check();
}

interface Tab {
  connection: Connection;
  startedAt: number;
  /** What is on its way to it. */
  coming: Input[];
  /** What the other tabs have told. */
  news: News[];
  /** What it has taken, per thread. */
  taken: Map<ThreadId, ClientId[]>;
}

class World {
  readonly #seed: number;
  readonly #random: Random;
  readonly #server = new ServerModel();
  readonly #pending = new Map<number, ThreadId>();
  readonly #tabs: Tab[] = [];
  /** What is on the disk. */
  #records: OutboxRecord[] = [];
  #now = 0;
  #hasFaults = true;
  #written = 0;

  constructor(seed: number, tabs: number) {
    this.#seed = seed;
    this.#random = seeded(seed);
    for (let tab = 0; tab < tabs; tab += 1) {
      this.#tabs.push({ ...this.#program(), taken: new Map() });
    }
  }

  step(): void {
    const tab = this.#tabs[this.#below(this.#tabs.length)];
    if (!tab) return;
    const dice = this.#below(100);
    if (dice < 35) this.#pass(this.#below(400));
    else if (dice < 38) this.#pass(this.#below(20_000));
    else if (dice < 70) this.#hear(tab);
    else if (dice < 78) this.#learn(tab);
    else if (dice < 95) this.#write(tab);
    else if (dice < 98) this.#give(tab, closed());
    else this.#die(tab);
  }

  /** No more faults, and enough time for every wait. */
  comeToRest(): void {
    this.#hasFaults = false;
    for (let tries = 0; tries < 2000; tries += 1) {
      for (const tab of this.#tabs) {
        while (tab.coming.length > 0) this.#hear(tab);
        while (tab.news.length > 0) this.#learn(tab);
      }
      if (this.#tabs.every(({ connection }) => connection.outbox.length === 0)) return;
      this.#pass(500);
    }
    throw new Error(`seed ${this.#seed}: messages were never stored`);
  }

  check(): void {
    const count = this.#tabs.flatMap(({ taken }) => [...taken.values()].flat()).length;
    expect([this.#seed, this.#server.count]).toEqual([this.#seed, count]);
    const [first, ...others] = this.#tabs;
    if (!first || others.length > 0) return;
    for (const [thread, clientIds] of first.taken) {
      expect([this.#seed, ...this.#server.order(thread)]).toEqual([this.#seed, ...clientIds]);
    }
  }

  #pass(timeMs: number): void {
    this.#now += timeMs;
    for (const tab of this.#tabs) this.#give(tab, { kind: 'tick' });
  }

  #hear(tab: Tab): void {
    const input = tab.coming.shift();
    if (input) this.#give(tab, input);
  }

  #learn(tab: Tab): void {
    const news = tab.news.shift();
    if (news) this.#give(tab, { kind: 'news', news });
  }

  #write(tab: Tab): void {
    this.#written += 1;
    const thread = this.#below(3);
    this.#pending.set(this.#written, id(thread));
    this.#give(tab, { kind: 'send', ticket: this.#written, outgoing: outgoing(thread, this.#written) });
  }

  /** The program ends; the next one reads the disk. Records that nothing waited for may be lost with a power cut. */
  #die(tab: Tab): void {
    const isPowerCut = this.#tabs.length === 1;
    while (isPowerCut && this.#records.at(-1)?.kind === 'done' && this.#below(2) === 0) this.#records.pop();
    // A program forgets what it saw of a thread; longer than nodes are apart, so that its own order stays.
    this.#now += 3000;
    Object.assign(tab, this.#program());
  }

  #program(): Omit<Tab, 'taken'> {
    const connection = new Connection(start({ random: seeded(this.#below(2 ** 31)) }));
    const entries = [...this.#stored().values()];
    connection.apply(0, { kind: 'store_opened', person: ME, entries });
    connection.apply(0, { kind: 'outbox_owned', entries });
    return { connection, startedAt: this.#now, coming: [], news: [] };
  }

  #stored(): Map<ClientId, Entry> {
    const stored = new Map<ClientId, Entry>();
    for (const record of this.#records) {
      const after = changed(stored.get(clientIdOf(record)), record);
      if (after === 'lost') throw new Error(`seed ${this.#seed}: a stamp that nothing asked for`);
      if (after) stored.set(clientIdOf(record), after);
      else stored.delete(clientIdOf(record));
    }
    return stored;
  }

  #give(tab: Tab, input: Input): void {
    const inputs = [input];
    for (let next = inputs.shift(); next; next = inputs.shift()) {
      const actions = tab.connection.apply(this.#now - tab.startedAt, next);
      const lost = this.#persist(tab, actions);
      inputs.push(...lost);
      const lostIds = new Set(lost.flatMap((one) => (one.kind === 'stamp_lost' ? [one.lost.client_id] : [])));
      for (const action of actions) inputs.push(...this.#perform(tab, action, lostIds));
    }
  }

  /** Writes as a shared outbox does, and tells the other tabs. Returns what another tab was first with. */
  #persist(tab: Tab, actions: readonly Action[]): Input[] {
    const lost: Input[] = [];
    for (const action of actions) {
      if (action.kind !== 'persist') continue;
      const { record } = action;
      const client_id = clientIdOf(record);
      const entry = this.#stored().get(client_id);
      if (changed(entry, record) === 'lost') {
        lost.push({ kind: 'stamp_lost', lost: { client_id, ...(entry && { entry }) } });
      } else {
        this.#records.push(record);
        for (const other of this.#tabs) if (other !== tab) other.news.push({ records: [record], updates: [] });
      }
    }
    return lost;
  }

  #perform(tab: Tab, action: Action, lost: ReadonlySet<ClientId>): Input[] {
    switch (action.kind) {
      case 'log_in':
      case 'refresh':
        return [tokens('any')];
      case 'open':
        if (this.#hasFaults && this.#below(5) === 0) return [{ kind: 'open_failed', text: '' }];
        this.#server.skewMs = this.#below(1000);
        return [{ kind: 'opened' }];
      case 'transmit':
        tab.coming.push(...this.#serve(action.frame, lost));
        return [];
      case 'close':
        tab.coming = [];
        return [];
      case 'taken':
        this.#take(tab, action.ticket);
        return [];
      case 'deliver':
        if (action.update.kind === 'send_failed') throw new Error(`seed ${this.#seed}: given up`);
        if (action.update.kind === 'sent') expect(this.#server.holds(action.update.sent.client_id)).toBe(true);
        return [];
      default:
        return [];
    }
  }

  #take(tab: Tab, ticket: number): void {
    const thread = this.#pending.get(ticket) ?? '';
    tab.taken.set(thread, [...(tab.taken.get(thread) ?? []), id(ticket)]);
  }

  #serve(frame: ClientFrame, lost: ReadonlySet<ClientId>): Input[] {
    const nodeNow = NOON + this.#now + this.#server.skewMs;
    if (frame.t === 'hello') return [welcomeAt(nodeNow)];
    if (frame.request.op !== 'send_message') return [refusal(frame.id, 'not_permitted')];
    if (lost.has(frame.request.client_id)) return [];
    const fault = this.#hasFaults ? this.#below(10) : 9;
    return this.#server.answer(frame.id, frame.request, nodeNow, fault);
  }

  #below(most: number): number {
    return Math.floor(this.#random() * most);
  }
}
