import 'fake-indexeddb/auto';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { databaseName, indexedDbStores } from '../sdk/index.ts';
import { Keeping } from '../store/keeping.ts';
import { id, THREAD } from '../store/sample.ts';
import { forgetStrangers } from './strangers.ts';

const [OWN, LEFT, WRITES, OPEN] = [id('bbbb', 1), id('bbbb', 2), id('bbbb', 3), id('bbbb', 4)] as const;
const names = async () => (await indexedDB.databases()).map(({ name }) => name).sort();

/** A person's outbox as a tab leaves it that is closed. */
async function outboxOf(person: string, words: readonly string[]): Promise<void> {
  const store = await indexedDbStores({ locks: null })(person);
  for (const text of words) {
    const parts = [{ kind: 'text' as const, text }];
    const outgoing = { op: 'send_message' as const, client_id: id('4444', 1), thread: THREAD, parts };
    await store.outbox.write([{ kind: 'queued', outgoing }]);
  }
  store.close();
}

beforeEach(() => {
  vi.stubGlobal('navigator', { locks: { query: async () => ({ held: [{ name: databaseName(OPEN) }] }) } });
});

describe('on a device that others used', () => {
  it('nothing stays of who closed the tab, save what waits to be sent', async () => {
    for (const person of [OWN, LEFT, OPEN]) await outboxOf(person, []);
    await outboxOf(WRITES, ['Hej']);
    const keeping = new Keeping(LEFT, () => null);
    await keeping.load();
    await forgetStrangers([OWN, undefined]);
    expect(await names()).toEqual([OWN, WRITES, OPEN].map(databaseName));
  });
});
