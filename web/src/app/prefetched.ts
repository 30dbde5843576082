/** A request that is sent before anybody asks for its answer. */

/** A request that was sent already. */
export interface Prefetched<Asked extends unknown[], T> {
  /** Its first caller is given the answer that is on its way, or why there is none, whatever it asks; later ones ask anew. */
  readonly ask: (...asked: Asked) => Promise<T>;
  /** The first answer, if it has come. */
  readonly answer: () => T | null;
  /** When it has, or there is none. */
  readonly settled: Promise<unknown>;
}

export function prefetched<Asked extends unknown[], T>(
  ask: (...asked: Asked) => Promise<T>,
  ...first: Asked
): Prefetched<Asked, T> {
  let early: Promise<T> | null = ask(...first);
  let answer: T | null = null;
  const settled = early.then(
    (came) => (answer = came),
    () => undefined, // whoever asks hears of it; until then nobody has to
  );
  return {
    ask: (...asked) => {
      const given = early ?? ask(...asked);
      early = null;
      return given;
    },
    answer: () => answer,
    settled,
  };
}
