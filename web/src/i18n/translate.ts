/** Puts words together: typed keys, typed placeholders, plural forms by the language's own rules. */

import { ar } from "./ar";
import { en, type Key, type Message } from "./en";

export const LANGUAGES = ["en", "ar"] as const;
export type Language = (typeof LANGUAGES)[number];

const CATALOGUES: Readonly<Record<Language, Readonly<Record<Key, Message>>>> = { en, ar };

type Sentence<M> = M extends { readonly other: infer Other } ? Other : M;
type Placeholder<S> = S extends `${string}{${infer Name}}${infer Rest}` ? Name | Placeholder<Rest> : never;
type Values<K extends Key> = Placeholder<Sentence<(typeof en)[K]>>;
type Arguments<K extends Key> = [Values<K>] extends [never] ? [] : [Readonly<Record<Values<K>, string | number>>];

export type Translate = <K extends Key>(key: K, ...values: Arguments<K>) => string;

/** Digits stay 0-9 in every language: they are read beside clocks, file names and addresses that have them so. */
export function localeOf(language: Language): string {
  return `${language}-u-nu-latn`;
}

export function directionOf(language: Language): "ltr" | "rtl" {
  return language === "ar" ? "rtl" : "ltr";
}

/** The first language of `wanted` (as navigator.languages) that there is a catalogue for; English otherwise. */
export function chooseLanguage(stored: string | null, wanted: readonly string[]): Language {
  for (const tag of [stored ?? "", ...wanted]) {
    const primary = tag.split("-")[0];
    const found = LANGUAGES.find((language) => language === primary);
    if (found !== undefined) return found;
  }
  return "en";
}

export function placeholdersOf(sentence: string): string[] {
  return [...sentence.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "").sort();
}

export function translator(language: Language): Translate {
  const plural = new Intl.PluralRules(localeOf(language));
  const number = new Intl.NumberFormat(localeOf(language));
  return (key, ...rest) => {
    const values: Readonly<Record<string, string | number>> = rest[0] ?? {};
    const message = CATALOGUES[language][key];
    const count = Number(values["count"] ?? 0);
    const sentence = typeof message === "string" ? message : (message[plural.select(count)] ?? message.other);
    return sentence.replace(/\{(\w+)\}/g, (whole, name: string) => {
      const value = values[name];
      return value === undefined ? whole : typeof value === "number" ? number.format(value) : value;
    });
  };
}
