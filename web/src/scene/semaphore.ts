/** Work that must not all be under way at once: whoever comes later waits, in order. */

/** More work waits than a semaphore holds. */
export class QueueFull extends Error {
  override readonly name = "QueueFull";
}

export class Semaphore {
  #free: number;
  readonly #mostWaiting: number;
  readonly #waiting: (() => void)[] = [];

  constructor(atOnce: number, mostWaiting: number) {
    this.#free = atOnce;
    this.#mostWaiting = mostWaiting;
  }

  /** Rejects with QueueFull, and does not begin the work, when as much waits already as may. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else if (this.#waiting.length >= this.#mostWaiting) throw new QueueFull(`${this.#mostWaiting} pieces of work wait already`);
    else await new Promise<void>((go) => this.#waiting.push(go));
    try {
      return await work();
    } finally {
      // The turn is handed on, or given back.
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}
