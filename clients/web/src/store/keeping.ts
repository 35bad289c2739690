import type { Cursor, PersonId } from '../sdk/protocol.ts';
import type { Snapshot } from './snapshot.ts';

/** What the names of these databases begin with; the person follows. */
export const SNAPSHOT_PREFIX = 'samtale-kept-';
const ROOM = 'kept';
const KEY = 'newest';

/** Where the snapshot of a person is kept: a database of their own, so that it can be deleted as one. */
export class Keeping {
  readonly #person: PersonId;
  readonly #snapshot: () => Snapshot | null;
  #cursor: Cursor | null = null;
  #database: Promise<IDBDatabase> | null = null;

  /** `snapshot` gives what is to be kept, as it is at that moment; its cursor is set here. */
  constructor(person: PersonId, snapshot: () => Snapshot | null) {
    this.#person = person;
    this.#snapshot = snapshot;
  }

  /** What an earlier run kept. Something unreadable is nothing: it is all on the server. */
  async load(): Promise<Snapshot | null> {
    const database = await this.#open();
    const read = database.transaction(ROOM).objectStore(ROOM).get(KEY);
    const snapshot = (await answered(read)) as Snapshot | undefined;
    if (snapshot?.version !== 1) return null;
    this.#cursor = snapshot.cursor;
    return snapshot;
  }

  get cursor(): Cursor | undefined {
    return this.#cursor ?? undefined;
  }

  /** Keeps the newest cursor together with what it covers. */
  async keep(cursor: Cursor): Promise<void> {
    this.#cursor = cursor;
    await this.write();
  }

  /** Keeps what is known now. An older cursor beside newer data only makes some events come twice. */
  async write(): Promise<void> {
    const snapshot = this.#snapshot();
    if (!snapshot) return;
    const database = await this.#open();
    const writing = database.transaction(ROOM, 'readwrite');
    await answered(writing.objectStore(ROOM).put({ ...snapshot, cursor: this.#cursor }, KEY));
  }

  async destroy(): Promise<void> {
    (await this.#database)?.close();
    this.#database = null;
    await deleteDatabase(SNAPSHOT_PREFIX + this.#person);
  }

  #open(): Promise<IDBDatabase> {
    this.#database ??= openDatabase(SNAPSHOT_PREFIX + this.#person);
    return this.#database;
  }
}

/** Deletes what is kept of a person, whoever is logged in now. */
export function forgetSnapshot(person: PersonId): Promise<void> {
  return deleteDatabase(SNAPSHOT_PREFIX + person);
}

function openDatabase(name: string): Promise<IDBDatabase> {
  const opening = indexedDB.open(name, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(ROOM);
  return answered(opening).then((database) => {
    // Another tab logs out and deletes it: let go, so that nothing stays.
    database.onversionchange = () => database.close();
    return database;
  });
}

async function deleteDatabase(name: string): Promise<void> {
  await answered(indexedDB.deleteDatabase(name));
}

function answered<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('the database did not answer'));
  });
}
