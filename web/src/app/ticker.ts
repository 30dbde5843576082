/** One timer for all that grows old on a page: it runs while anybody listens. */

export class Ticker {
  readonly #everyMs: number;
  readonly #listeners = new Set<() => void>();
  #nowMs = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  /** ms UTC of the last tick, the same for everybody who asks until the next one. */
  get nowMs(): number {
    if (this.#timer === undefined) this.#nowMs = Math.floor(Date.now() / this.#everyMs) * this.#everyMs;
    return this.#nowMs;
  }

  /** Calls `tick` every so often, together with everybody else; returns how to stop. */
  readonly subscribe = (tick: () => void): (() => void) => {
    this.#listeners.add(tick);
    this.#nowMs = this.nowMs;
    this.#timer ??= setInterval(() => {
      this.#nowMs = Date.now();
      for (const listener of this.#listeners) listener();
    }, this.#everyMs);
    return () => {
      this.#listeners.delete(tick);
      if (this.#listeners.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  };
}
