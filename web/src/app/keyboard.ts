/** Keys of a page: one listener, silent while something is typed or a dialog is open. */

import { useEffect, useRef } from "react";

export type Keys = Readonly<Partial<Record<string, (event: KeyboardEvent) => void>>>;

/** "ArrowLeft", "Shift+ArrowLeft", "l", "?": letters in lower case, Shift named only with keys that do not change by it. */
export function keyName(event: Pick<KeyboardEvent, "key" | "shiftKey">): string {
  const { key } = event;
  if (key.length === 1) return key.toLowerCase();
  return event.shiftKey ? `Shift+${key}` : key;
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement;
}

export function useKeys(keys: Keys): void {
  const current = useRef(keys);
  useEffect(() => {
    current.current = keys;
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || isTyping(event.target)) return;
      if (document.querySelector("dialog[open]") !== null) return;
      const act = current.current[keyName(event)];
      if (act === undefined) return;
      // Space and Enter belong to the button or link that has the focus.
      if ((event.key === " " || event.key === "Enter") && event.target instanceof Element && event.target.closest("button, a"))
        return;
      event.preventDefault();
      act(event);
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}
