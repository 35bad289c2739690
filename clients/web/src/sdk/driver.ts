// The client's one loop: it waits in one place, gives each thing that happens to the connection, one after the other,
// and does what the connection decides.

import { Connection } from './connection/connection.ts';
import type { Start } from './connection/core.ts';
import type { Action, Hint, Input, Renewal } from './connection/inputs.ts';
import type { OutboxItem } from './connection/sends.ts';
import type { State } from './connection/state.ts';
import { Callers } from './driver/callers.ts';
import { UPDATES_WAITING, Updates } from './driver/deliveries.ts';
import { Link, type Reach } from './driver/link.ts';
import {
  type LostStamp,
  type News,
  type OpenStore,
  OUTBOX_ENTRIES,
  type OutboxRecord,
  type Outgoing,
  type PersonStore,
} from './outbox.ts';
import type { PersonId, Reply, Request } from './protocol.ts';

/** Timers count in 32 bits; a later tick asks again. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** What happens: an input of its own, one of an attempt to connect, or one that has to be fetched in its turn. */
type Work = { input: Input; attempt?: number } | { fetch: () => Promise<Input> };

export interface DriverOptions {
  start: Start;
  reach: Reach;
  openStore: OpenStore;
  /** Whose store to open before anything else. */
  person: PersonId | undefined;
}

export class Driver {
  readonly updates: Updates;
  readonly #openStore: OpenStore;
  readonly #connection: Connection;
  readonly #link: Link;
  readonly #callers = new Callers();
  readonly #outboxListeners = new Set<() => void>();
  readonly #startedAt = performance.now();
  #store: PersonStore | undefined;
  /** What is sent before it is known whose outbox it belongs into. */
  #early: Input[] = [];
  #work: Work[] = [];
  #isWorking = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #outboxShown = '';
  #end: () => void = () => {};
  readonly #ended = new Promise<void>((resolve) => {
    this.#end = resolve;
  });

  constructor({ start, reach, openStore, person }: DriverOptions) {
    this.#openStore = openStore;
    this.#connection = new Connection(start);
    this.#link = new Link(reach, (input, attempt) => this.#give({ input, attempt }));
    this.updates = new Updates(async (cursor) => {
      // A cursor that is not kept costs repeated events and no more.
      await this.#store?.cursor.keep(cursor).catch(() => {});
    });
    if (person !== undefined) this.#give({ fetch: () => this.#opened(person, true) });
    this.#give({ input: { kind: 'tick' } });
  }

  get state(): Readonly<State> {
    return this.#connection.state;
  }

  get outbox(): OutboxItem[] {
    return this.#connection.outbox;
  }

  get renewal(): Renewal | undefined {
    return this.#connection.renewal;
  }

  request(request: Request): Promise<Reply | undefined> {
    return this.#callers.wait((ticket) => this.#give({ input: { kind: 'request', ticket, request } }));
  }

  async queue(outgoing: Outgoing): Promise<void> {
    await this.#callers.wait((ticket) => this.#give({ input: { kind: 'send', ticket, outgoing } }));
  }

  hint(hint: Hint): void {
    this.#give({ input: { kind: 'hint', hint } });
  }

  /** Resolves when it has stopped and let go of what is kept. */
  stop(): Promise<void> {
    this.#give({ input: { kind: 'stop' } });
    return this.#ended;
  }

  /** Deletes what is kept of the person. */
  async forget(): Promise<void> {
    await this.#store?.destroy();
  }

  whenOutboxChanges(listener: () => void): () => void {
    this.#outboxListeners.add(listener);
    return () => this.#outboxListeners.delete(listener);
  }

  #give(work: Work): void {
    this.#work.push(work);
    if (!this.#isWorking) void this.#workOff();
  }

  async #workOff(): Promise<void> {
    this.#isWorking = true;
    for (let work = this.#work.shift(); work; work = this.#work.shift()) await this.#take(work);
    this.#isWorking = false;
    this.#setTimer();
    this.#showOutbox();
  }

  async #take(work: Work): Promise<void> {
    if ('fetch' in work) return this.#apply(await work.fetch());
    const { input, attempt } = work;
    if (attempt !== undefined && !this.#link.isCurrent(attempt)) return;
    if (input.kind === 'frame' && input.frame.t === 'welcome' && !this.#store) {
      await this.#apply(await this.#opened(input.frame.person, false));
    }
    if (input.kind === 'send' && !this.#store && this.state.kind !== 'stopped') return this.#tooEarly(input);
    await this.#apply(input);
  }

  async #apply(input: Input): Promise<void> {
    const actions = this.#connection.apply(performance.now() - this.#startedAt, input);
    const lost = await this.#persist(actions);
    for (const action of actions) this.#perform(action, lost ?? 'failed');
    // Right after what it follows from, and before anything else that waits.
    const followUps = (lost ?? []).map((one): Work => ({ input: { kind: 'stamp_lost', lost: one } }));
    this.#work.unshift(...followUps);
    if (this.state.kind === 'stopped') this.#letGo();
  }

  /** Stores what has to be stored; undefined when that failed, and then the client stops. */
  async #persist(actions: readonly Action[]): Promise<LostStamp[] | undefined> {
    const records = actions.flatMap((action) => (action.kind === 'persist' ? [action.record] : []));
    if (records.length === 0 || !this.#store) return [];
    try {
      const lost = await this.#store.outbox.write(records);
      this.#store.tabs.tell(news(records, lost, actions));
      return lost;
    } catch (error) {
      this.#work.unshift({ input: { kind: 'outbox_failed', text: String(error) } });
      return undefined;
    }
  }

  #perform(action: Action, lost: LostStamp[] | 'failed'): void {
    switch (action.kind) {
      case 'persist':
        return;
      case 'log_in':
        return this.#link.logIn();
      case 'refresh':
        return this.#link.refresh(action.renewal);
      case 'open':
        return this.#link.open();
      case 'close':
        return this.#link.close();
      case 'transmit':
        if (lost !== 'failed' && !isLost(action, lost)) this.#link.send(action.frame);
        return;
      case 'deliver':
        return this.#deliver(action);
      case 'keep_cursor':
        return this.updates.push({ kind: 'cursor', cursor: action.cursor });
      case 'answer':
        return this.#callers.answer(action.ticket, action.answer);
      case 'taken': {
        const failed =
          lost === 'failed' ? ({ kind: 'outbox_failed', text: 'the outbox can not be written' } as const) : undefined;
        return this.#callers.taken(action.ticket, action.problem ?? failed);
      }
    }
  }

  #deliver({ update }: Extract<Action, { kind: 'deliver' }>): void {
    this.updates.push({ kind: 'update', update });
    if (this.updates.waiting > UPDATES_WAITING) this.#work.push({ input: { kind: 'behind' } });
  }

  /** Opens what is kept of the person. From then on their outbox is shown, and sent once this tab is the one to send. */
  async #opened(person: PersonId, withCursor: boolean): Promise<Input> {
    try {
      const store = await this.#openStore(person);
      const entries = await store.outbox.load();
      const cursor = withCursor ? await store.cursor.load() : undefined;
      this.#store = store;
      store.tabs.whenTold((told) => this.#give({ input: { kind: 'news', news: told } }));
      store.tabs.whenOwner(() => this.#give({ fetch: () => owned(store) }));
      this.#work.unshift(...this.#early.map((input) => ({ input })));
      this.#early = [];
      return { kind: 'store_opened', person, entries, ...(cursor && { cursor }) };
    } catch (error) {
      return { kind: 'outbox_failed', text: String(error) };
    }
  }

  #tooEarly(input: Extract<Input, { kind: 'send' }>): void {
    if (this.#early.length < OUTBOX_ENTRIES) this.#early.push(input);
    else this.#callers.taken(input.ticket, { kind: 'outbox_full' });
  }

  /** Stopped: another tab may send, and who waited for an outbox hears that there is none. */
  #letGo(): void {
    this.#store?.close();
    this.#work.push(...this.#early.map((input) => ({ input })));
    this.#early = [];
    this.#end();
  }

  #setTimer(): void {
    clearTimeout(this.#timer);
    const { deadline } = this.#connection;
    if (deadline === undefined) return;
    const inMs = deadline - (performance.now() - this.#startedAt);
    // A timer may fire a little early; rounded up, its tick is never before the deadline.
    const timerMs = Math.min(Math.max(0, Math.ceil(inMs)), LONGEST_TIMER_MS);
    this.#timer = setTimeout(() => this.#give({ input: { kind: 'tick' } }), timerMs);
  }

  #showOutbox(): void {
    const shown = this.outbox.map(shownAs).join();
    if (shown === this.#outboxShown) return;
    this.#outboxShown = shown;
    for (const listener of this.#outboxListeners) listener();
  }
}

/** What of an item can change while it waits. */
function shownAs({ outgoing, state, refusal }: OutboxItem): string {
  return `${outgoing.client_id} ${state} ${refusal?.code}`;
}

async function owned(store: PersonStore): Promise<Input> {
  try {
    return { kind: 'outbox_owned', entries: await store.outbox.load() };
  } catch (error) {
    return { kind: 'outbox_failed', text: String(error) };
  }
}

function isLost({ frame }: Extract<Action, { kind: 'transmit' }>, lost: readonly LostStamp[]): boolean {
  if (frame.t !== 'request' || !('client_id' in frame.request)) return false;
  const { client_id } = frame.request;
  return lost.some((one) => one.client_id === client_id);
}

/** What the other tabs learn of it: the records that were written, and what became of the entries that are done. */
function news(records: OutboxRecord[], lost: readonly LostStamp[], actions: readonly Action[]): News {
  const written = records.filter(
    (record) => record.kind !== 'stamped' || !lost.some(({ client_id }) => client_id === record.client_id),
  );
  const done = new Set(written.flatMap((record) => (record.kind === 'done' ? [record.client_id] : [])));
  const updates = actions.flatMap((action): News['updates'] => {
    if (action.kind !== 'deliver') return [];
    const { update } = action;
    if (update.kind === 'sent') return done.has(update.sent.client_id) ? [update] : [];
    return update.kind === 'send_failed' && done.has(update.clientId) ? [update] : [];
  });
  return { records: written, updates };
}
