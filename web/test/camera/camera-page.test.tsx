// @vitest-environment happy-dom
import { act, fireEvent, screen, waitFor } from "@testing-library/react";
import { describe, expect, test } from "vitest";
import { CameraPage } from "../../src/camera/camera-page";
import { cameraOf, COUNTERS, showIn } from "../component";
import { FakeLive } from "../fake-live";
import { cameraPorts, sceneBody } from "../fake-recorder";
import { LIVE_STATES } from "../live-states";
import { fromHex, loadCases } from "../vectors";

const PAST_MS = Date.now() - 86_400_000;

function page(atMs: number | null = null, ports = cameraPorts(), changes: Parameters<typeof cameraOf>[1] = {}) {
  return <CameraPage camera={cameraOf("gate", changes)} ports={ports} atMs={atMs} spanMs={null} />;
}

function figure(): HTMLElement {
  return screen.getByRole("figure");
}

function veil(): string | null {
  return figure().querySelector(".camera-veil")?.textContent ?? null;
}

describe.each(["en", "ar"] as const)("live, in %s", (language) => {
  test.each(LIVE_STATES.map((state) => [state.name, state] as const))("%s", (_, state) => {
    const live = new FakeLive();
    state.bring(live, "gate");
    showIn(language, live, page());
    expect(document.querySelector(".camera-head .tag-text")?.textContent).toBe(state[language]);
    expect(figure().dataset["seen"]).toBe("live");
    expect(figure().classList.contains("camera-dim")).toBe(state.dim);
    // What may not be so has words across it; what is so needs none.
    expect(veil()).toBe(state.dim ? state[language] : null);
    expect(screen.getByRole("img").getAttribute("aria-label")).toContain(state[language]);
  });
});

interface FreshnessCase {
  readonly name: string;
  readonly messages: readonly string[];
  readonly at_wall_ns: string;
}

describe("the past", () => {
  const words = {
    known: ["Recorded", "مسجّل", null],
    offline: ["Offline: no picture from the camera", "غير متصل: لا صورة من الكاميرا", "dim"],
    blind: ["Blind: what the camera sends does not fit the place", "أعمى: ما ترسله الكاميرا لا يطابق المكان", "dim"],
    starting: ["Starting then: not all was known yet", "كانت في طور البدء: لم يُعرف كل شيء بعد", "dim"],
    unknown: ["Nothing was said of what was there", "لم يُذكر ما كان هناك", "dim"],
    asleep: ["Quiet then: nothing moved", "كان هادئًا: لم يتحرك شيء", null],
    silent: ["Nothing was recorded here", "لم يُسجَّل شيء هنا", "dim"],
  } as const;
  const cases = loadCases<FreshnessCase>("scene-stream/freshness.json").filter((each) => Object.hasOwn(words, each.name));

  test("each kind of moment is among the vectors", () => {
    expect(cases.map((each) => each.name).sort()).toEqual(Object.keys(words).sort());
  });

  test.each(cases.map((each) => [each.name, each] as const))("%s, in English and Arabic", async (name, each) => {
    const [en, ar, dim] = words[name as keyof typeof words];
    const atMs = Number(BigInt(each.at_wall_ns) / 1_000_000n);
    for (const [language, said] of [
      ["en", en],
      ["ar", ar],
    ] as const) {
      const ports = cameraPorts(() => Promise.resolve(sceneBody(each.messages.map(fromHex))));
      const shown = showIn(language, new FakeLive(), page(atMs, ports));
      await waitFor(() => expect(document.querySelector(".camera-head .tag-text")?.textContent).toBe(said));
      expect(figure().dataset["exact"]).toBe("true");
      expect(veil()).toBe(dim === null ? null : said);
      shown.unmount();
    }
  });

  test("what is being fetched is said once it lasts", async () => {
    showIn("en", new FakeLive(), page(PAST_MS));
    await waitFor(() => expect(figure().dataset["seen"]).toBe("buffering"), { timeout: 3000 });
    expect(document.querySelector(".camera-head .tag-text")?.textContent).toBe("Fetching the recording");
    expect(veil()).toBeNull();
  });
});

describe("what one can do", () => {
  const play = (): string => screen.getByRole("button", { name: /^(Play|Pause)$/ }).getAttribute("aria-label") ?? "";

  test("keys and buttons drive the same player", () => {
    showIn("en", new FakeLive(), page());
    expect(play()).toBe("Pause");
    expect(screen.getByRole("button", { name: "Live" }).getAttribute("aria-pressed")).toBe("true");
    expect(screen.getByRole<HTMLButtonElement>("button", { name: "5 s on" }).disabled).toBe(true);
    fireEvent.keyDown(window, { key: " " });
    expect(play()).toBe("Play");
    expect(screen.getByRole("button", { name: "Live" }).getAttribute("aria-pressed")).toBe("false");
    fireEvent.click(screen.getByRole("button", { name: "Live" }));
    expect(play()).toBe("Pause");
    fireEvent.change(screen.getByRole("combobox", { name: "Speed" }), { target: { value: "10" } });
    expect(screen.getByRole("button", { name: "Live" }).getAttribute("aria-pressed")).toBe("false");
    fireEvent.keyDown(window, { key: "ArrowDown" });
    expect(screen.getByRole<HTMLSelectElement>("combobox", { name: "Speed" }).value).toBe("5");
  });

  test("a span is marked, offered as a film and cleared", () => {
    showIn("en", new FakeLive(), page(PAST_MS));
    expect(screen.queryByText(/Download/)).toBeNull();
    fireEvent.keyDown(window, { key: "i" });
    fireEvent.keyDown(window, { key: "ArrowRight" });
    fireEvent.click(screen.getByRole("button", { name: /^To/ }));
    const link = screen.getByRole("link", { name: "Download MP4 0:05" });
    expect(link.getAttribute("href")).toBe(`/api/cameras/gate/export.mp4?from_ms=${PAST_MS}&to_ms=${PAST_MS + 5000}`);
    expect(link.getAttribute("download")).toMatch(/^gate-\d{4}-\d\d-\d\d-\d{6}\.mp4$/);
    fireEvent.click(screen.getByRole("button", { name: "Clear" }));
    expect(screen.queryByText(/Download/)).toBeNull();
  });

  test("the register's words stand beside the picture, and blocks that wait for a signature are offered", () => {
    const live = new FakeLive();
    act(() => LIVE_STATES.find(({ name }) => name === "guarded")?.bring(live, "gate"));
    showIn("en", live, page(null, cameraPorts(), { counters: { ...COUNTERS, candidate_blocks: 12 } }));
    expect([...document.querySelectorAll(".camera-facts dt")].map((each) => each.textContent)).toEqual([
      "Place",
      "Purpose",
      "Responsible",
      "Background",
    ]);
    const link = screen.getByRole("link", { name: "Commission: 12 blocks wait" });
    expect(link.getAttribute("href")).toBe("/camera/gate/commission");
  });
});
