// An outbox that lives as long as the program, for Node and for tests.

import type { CursorStore } from '../cursor.ts';
import {
  changed,
  clientIdOf,
  type Entry,
  type LostStamp,
  type OpenStore,
  type Outbox,
  type OutboxRecord,
  type PersonStore,
  type Tabs,
} from '../outbox.ts';
import type { ClientId, Cursor, PersonId } from '../protocol.ts';

/** Stores that a client leaves to the next one of the same program. */
export function memoryStores(): OpenStore {
  const stores = new Map<PersonId, PersonStore>();
  return async (person) => {
    const store = stores.get(person) ?? memoryStore(() => stores.delete(person));
    stores.set(person, store);
    return store;
  };
}

function memoryStore(forget: () => void): PersonStore {
  return {
    outbox: new MemoryOutbox(),
    cursor: new MemoryCursor(),
    tabs: ALONE,
    close: () => {},
    destroy: async () => forget(),
  };
}

/** Nobody else has the outbox. */
export const ALONE: Tabs = {
  whenOwner: (granted) => granted(),
  tell: () => {},
  whenTold: () => {},
};

class MemoryOutbox implements Outbox {
  readonly #entries = new Map<ClientId, Entry>();

  async load(): Promise<Entry[]> {
    return [...this.#entries.values()];
  }

  async write(records: readonly OutboxRecord[]): Promise<LostStamp[]> {
    return records.flatMap((record) => this.#apply(record));
  }

  #apply(record: OutboxRecord): LostStamp[] {
    const client_id = clientIdOf(record);
    const entry = this.#entries.get(client_id);
    const after = changed(entry, record);
    if (after === 'lost') return [entry ? { client_id, entry } : { client_id }];
    if (after) this.#entries.set(client_id, after);
    else this.#entries.delete(client_id);
    return [];
  }
}

class MemoryCursor implements CursorStore {
  #cursor: Cursor | undefined;

  async load(): Promise<Cursor | undefined> {
    return this.#cursor;
  }

  async keep(cursor: Cursor): Promise<void> {
    this.#cursor = cursor;
  }
}
