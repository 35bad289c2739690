// What is kept of a person in a browser: a database of their own, so that it can be deleted as one.

import { type DBSchema, deleteDB, type IDBPDatabase, type IDBPTransaction, openDB } from 'idb';
import { type CursorStore, NO_CURSOR } from '../cursor.ts';
import {
  changed,
  clientIdOf,
  type Entry,
  type LostStamp,
  type OpenStore,
  type Outbox,
  type OutboxRecord,
  type PersonStore,
} from '../outbox.ts';
import type { ClientId, Cursor, PersonId } from '../protocol.ts';
import { browserTabs } from './tabs.ts';

const VERSION = 1;
const CURSOR_KEY = 'newest';

/** In the order of their places, which is that of writing. */
interface Row {
  place?: number;
  client_id: ClientId;
  entry: Entry;
}

interface Schema extends DBSchema {
  outbox: { key: number; value: Row; indexes: { client_id: ClientId } };
  cursor: { key: string; value: Cursor };
}

type Database = IDBPDatabase<Schema>;
type Writing = IDBPTransaction<Schema, ['outbox'], 'readwrite'>;

export interface IndexedDbOptions {
  /** Keep the cursor too: only for an application that keeps its data over runs, and has it before the next update. */
  keepCursor?: boolean;
  /** The browser's unless said; null for none. */
  locks?: LockManager | null;
}

/** The name of a person's database. */
export function databaseName(person: PersonId): string {
  return `samtale-${person}`;
}

export function indexedDbStores({ keepCursor = false, locks }: IndexedDbOptions = {}): OpenStore {
  return async (person) => {
    const name = databaseName(person);
    const database = await open(name);
    const tabs = browserTabs(name, locks);
    const close = () => {
      tabs.close();
      database.close();
    };
    return {
      outbox: outboxIn(database),
      cursor: keepCursor ? cursorIn(database) : NO_CURSOR,
      tabs,
      close,
      destroy: async () => {
        close();
        await deleteDB(name);
      },
    } satisfies PersonStore;
  };
}

/** Deletes what is kept of a person whom no client of this tab is. */
export async function forgetPerson(person: PersonId): Promise<void> {
  await deleteDB(databaseName(person));
}

async function open(name: string): Promise<Database> {
  const database: Database = await openDB<Schema>(name, VERSION, {
    upgrade(fresh) {
      const outbox = fresh.createObjectStore('outbox', { keyPath: 'place', autoIncrement: true });
      outbox.createIndex('client_id', 'client_id', { unique: true });
      fresh.createObjectStore('cursor');
    },
    // Another tab logs out and deletes it: nothing of the person stays.
    blocking: () => database.close(),
  });
  return database;
}

function outboxIn(database: Database): Outbox {
  return {
    load: async () => (await database.getAll('outbox')).map((row) => row.entry),
    async write(records) {
      const writing = database.transaction('outbox', 'readwrite', { durability: 'strict' });
      const lost: LostStamp[] = [];
      for (const record of records) {
        const isLost = await apply(writing, record);
        if (isLost) lost.push(isLost);
      }
      await writing.done;
      return lost;
    },
  };
}

async function apply(writing: Writing, record: OutboxRecord): Promise<LostStamp | undefined> {
  const outbox = writing.objectStore('outbox');
  const client_id = clientIdOf(record);
  const row = await outbox.index('client_id').get(client_id);
  const after = changed(row?.entry, record);
  if (after === 'lost') return row ? { client_id, entry: row.entry } : { client_id };
  if (after) await outbox.put({ ...row, client_id, entry: after });
  else if (row?.place !== undefined) await outbox.delete(row.place);
  return undefined;
}

function cursorIn(database: Database): CursorStore {
  return {
    load: () => database.get('cursor', CURSOR_KEY),
    keep: async (cursor) => {
      await database.put('cursor', cursor, CURSOR_KEY);
    },
  };
}
