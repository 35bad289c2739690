// What is kept: one suite for every kind of outbox, and what only a browser's has.

import 'fake-indexeddb/auto';
import { describe, expect, it } from 'vitest';
import { NO_CURSOR } from '../cursor.ts';
import { newId } from '../ids.ts';
import { databaseName, forgetPerson, indexedDbStores } from '../outbox/indexed_db.ts';
import { memoryStores } from '../outbox/memory.ts';
import { browserTabs } from '../outbox/tabs.ts';
import { type Entry, type OpenStore, wrongParts } from '../outbox.ts';
import { locksOfOneBrowser } from './locks.ts';
import { id, outgoing } from './scene.ts';

const kinds: Record<string, () => OpenStore> = {
  'in memory': memoryStores,
  'in IndexedDB': () => indexedDbStores({ keepCursor: true, locks: null }),
};

for (const [kind, open] of Object.entries(kinds)) {
  describe(`an outbox ${kind}`, () => {
    it('gives back what waits, in the order of writing, after a program has died', async () => {
      const [stores, person] = [open(), newId()];
      const store = await stores(person);
      const stamp = { sent_at: 7, membership_version: 2 };
      await store.outbox.write([
        { kind: 'queued', outgoing: outgoing(1, 9) },
        { kind: 'queued', outgoing: outgoing(1, 3) },
        { kind: 'queued', outgoing: outgoing(2, 5) },
      ]);
      await store.outbox.write([
        { kind: 'done', client_id: id(9) },
        { kind: 'stamped', client_id: id(3), stamp },
      ]);
      store.close();
      const expected: Entry[] = [{ outgoing: outgoing(1, 3), stamp }, { outgoing: outgoing(2, 5) }];
      expect(await (await stores(person)).outbox.load()).toEqual(expected);
    });

    it('writes a stamp only where none stands, or the one that it replaces', async () => {
      const { outbox } = await open()(newId());
      await outbox.write([{ kind: 'queued', outgoing: outgoing(1, 1) }]);
      const stamped = { kind: 'stamped', client_id: id(1) } as const;
      expect(await outbox.write([{ ...stamped, stamp: { sent_at: 5 } }])).toEqual([]);
      const stands = { outgoing: outgoing(1, 1), stamp: { sent_at: 5 } };
      const lost = [{ client_id: id(1), entry: stands }];
      expect(await outbox.write([{ ...stamped, stamp: { sent_at: 6 } }])).toEqual(lost);
      expect(await outbox.write([{ ...stamped, stamp: { sent_at: 6 }, replaces: 4 }])).toEqual(lost);
      expect(await outbox.write([{ ...stamped, stamp: { sent_at: 6 }, replaces: 5 }])).toEqual([]);
      await outbox.write([{ kind: 'done', client_id: id(1) }]);
      expect(await outbox.write([{ ...stamped, stamp: { sent_at: 7 } }])).toEqual([{ client_id: id(1) }]);
    });

    it('keeps the newest cursor, apart for each person, and nothing after it is destroyed', async () => {
      const [stores, person] = [open(), newId()];
      const store = await stores(person);
      await store.cursor.keep(Uint8Array.of(1));
      await store.cursor.keep(Uint8Array.of(2));
      await store.outbox.write([{ kind: 'queued', outgoing: outgoing(1, 1) }]);
      expect(await store.cursor.load()).toEqual(Uint8Array.of(2));
      expect(await (await stores(newId())).cursor.load()).toBeUndefined();
      await store.destroy();
      const fresh = await stores(person);
      expect(await fresh.cursor.load()).toBeUndefined();
      expect(await fresh.outbox.load()).toEqual([]);
    });
  });
}

describe('in a browser', () => {
  it('no cursor is kept unless the application keeps its data too', async () => {
    const store = await indexedDbStores({ locks: null })(newId());
    expect(store.cursor).toBe(NO_CURSOR);
  });

  it('a person is forgotten also while another tab has their database open', async () => {
    const person = newId();
    await indexedDbStores({ locks: null })(person);
    await forgetPerson(person);
    const names = (await indexedDB.databases()).map(({ name }) => name);
    expect(names).not.toContain(databaseName(person));
  });

  it('one tab at a time owns the sending, and the next takes over when it closes', async () => {
    const locks = locksOfOneBrowser();
    const name = newId();
    const [first, second] = [browserTabs(name, locks), browserTabs(name, locks)];
    const owners: string[] = [];
    await new Promise<void>((resolve) => first.whenOwner(() => resolve(void owners.push('first'))));
    const secondOwns = new Promise<void>((resolve) => second.whenOwner(() => resolve(void owners.push('second'))));
    await locks.query();
    expect(owners).toEqual(['first']);
    first.close();
    await secondOwns;
    second.close();
    expect(owners).toEqual(['first', 'second']);
  });
});

it('what cannot be a message is said to be none', () => {
  const text = (of: string) => ({ kind: 'text' as const, text: of });
  expect(wrongParts([text('hej')])).toBeUndefined();
  expect(wrongParts([text('å'.repeat(8192))])).toBeUndefined();
  for (const parts of [
    [],
    [text(' \n')],
    [text('a\0')],
    [text('å'.repeat(8193))],
    [{ kind: 'unknown' as const }],
    Array.from({ length: 17 }, () => text('a')),
  ]) {
    expect(wrongParts(parts)).toBeTypeOf('string');
  }
});
