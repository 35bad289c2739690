// What the application is told, in order, and the cursor between: it is kept once the application has dealt with all
// that came before it, which it says by asking for the next.

import type { Cursor } from '../protocol.ts';
import type { Update } from '../updates.ts';

/** The updates that may wait for the application. Beyond, the client takes no more and resumes later. */
export const UPDATES_WAITING = 4096;

type Delivery = { kind: 'update'; update: Update } | { kind: 'cursor'; cursor: Cursor };

/** The updates, to be read with `for await`. Leaving the loop means that the application wants to hear no more. */
export class Updates implements AsyncIterableIterator<Update, undefined> {
  #deliveries: Delivery[] = [];
  #keepCursor: (cursor: Cursor) => Promise<void>;
  #arrived: () => void = () => {};
  /** One taker at a time, so that a cursor never overtakes. */
  #turn: Promise<unknown> = Promise.resolve();
  #isOver = false;

  constructor(keepCursor: (cursor: Cursor) => Promise<void>) {
    this.#keepCursor = keepCursor;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#deliveries.length;
  }

  push(delivery: Delivery): void {
    if (this.#isOver) return;
    this.#deliveries.push(delivery);
    this.#arrived();
  }

  next(): Promise<IteratorResult<Update, undefined>> {
    const next = this.#turn.then(() => this.#take());
    this.#turn = next;
    return next;
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#isOver = true;
    this.#deliveries = [];
    this.#arrived();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #take(): Promise<IteratorResult<Update, undefined>> {
    while (!this.#isOver || this.#deliveries.length > 0) {
      const delivery = this.#deliveries.shift();
      if (delivery?.kind === 'update') return this.#given(delivery.update);
      if (delivery) await this.#keepCursor(delivery.cursor);
      else await new Promise<void>((arrived) => this.#wait(arrived));
    }
    return { done: true, value: undefined };
  }

  #given(update: Update): IteratorResult<Update, undefined> {
    if (update.kind === 'stopped') this.#isOver = true;
    return { done: false, value: update };
  }

  #wait(arrived: () => void): void {
    this.#arrived = arrived;
  }
}
