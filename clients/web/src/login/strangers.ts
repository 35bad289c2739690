import { databaseName, forgetPerson } from '../sdk/index.ts';
import { forgetSnapshot, SNAPSHOT_PREFIX } from '../store/keeping.ts';

const OUTBOX_PREFIX = databaseName('');
const OUTBOX = 'outbox';

/**
 * Deletes what is left of those who closed the tab without logging out on a device that is not theirs. Only what waits
 * to be sent stays, for its writer to come back to; and nothing is touched of whom another tab shows right now.
 */
export async function forgetStrangers(known: readonly (string | null | undefined)[]): Promise<void> {
  if (!navigator.locks || !indexedDB.databases) return;
  const [databases, locks] = await Promise.all([indexedDB.databases(), navigator.locks.query()]);
  const inUse = new Set(locks.held?.map((lock) => lock.name));
  for (const { name = '' } of databases) {
    const person = personOf(name);
    if (person === null || known.includes(person) || inUse.has(databaseName(person))) continue;
    if (name.startsWith(SNAPSHOT_PREFIX)) await forgetSnapshot(person);
    else if (await isEmpty(name)) await forgetPerson(person);
  }
}

function personOf(database: string): string | null {
  for (const prefix of [SNAPSHOT_PREFIX, OUTBOX_PREFIX]) {
    if (database.startsWith(prefix)) return database.slice(prefix.length);
  }
  return null;
}

function isEmpty(name: string): Promise<boolean> {
  return new Promise((resolve) => {
    const opening = indexedDB.open(name);
    opening.onerror = () => resolve(false);
    opening.onsuccess = () => {
      const database = opening.result;
      database.onversionchange = () => database.close();
      if (!database.objectStoreNames.contains(OUTBOX)) return close(database, true);
      const counting = database.transaction(OUTBOX).objectStore(OUTBOX).count();
      counting.onsuccess = () => close(database, counting.result === 0);
      counting.onerror = () => close(database, false);
    };
    const close = (database: IDBDatabase, answer: boolean) => {
      database.close();
      resolve(answer);
    };
  });
}
