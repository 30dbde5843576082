import { describe, expect, test } from "vitest";
import { askedEarly } from "../../src/app/early";

describe("what is asked for early", () => {
  test("is asked at once, handed to the first who asks, and asked anew by the others", async () => {
    const asked: string[] = [];
    const ask = askedEarly((what: string) => {
      asked.push(what);
      return Promise.resolve(what);
    }, "first");
    expect(asked).toEqual(["first"]);
    expect(await ask("second")).toBe("first");
    expect(await ask("third")).toBe("third");
    expect(asked).toEqual(["first", "third"]);
  });

  test("fails for whoever asks, and not before", async () => {
    let answers = 0;
    const ask = askedEarly(() => (answers++ === 0 ? Promise.reject(new Error("lost")) : Promise.resolve(answers)));
    await new Promise((done) => setTimeout(done));
    await expect(ask()).rejects.toThrow("lost");
    expect(await ask()).toBe(2);
  });
});
