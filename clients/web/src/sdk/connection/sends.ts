// The outbox in motion: what waits, what is under way, and what comes again when.

import { jitteredWait, type Random } from '../backoff.ts';
import type { Moment } from '../clock.ts';
import { mayPass } from '../errors.ts';
import { timeOfMessage } from '../ids.ts';
import { type Entry, type LostStamp, lane, type OutboxRecord, type Outgoing, type Stamp } from '../outbox.ts';
import type { ClientId, Refusal, Sent, Timestamp } from '../protocol.ts';
import type { SendPurpose } from './requests.ts';
import type { Seen } from './seen.ts';

/** The wait after `clock_ahead`: nodes are at most a second apart, and two ahead are allowed. */
const CLOCK_AHEAD_WAIT_MS = 1000;
/** The acknowledgements remembered. */
const ACKNOWLEDGED = 16;

/** What a refusal leads to: it goes out again; the same once the server's time is learned; it never will. */
export type Reaction = 'again' | 'learn_time' | 'give_up';

type Progress =
  /** Waits for its lane, a slot and a connection. */
  | { kind: 'ready' }
  /** Waits for the server's answer. */
  | { kind: 'under_way' }
  /** Waits for a moment. */
  | { kind: 'later'; at: Moment };

interface Sending {
  outgoing: Outgoing;
  stamp: Stamp | undefined;
  /** The time that the server refused, while there is none in its place. */
  refusedAt: Timestamp | undefined;
  progress: Progress;
  /** Refusals in a row that may pass. */
  tries: number;
  /** `clock_ahead` and `restamp` in a row. */
  stampsRefused: number;
  /** The next stamp is not below this: what `restamp` made void stays void. */
  above: Timestamp;
  lastRefusal: Refusal | undefined;
}

/** An entry as it is shown. `refusal` is why it waits, when the server said so. */
export interface OutboxItem {
  outgoing: Outgoing;
  state: 'queued' | 'sending';
  refusal?: Refusal;
}

/** An entry that goes out now, and what is to be stored before. */
export interface NextSend {
  outgoing: Outgoing;
  stamp: Stamp;
  record?: OutboxRecord;
}

export class Sends {
  #sendings: Sending[] = [];
  /** Whether this tab is the one that sends. */
  #owned = false;
  /** The latest acknowledged, for a caller who queues one again in the moment in which its answer comes. */
  readonly #acknowledged: Sent[] = [];

  get count(): number {
    return this.#sendings.length;
  }

  get items(): OutboxItem[] {
    return this.#sendings.map(({ outgoing, progress, lastRefusal }) => ({
      outgoing,
      state: progress.kind === 'under_way' ? 'sending' : 'queued',
      ...(lastRefusal && { refusal: lastRefusal }),
    }));
  }

  find(clientId: ClientId): Outgoing | undefined {
    return this.#sending(clientId)?.outgoing;
  }

  /** Adds an entry unless it is there. */
  add(entry: Entry): void {
    if (this.#sending(entry.outgoing.client_id)) return;
    this.#sendings.push({
      outgoing: entry.outgoing,
      stamp: entry.stamp,
      refusedAt: undefined,
      progress: { kind: 'ready' },
      tries: 0,
      stampsRefused: 0,
      above: 0,
      lastRefusal: undefined,
    });
  }

  /** This tab sends from now on, and these are what is stored. */
  own(entries: readonly Entry[]): void {
    const before = this.#sendings;
    this.#sendings = [];
    for (const entry of entries) {
      const known = before.find(({ outgoing }) => outgoing.client_id === entry.outgoing.client_id);
      if (known) this.#sendings.push({ ...known, stamp: entry.stamp });
      else this.add(entry);
    }
    this.#owned = true;
  }

  /** Another tab changed the outbox. */
  elsewhere(record: OutboxRecord): void {
    if (record.kind === 'queued') this.add({ outgoing: record.outgoing });
    else if (record.kind === 'done') this.remove(record.client_id);
    else this.#stampedElsewhere(record.client_id, record.stamp, record.replaces);
  }

  /** Another tab was first: what it has stored goes out, or nothing when it is done. */
  stampLost({ client_id, entry }: LostStamp): void {
    const sending = this.#sending(client_id);
    if (!entry) this.remove(client_id);
    else if (sending) Object.assign(sending, { stamp: entry.stamp, refusedAt: undefined, progress: { kind: 'ready' } });
  }

  /** Takes an entry out; undefined when there was none. */
  remove(clientId: ClientId): Outgoing | undefined {
    const sending = this.#sending(clientId);
    this.#sendings = this.#sendings.filter((other) => other !== sending);
    return sending?.outgoing;
  }

  /** Takes an entry out because it is stored; false when there was none. */
  acknowledge(sent: Sent): boolean {
    if (!this.remove(sent.client_id)) return false;
    this.#acknowledged.unshift(sent);
    this.#acknowledged.length = Math.min(this.#acknowledged.length, ACKNOWLEDGED);
    return true;
  }

  /** The acknowledgement of an entry that is out of the outbox only just now. */
  acknowledged(clientId: ClientId): Sent | undefined {
    return this.#acknowledged.find((sent) => sent.client_id === clientId);
  }

  /**
   * The next entry to transmit. Only the first of a lane goes, so that the order of a thread is the order in which it
   * was written.
   */
  next(now: Moment, serverNow: Timestamp, seen: Seen): NextSend | undefined {
    if (!this.#owned) return undefined;
    const lanes = new Set<string>();
    for (const sending of this.#sendings) {
      const itsLane = lane(sending.outgoing);
      const isFirst = !lanes.has(itsLane);
      lanes.add(itsLane);
      if (isFirst && isDue(sending.progress, now)) return begin(sending, serverNow, seen);
    }
    return undefined;
  }

  /** It goes out again as it is. */
  notUnderWay(clientId: ClientId): void {
    const sending = this.#sending(clientId);
    if (sending) sending.progress = { kind: 'ready' };
  }

  /** All that was under way goes out again on the next connection, with the same time. */
  connectionLost(): void {
    for (const sending of this.#sendings) {
      if (sending.progress.kind === 'under_way') sending.progress = { kind: 'ready' };
    }
  }

  /** The server refused it. */
  refused(now: Moment, { clientId, sentAt }: SendPurpose, refusal: Refusal, random: Random): Reaction {
    if (refusal.code === 'restamp' || refusal.code === 'clock_ahead') {
      return this.#stampRefused(now, clientId, sentAt, refusal);
    }
    if (!mayPass(refusal.code)) return 'give_up';
    this.againLater(now, clientId, refusal, random);
    return 'again';
  }

  /** It goes out again, with the same time, after the told wait or with jitter. */
  againLater(now: Moment, clientId: ClientId, refusal: Refusal, random: Random): void {
    const sending = this.#sending(clientId);
    if (!sending) return;
    const wait = refusal.retry_after_ms ?? jitteredWait(sending.tries, random);
    sending.tries += 1;
    sending.stampsRefused = 0;
    sending.lastRefusal = refusal;
    sending.progress = { kind: 'later', at: now + wait };
  }

  /** Whose moment has come waits only for its lane and a slot from now on: it needs no further tick. */
  wake(now: Moment): void {
    for (const sending of this.#sendings) {
      if (isDue(sending.progress, now)) sending.progress = { kind: 'ready' };
    }
  }

  get deadline(): Moment {
    return Math.min(...this.#sendings.flatMap(({ progress }) => (progress.kind === 'later' ? [progress.at] : [])));
  }

  /** Nothing is stored under the time that it had, and never will be: it gets another. */
  #stampRefused(now: Moment, clientId: ClientId, sentAt: Timestamp, refusal: Refusal): Reaction {
    const sending = this.#sending(clientId);
    if (!sending) return 'again';
    if (sending.stamp?.sent_at !== sentAt) {
      // Another tab has given it another time meanwhile; the verdict is not about that one.
      sending.progress = { kind: 'ready' };
      return 'again';
    }
    sending.refusedAt = sentAt;
    sending.stamp = undefined;
    sending.stampsRefused += 1;
    if (refusal.code === 'restamp') sending.above = sentAt + 1;
    const wait = refusal.code === 'restamp' ? 0 : (refusal.retry_after_ms ?? CLOCK_AHEAD_WAIT_MS);
    sending.progress = { kind: 'later', at: now + wait };
    if (sending.stampsRefused < 2) return 'again';
    sending.stampsRefused = 0;
    return 'learn_time';
  }

  /** Only in place of the one that this tab knows: news may be older than what it has read from the disk. */
  #stampedElsewhere(clientId: ClientId, stamp: Stamp, replaces: Timestamp | undefined): void {
    const sending = this.#sending(clientId);
    if (!sending || (sending.stamp?.sent_at ?? sending.refusedAt) !== replaces) return;
    sending.stamp = stamp;
    sending.refusedAt = undefined;
  }

  #sending(clientId: ClientId): Sending | undefined {
    return this.#sendings.find(({ outgoing }) => outgoing.client_id === clientId);
  }
}

function isDue(progress: Progress, now: Moment): boolean {
  return progress.kind === 'ready' || (progress.kind === 'later' && now >= progress.at);
}

function begin(sending: Sending, serverNow: Timestamp, seen: Seen): NextSend {
  const { outgoing } = sending;
  sending.progress = { kind: 'under_way' };
  if (sending.stamp) return { outgoing, stamp: sending.stamp };
  const stamp = newStamp(sending, serverNow, seen);
  const replaces = sending.refusedAt === undefined ? {} : { replaces: sending.refusedAt };
  sending.stamp = stamp;
  sending.refusedAt = undefined;
  return { outgoing, stamp, record: { kind: 'stamped', client_id: outgoing.client_id, stamp, ...replaces } };
}

function newStamp(sending: Sending, serverNow: Timestamp, seen: Seen): Stamp {
  const sent_at = Math.max(serverNow, sending.above, floor(sending.outgoing, seen));
  const membership_version =
    sending.outgoing.op === 'send_message' ? seen.membershipVersion(sending.outgoing.thread) : undefined;
  return membership_version === undefined ? { sent_at } : { sent_at, membership_version };
}

/** The lowest time that a send may have: above all that it can be an answer to. */
function floor(outgoing: Outgoing, seen: Seen): Timestamp {
  switch (outgoing.op) {
    case 'send_message':
      return Math.max(seen.above(outgoing.thread), outgoing.reply_to ? timeOfMessage(outgoing.reply_to) + 1 : 0);
    case 'start_thread':
      return 0;
    case 'reply_to_sender':
      return Math.max(seen.above(outgoing.thread), timeOfMessage(outgoing.message) + 1);
  }
}
