import 'fake-indexeddb/auto';
import { describe, expect, it } from 'vitest';
import { forgetSnapshot, Keeping } from './keeping.ts';
import { id } from './sample.ts';
import type { Snapshot } from './snapshot.ts';

const PERSON = id('bbbb', 1);
const snapshot: Snapshot = {
  version: 1,
  me: { person: PERSON, profiles: [] },
  summaries: [],
  isWholeInbox: true,
  isInboxBehind: false,
  people: [],
  conversations: [],
  drafts: [],
  failed: [],
  cursor: null,
};

describe('what is kept', () => {
  it('is there in the next run, together with the cursor that covers it', async () => {
    const before = new Keeping(PERSON, () => snapshot);
    await before.keep(new Uint8Array([1, 2, 3]));
    const after = new Keeping(PERSON, () => snapshot);
    expect((await after.load())?.isWholeInbox).toBe(true);
    expect(after.cursor).toEqual(new Uint8Array([1, 2, 3]));
  });

  it('has no cursor without data', async () => {
    const keeping = new Keeping(id('bbbb', 2), () => null);
    await keeping.keep(new Uint8Array([1]));
    const after = new Keeping(id('bbbb', 2), () => null);
    expect(await after.load()).toBeNull();
    expect(after.cursor).toBeUndefined();
  });

  it('is gone when it is forgotten, whoever has it open', async () => {
    const keeping = new Keeping(PERSON, () => snapshot);
    await keeping.load();
    await forgetSnapshot(PERSON);
    expect((await indexedDB.databases()).map(({ name }) => name)).not.toContain(`samtale-kept-${PERSON}`);
  });
});
