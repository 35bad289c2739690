import type { Page } from 'playwright-core';

/** Everything that a page's origin keeps in a browser and script can see, by where it is kept. */
export interface Stored {
  readonly databases: Readonly<Record<string, unknown>>;
  readonly localStorage: Readonly<Record<string, string>>;
  readonly sessionStorage: Readonly<Record<string, string>>;
  readonly caches: Readonly<Record<string, readonly string[]>>;
}

export function storedIn(page: Page): Promise<Stored> {
  return page.evaluate(async () => {
    const answer = <Result>(request: IDBRequest<Result>): Promise<Result> =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    // Bytes and maps become nothing in JSON; what is looked for may be in them.
    const legible = (_key: string, value: unknown): unknown => {
      if (value instanceof Map) return [...value.entries()];
      if (value instanceof Set) return [...value.values()];
      if (value instanceof Uint8Array) return new TextDecoder().decode(value);
      return value;
    };
    const databases: Record<string, unknown> = {};
    for (const { name = '' } of await indexedDB.databases()) {
      const database = await answer(indexedDB.open(name));
      const rooms: Record<string, unknown> = {};
      for (const room of database.objectStoreNames) {
        const store = database.transaction(room).objectStore(room);
        const [keys, values] = await Promise.all([answer(store.getAllKeys()), answer(store.getAll())]);
        rooms[room] = JSON.parse(JSON.stringify({ keys, values }, legible));
      }
      database.close();
      databases[name] = rooms;
    }
    const kept: Record<string, string[]> = {};
    for (const name of await caches.keys()) {
      const requests = await (await caches.open(name)).keys();
      kept[name] = requests.map(({ url }) => new URL(url).pathname);
    }
    return {
      databases,
      localStorage: { ...localStorage },
      sessionStorage: { ...sessionStorage },
      caches: kept,
    };
  });
}
