/** The time, for words that grow old: components that show it are drawn anew every second, all at once. */

import { useSyncExternalStore } from "react";

const EVERY_MS = 1000;
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let now = Date.now();

function subscribe(changed: () => void): () => void {
  listeners.add(changed);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const listener of listeners) listener();
  }, EVERY_MS);
  return () => {
    listeners.delete(changed);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** ms UTC, at most a second old while anybody watches. */
export function useNow(): number {
  return useAsOfNow((nowMs) => nowMs);
}

/** What `say` makes of the time, kept current; the component is drawn anew only when that changes. */
export function useAsOfNow<T extends string | number | null>(say: (nowMs: number) => T): T {
  return useSyncExternalStore(subscribe, () => {
    if (timer === undefined) now = Math.floor(Date.now() / EVERY_MS) * EVERY_MS;
    return say(now);
  });
}
