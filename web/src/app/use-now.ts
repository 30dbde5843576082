/** The time, for words that grow old: components that show it are drawn anew every second, all at once. */

import { useSyncExternalStore } from "react";
import { Ticker } from "./ticker";

const seconds = new Ticker(1000);

/** ms UTC, at most a second old while anybody watches. */
export function useNow(): number {
  return useAsOfNow((nowMs) => nowMs);
}

/** What `say` makes of the time, kept current; the component is drawn anew only when that changes. */
export function useAsOfNow<T extends string | number | null>(say: (nowMs: number) => T): T {
  return useSyncExternalStore(seconds.subscribe, () => say(seconds.nowMs));
}
