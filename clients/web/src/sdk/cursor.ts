// Where the client is in its spaces, kept over restarts of the program.

import type { Cursor } from './protocol.ts';

/**
 * Keeps the newest cursor. It is given one only after the application has dealt with every update before it (it has
 * asked for the next), so a tab that dies is sent again what it may not have kept; nothing is skipped.
 *
 * An application that keeps data of its own gives a store of its own, and writes the cursor where it writes the data.
 */
export interface CursorStore {
  /** The cursor of an earlier run. */
  load(): Promise<Cursor | undefined>;
  /** Keeps a cursor instead of the one before. A failure costs repeated events and no more. */
  keep(cursor: Cursor): Promise<void>;
}

/** For an application that keeps no data between runs: then it keeps no cursor either. */
export const NO_CURSOR: CursorStore = {
  load: async () => undefined,
  keep: async () => {},
};
