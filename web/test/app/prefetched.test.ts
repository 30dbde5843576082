import { describe, expect, test } from "vitest";
import { prefetched } from "../../src/app/prefetched";

describe("what is asked for early", () => {
  test("is asked at once, handed to the first who asks, and asked anew by the others", async () => {
    const asked: string[] = [];
    const { ask, answer, settled } = prefetched((what: string) => {
      asked.push(what);
      return Promise.resolve(what);
    }, "first");
    expect(asked).toEqual(["first"]);
    expect(answer()).toBeNull();
    await settled;
    expect(answer()).toBe("first");
    expect(await ask("second")).toBe("first");
    expect(await ask("third")).toBe("third");
    expect(asked).toEqual(["first", "third"]);
  });

  test("fails for whoever asks, and not before", async () => {
    let answers = 0;
    const { ask, answer, settled } = prefetched(() =>
      answers++ === 0 ? Promise.reject(new Error("lost")) : Promise.resolve(answers),
    );
    await settled;
    expect(answer()).toBeNull();
    await expect(ask()).rejects.toThrow("lost");
    expect(await ask()).toBe(2);
  });
});
