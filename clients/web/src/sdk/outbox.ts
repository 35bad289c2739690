// The outbox: what is to be sent and not yet acknowledged, kept over the death of the program.
//
// A message is stored before the application hears that it was taken, and its `sent_at` is stored before its first
// transmission. So whatever dies, it is sent again with the same client id and the same `sent_at`, and the server
// recognises it.

import type { CursorStore } from './cursor.ts';
import { PARTS, TEXT_BYTES } from './limits.ts';
import type {
  ClientId,
  Part,
  PersonId,
  ReplyToSender,
  Request,
  SendMessage,
  StartThread,
  Timestamp,
} from './protocol.ts';
import type { Update } from './updates.ts';

/** The most messages that may wait. A person who writes offline for a day stays far below it. */
export const OUTBOX_ENTRIES = 1000;

/** What an outbox can hold: the requests that write a message, before their time is fixed. */
export type Outgoing =
  | Omit<SendMessage, 'sent_at' | 'membership_version'>
  | Omit<StartThread, 'sent_at'>
  | Omit<ReplyToSender, 'sent_at'>;

/** What is fixed before the first transmission, and the same on every retry. */
export interface Stamp {
  sent_at: Timestamp;
  membership_version?: number;
}

/** A message in the outbox. Without a stamp it was never transmitted. */
export interface Entry {
  outgoing: Outgoing;
  stamp?: Stamp;
}

/** A change of the outbox. */
export type OutboxRecord =
  | { kind: 'queued'; outgoing: Outgoing }
  /** `replaces` is the stamp's time that the server refused; without it, this is the first stamp. */
  | { kind: 'stamped'; client_id: ClientId; stamp: Stamp; replaces?: Timestamp }
  /** Acknowledged, or refused for good. */
  | { kind: 'done'; client_id: ClientId };

/** Another tab was first: it has stamped the entry, or is done with it (then there is no entry). */
export interface LostStamp {
  client_id: ClientId;
  entry?: Entry;
}

/** Where the entries are kept. */
export interface Outbox {
  /** What waits, in order. */
  load(): Promise<Entry[]>;
  /** Writes all or nothing, and says which stamps were not written because another tab's stands. */
  write(records: readonly OutboxRecord[]): Promise<LostStamp[]>;
}

/** What one tab tells the others of the same person. */
export interface News {
  records: OutboxRecord[];
  updates: Extract<Update, { kind: 'sent' | 'send_failed' }>[];
}

/** The tabs of one person: one of them sends, and all of them know. */
export interface Tabs {
  /** Calls back once this tab is the one that sends: now, or when the one before it is closed. */
  whenOwner(granted: () => void): void;
  tell(news: News): void;
  whenTold(told: (news: News) => void): void;
}

/** All that is kept of one person. */
export interface PersonStore {
  outbox: Outbox;
  cursor: CursorStore;
  tabs: Tabs;
  /** Lets go: another tab may send, another client may open it. */
  close(): void;
  /** Deletes everything, also what waits to be sent. */
  destroy(): Promise<void>;
}

/** Opens what is kept of a person. */
export type OpenStore = (person: PersonId) => Promise<PersonStore>;

/** Sends of one lane go one after the other, so that they arrive in the order in which they were written. */
export function lane(outgoing: Outgoing): string {
  switch (outgoing.op) {
    case 'send_message':
      return outgoing.thread;
    case 'start_thread':
      return outgoing.client_id;
    case 'reply_to_sender':
      // Which thread they end in is the server's to say, so all wait for each other.
      return 'replies';
  }
}

/** The request, the same at every try. */
export function requestOf(outgoing: Outgoing, stamp: Stamp): Request {
  return { ...outgoing, ...stamp };
}

/** What is wrong with what a message says; undefined when nothing is. */
export function wrongParts(parts: readonly Part[]): string | undefined {
  if (parts.length === 0) return 'a message needs at least one part';
  if (parts.length > PARTS) return `more than ${PARTS} parts`;
  let bytes = 0;
  for (const part of parts) {
    if (part.kind !== 'text') return 'a part of a kind that can not be sent';
    if (part.text.trim() === '') return 'a text part is empty';
    if (part.text.includes('\0')) return 'a text part contains a NUL character';
    bytes += new TextEncoder().encode(part.text).length;
  }
  return bytes > TEXT_BYTES ? `more than ${TEXT_BYTES} bytes of text` : undefined;
}

/** Applies a record to the stored entries; what every kind of outbox does. */
export function changed(entry: Entry | undefined, record: OutboxRecord): Entry | undefined | 'lost' {
  switch (record.kind) {
    case 'queued':
      return entry ?? { outgoing: record.outgoing };
    case 'stamped':
      if (!entry || entry.stamp?.sent_at !== record.replaces) return 'lost';
      return { ...entry, stamp: record.stamp };
    case 'done':
      return undefined;
  }
}

export function clientIdOf(record: OutboxRecord): ClientId {
  return record.kind === 'queued' ? record.outgoing.client_id : record.client_id;
}
