/** Loads the vectors that every implementation of a format reads. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../../vectors");

export function loadCases<T>(file: string): T[] {
  const parsed = JSON.parse(readFileSync(join(ROOT, file), "utf8")) as { cases?: T[] };
  if (parsed.cases === undefined || parsed.cases.length === 0) throw new Error(`vectors/${file} holds no cases`);
  return parsed.cases;
}

export function vectorFiles(directory: string, ending: string): string[] {
  const found = readdirSync(join(ROOT, directory)).filter((name) => name.endsWith(ending));
  if (found.length === 0) throw new Error(`vectors/${directory} holds no ${ending}`);
  return found.sort();
}

export function readVector(file: string): Uint8Array {
  return readFileSync(join(ROOT, file));
}

export function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
