/** Something asked of the API: asked again every so often, the last good answer kept while a newer one is on its way. */

import { useEffect, useState } from "react";

export interface Polled<T> {
  readonly data: T | null;
  /** Why the last attempt gave nothing; null after one that did. */
  readonly problem: string | null;
}

/**
 * everyMs: how often; failures are retried at the same pace. `ask` must be stable: memoise it. known: an answer that came before
 * the page was built.
 */
export function usePolled<T>(ask: (signal: AbortSignal) => Promise<T>, everyMs: number, known: T | null = null): Polled<T> {
  const [answer, setAnswer] = useState<Polled<T>>({ data: known, problem: null });
  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const run = async (): Promise<void> => {
      try {
        const data = await ask(abort.signal);
        if (!abort.signal.aborted) {
          setAnswer((before) => (before.data === data && before.problem === null ? before : { data, problem: null }));
        }
      } catch (error) {
        if (abort.signal.aborted) return;
        setAnswer((before) => ({ ...before, problem: error instanceof Error ? error.message : String(error) }));
      }
      if (!abort.signal.aborted) timer = setTimeout(() => void run(), everyMs);
    };
    void run();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [ask, everyMs]);
  return answer;
}
