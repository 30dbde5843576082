/** Part of a store's value, in a component. */

import { useSyncExternalStore } from "react";
import type { Store } from "./store";

/** The component is drawn anew only when that part changes. Parts must be primitive. */
export function usePart<T, P extends string | number | boolean | null>(
  store: Pick<Store<T>, "get" | "subscribe">,
  part: (value: T) => P,
): P {
  return useSyncExternalStore(store.subscribe, () => part(store.get()));
}
