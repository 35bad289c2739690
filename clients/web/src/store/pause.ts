/** Does something once, a while after it was first asked for, however often it is asked for meanwhile. */
export class Pause {
  readonly #milliseconds: number;
  readonly #action: () => void;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(milliseconds: number, action: () => void) {
    this.#milliseconds = milliseconds;
    this.#action = action;
  }

  start(milliseconds = this.#milliseconds): void {
    this.#timer ??= setTimeout(() => this.now(), milliseconds);
  }

  /** Without waiting for the rest of the while; nothing when nothing was asked for. */
  now(): void {
    if (this.#timer === null) return;
    this.cancel();
    this.#action();
  }

  cancel(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
