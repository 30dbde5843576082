/** Which tiles are pinned: a matter of this browser, kept in it. */

const KEY = "privet.pins";

export function readPins(): ReadonlySet<string> {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return new Set(Array.isArray(stored) ? stored.filter((each) => typeof each === "string") : []);
  } catch {
    // Not ours, or storage is closed to us: nothing is pinned.
    return new Set();
  }
}

export function writePins(pins: ReadonlySet<string>): void {
  try {
    localStorage.setItem(KEY, JSON.stringify([...pins]));
  } catch {
    // Full or closed: the pins last as long as the page.
  }
}
