/** One animation frame for everything that is drawn: whoever is dirty draws once, together, when the browser is ready for it. */

/**
 * Small pictures are drawn together, so far apart: where a processor draws, a frame with anything new in it costs as much for one
 * tile as for ten, and a cover holds for a fifth of a second.
 */
export const TOGETHER_EVERY_MS = 60;

/** The part of the browser that is used. */
export interface FramePorts {
  readonly frame: (run: (nowMs: number) => void) => void;
  readonly later: (run: () => void, delayMs: number) => void;
}

const BROWSER: FramePorts = {
  frame: (run) => requestAnimationFrame(run),
  later: (run, delayMs) => setTimeout(run, delayMs),
};

/** Whoever draws in the same frames; these are at least `everyMs` apart. Each waits once, however often it asks. */
export class FrameScheduler {
  readonly #everyMs: number;
  readonly #ports: FramePorts;
  readonly #waiting = new Set<() => void>();
  #asked = false;
  #lastMs = -Infinity;

  constructor(everyMs: number, ports: FramePorts = BROWSER) {
    this.#everyMs = everyMs;
    this.#ports = ports;
  }

  /** Draw in the next of these frames; asking again before that changes nothing. Returns how to take it back. */
  add(draw: () => void): () => void {
    this.#waiting.add(draw);
    if (!this.#asked) {
      this.#asked = true;
      this.#ports.frame(this.#run);
    }
    return () => this.#waiting.delete(draw);
  }

  readonly #run = (nowMs: number): void => {
    const waitMs = this.#lastMs + this.#everyMs - nowMs;
    if (waitMs > 0) {
      // Not by asking frame after frame: each that is asked for is one that the browser makes.
      this.#ports.later(() => this.#ports.frame(this.#run), waitMs);
      return;
    }
    this.#asked = false;
    this.#lastMs = nowMs;
    const now = [...this.#waiting];
    this.#waiting.clear();
    for (const draw of now) draw();
  };
}
