/** Addresses of the pages. Every state that is worth sharing stands in the address; nothing else does. */

import { useSyncExternalStore } from "react";

export type Route =
  | { readonly page: "wall" }
  | { readonly page: "camera"; readonly camera: string; readonly atMs: number | null; readonly spanMs: number | null }
  | { readonly page: "commission"; readonly camera: string }
  | { readonly page: "system" }
  | { readonly page: "unknown" };

export function parseRoute(path: string, search: string): Route {
  const parts = path.split("/").filter((part) => part !== "");
  const [first, second] = parts;
  if (first === undefined) return { page: "wall" };
  if (first === "system" && parts.length === 1) return { page: "system" };
  if (first === "camera" && second !== undefined && parts.length === 2) {
    const query = new URLSearchParams(search);
    return {
      page: "camera",
      camera: decodeSafely(second),
      atMs: wholeNumber(query.get("at")),
      spanMs: wholeNumber(query.get("span")),
    };
  }
  if (first === "camera" && second !== undefined && parts[2] === "commission" && parts.length === 3) {
    return { page: "commission", camera: decodeSafely(second) };
  }
  return { page: "unknown" };
}

export function commissionPath(camera: string): string {
  return `/camera/${encodeURIComponent(camera)}/commission`;
}

export function cameraPath(camera: string, atMs: number | null = null, spanMs: number | null = null): string {
  const query = new URLSearchParams();
  if (atMs !== null) query.set("at", String(Math.round(atMs)));
  if (spanMs !== null) query.set("span", String(Math.round(spanMs)));
  const text = query.toString();
  return `/camera/${encodeURIComponent(camera)}${text === "" ? "" : `?${text}`}`;
}

function decodeSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function wholeNumber(text: string | null): number | null {
  if (text === null || !/^\d{1,15}$/.test(text)) return null;
  return Number(text);
}

const listeners = new Set<() => void>();
let address = "";

function arrive(): void {
  address = location.pathname + location.search;
  for (const listener of listeners) listener();
}

export function navigate(path: string): void {
  history.pushState(null, "", path);
  arrive();
}

/** Keeps the address current without a step in the history, and without drawing the page anew. */
export function replaceAddress(path: string): void {
  history.replaceState(null, "", path);
}

function subscribe(changed: () => void): () => void {
  if (listeners.size === 0) window.addEventListener("popstate", arrive);
  listeners.add(changed);
  return () => {
    listeners.delete(changed);
    if (listeners.size === 0) window.removeEventListener("popstate", arrive);
  };
}

/** The address of the page, with its query; changes by navigation only. */
export function useAddress(): string {
  return useSyncExternalStore(subscribe, () => {
    if (address === "") address = location.pathname + location.search;
    return address;
  });
}
