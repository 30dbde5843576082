import { describe, expect, test } from "vitest";
import { CONDITIONS, REASONS } from "../../src/scene/scene";
import { ar } from "../../src/i18n/ar";
import { en, type Key, type Message } from "../../src/i18n/en";
import { stateKey, toneOf } from "../../src/i18n/condition";
import { chooseLanguage, directionOf, LANGUAGES, localeOf, placeholdersOf, translator } from "../../src/i18n/translate";

const english: Readonly<Record<Key, Message>> = en;
const KEYS = Object.keys(en) as Key[];

function forms(message: Message): string[] {
  return typeof message === "string" ? [message] : Object.values(message);
}

function placeholders(message: Message): string[] {
  return typeof message === "string" ? placeholdersOf(message) : placeholdersOf(message.other);
}

describe("catalogues", () => {
  test("hold the same keys", () => {
    expect(Object.keys(ar).sort()).toEqual([...KEYS].sort());
  });

  test.each(KEYS)("%s: the same placeholders in every form, nothing empty", (key) => {
    for (const catalogue of [english, ar]) {
      for (const form of forms(catalogue[key])) {
        expect(form.trim()).not.toBe("");
        expect(placeholdersOf(form)).toEqual(placeholders(english[key]));
      }
    }
    expect(typeof ar[key]).toBe(typeof english[key]);
  });

  test("every plural has the forms that its language asks for", () => {
    for (const [language, catalogue] of [
      ["en", english],
      ["ar", ar],
    ] as const) {
      const wanted = new Intl.PluralRules(localeOf(language)).resolvedOptions().pluralCategories;
      for (const key of KEYS) {
        const message = catalogue[key];
        if (typeof message !== "string") expect(Object.keys(message).sort(), key).toEqual([...wanted].sort());
      }
    }
  });

  test("every condition and reason has its sentence", () => {
    for (const condition of CONDITIONS) {
      for (const reason of REASONS) expect(english[stateKey(condition, reason)]).toBeTypeOf("string");
    }
  });
});

test("a camera that is seldom looked at is not offline, and not guarded either", () => {
  expect(stateKey("awake", "overloaded")).toBe("state.sparse");
  expect(stateKey("offline", "overloaded")).toBe("reason.overloaded");
  expect(toneOf("awake", "overloaded")).toBe("degraded");
  expect(toneOf("awake", "none")).toBe("guarded");
});

describe("translating", () => {
  test("fills in values and chooses the plural", () => {
    const t = translator("en");
    expect(t("wall.summary", { count: 1 })).toBe("1 camera");
    expect(t("wall.summary", { count: 1200 })).toBe("1,200 cameras");
    expect(translator("ar")("wall.summary", { count: 3 })).toBe("3 كاميرات");
    expect(translator("ar")("wall.summary", { count: 12 })).toBe("12 كاميرا");
  });

  test("a value that looks like a placeholder is left alone", () => {
    expect(translator("en")("wall.open", { camera: "{camera}$&" })).toBe("Open {camera}$&");
  });

  test("the language: the stored one, then the browser's, then English", () => {
    expect(chooseLanguage("ar", ["en-GB"])).toBe("ar");
    expect(chooseLanguage(null, ["fr", "ar-EG", "en"])).toBe("ar");
    expect(chooseLanguage("xx", ["fr"])).toBe("en");
    expect(LANGUAGES.map(directionOf)).toEqual(["ltr", "rtl"]);
  });
});
