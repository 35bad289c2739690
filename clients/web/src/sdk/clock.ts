// The server's time as the client knows it.
//
// The device's own calendar is never used: it may be wrong by years. What counts is the time in `welcome` and how long
// ago that was by a clock that only runs forward.

import type { Timestamp } from './protocol.ts';

/** Milliseconds since any fixed moment, by a clock that only runs forward. */
export type Moment = number;

interface Estimate {
  local: Moment;
  server: Timestamp;
  errorMs: number;
}

export class ServerClock {
  #estimate: Estimate | undefined;

  /**
   * Learns that the server said `serverTime` at some moment between the two.
   *
   * The middle is taken, so the error is at most half the round trip. An earlier estimate with a smaller error stays,
   * unless the two contradict each other: then the device slept, or the server's clock was set, and the new one wins.
   */
  learn(askedAt: Moment, answeredAt: Moment, serverTime: Timestamp): void {
    const errorMs = Math.max(0, answeredAt - askedAt) / 2;
    const learned = { local: answeredAt, server: serverTime + errorMs, errorMs };
    const known = this.#estimate;
    if (!known || known.errorMs > errorMs || !agree(known, learned)) this.#estimate = learned;
  }

  /** The next thing learned replaces the estimate, whatever its error: the server found ours wrong. */
  distrust(): void {
    if (this.#estimate) this.#estimate.errorMs = Number.POSITIVE_INFINITY;
  }

  /** The server's time now; undefined before anything was learned. */
  now(local: Moment): Timestamp | undefined {
    return this.#estimate && Math.floor(at(this.#estimate, local));
  }
}

function at(estimate: Estimate, local: Moment): number {
  return estimate.server + Math.max(0, local - estimate.local);
}

function agree(known: Estimate, learned: Estimate): boolean {
  return Math.abs(at(known, learned.local) - learned.server) <= known.errorMs + learned.errorMs;
}
