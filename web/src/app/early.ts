/** Asking before anybody wants to know. */

/**
 * `ask`, asked already: its first caller is given the answer that is on its way, or why there is none, whatever he asks;
 * later ones ask anew.
 */
export function askedEarly<Asked extends unknown[], T>(
  ask: (...asked: Asked) => Promise<T>,
  ...first: Asked
): (...asked: Asked) => Promise<T> {
  let early: Promise<T> | null = ask(...first);
  // Whoever takes it hears of it; until then nobody has to.
  early.catch(() => undefined);
  return (...asked) => {
    const answer = early ?? ask(...asked);
    early = null;
    return answer;
  };
}
