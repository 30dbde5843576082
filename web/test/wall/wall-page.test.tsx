// @vitest-environment happy-dom
import { act, fireEvent, screen, within } from "@testing-library/react";
import { beforeEach, describe, expect, test } from "vitest";
import { WallPage } from "../../src/wall/wall-page";
import { cameraOf, showIn } from "../component";
import { FakeLive } from "../fake-live";
import { LIVE_STATES } from "../live-states";

beforeEach(() => localStorage.clear());

function tiles(): HTMLElement[] {
  return screen.queryAllByRole("listitem");
}

describe.each(["en", "ar"] as const)("a tile, in %s", (language) => {
  test.each(LIVE_STATES.map((state) => [state.name, state] as const))("%s", (_, state) => {
    const live = new FakeLive();
    state.bring(live, "gate");
    showIn(language, live, <WallPage />, [cameraOf("gate")]);
    const [tile] = tiles();
    if (tile === undefined) throw new Error("there is no tile");
    expect(tile.dataset["tone"]).toBe(state.tone);
    expect(tile.classList.contains("tile-dim")).toBe(state.dim);
    expect(within(tile).getByText(state[language])).toBeTruthy();
    // Who cannot see the tile is told the same.
    expect(within(tile).getByRole("link").getAttribute("aria-label")).toContain(state[language]);
    expect(within(tile).getByText(language === "en" ? "reconstruction, not video" : "إعادة بناء، لا فيديو")).toBeTruthy();
  });
});

describe("a tile", () => {
  test("follows what the camera says", () => {
    const live = new FakeLive();
    showIn("en", live, <WallPage />, [cameraOf("gate")]);
    expect(tiles()[0]?.textContent).toContain("Nothing heard yet");
    for (const state of LIVE_STATES.filter(({ name }) => name === "guarded" || name === "blind")) {
      act(() => state.bring(live, "gate"));
      expect(tiles()[0]?.textContent).toContain(state.en);
    }
  });

  test("shows how far the proof is while it is under way, and only then", () => {
    const live = new FakeLive();
    LIVE_STATES.find(({ name }) => name === "proving")?.bring(live, "gate");
    LIVE_STATES.find(({ name }) => name === "guarded")?.bring(live, "yard");
    showIn("en", live, <WallPage />, [cameraOf("gate"), cameraOf("yard")]);
    expect(tiles().map((tile) => tile.querySelector("progress")?.value ?? null)).toEqual([50, null]);
  });

  test("leads to the camera's page, and bears its id where it has no name", () => {
    showIn("en", new FakeLive(), <WallPage />, [cameraOf("gate", { name: "" })]);
    expect(
      within(tiles()[0] as HTMLElement)
        .getByRole("link")
        .getAttribute("href"),
    ).toBe("/camera/gate");
    expect(tiles()[0]?.textContent).toContain("gate");
  });
});

describe("the wall", () => {
  test("says that it waits, and that there is nothing to show", () => {
    const waiting = showIn("en", new FakeLive(), <WallPage />, null);
    expect(waiting.container.textContent).toBe("Loading");
    waiting.unmount();
    showIn("ar", new FakeLive(), <WallPage />, []);
    expect(screen.getByRole("heading").textContent).toBe("لا كاميرات بعد");
  });

  test("a pinned tile is larger than the others, and stays so", () => {
    const cameras = ["gate", "yard", "dock", "store"].map((id) => cameraOf(id));
    const live = new FakeLive();
    const width = (id: string): number => {
      const tile = tiles().find((each) => each.dataset["camera"] === id);
      return parseFloat(tile?.style.inlineSize ?? "");
    };
    const page = showIn("en", live, <WallPage />, cameras);
    expect(width("dock")).toBe(width("gate"));
    fireEvent.click(screen.getByRole("button", { name: "Pin DOCK" }));
    expect(width("dock")).toBeGreaterThan(1.5 * width("gate"));
    expect(screen.getByRole("button", { name: "Unpin DOCK" }).getAttribute("aria-pressed")).toBe("true");
    page.unmount();
    showIn("en", live, <WallPage />, cameras);
    expect(width("dock")).toBeGreaterThan(1.5 * width("gate"));
  });

  const focused = (): string | null => document.activeElement?.closest("li")?.dataset["camera"] ?? null;

  test("arrow keys move the focus from tile to tile, P pins, Enter opens", () => {
    // Two wide pictures stand above one another.
    showIn("en", new FakeLive(), <WallPage />, [cameraOf("gate"), cameraOf("yard")]);
    fireEvent.keyDown(window, { key: "ArrowDown" });
    expect(focused()).toBe("gate");
    fireEvent.keyDown(window, { key: "ArrowDown" });
    expect(focused()).toBe("yard");
    fireEvent.keyDown(window, { key: "p" });
    expect(screen.getByRole("button", { name: "Unpin YARD" })).toBeTruthy();
    fireEvent.keyDown(window, { key: "Enter" });
    expect(location.pathname).toBe("/camera/yard");
  });

  test("where text runs from the right, so do the tiles", () => {
    // Two tall pictures stand side by side.
    const grid = { width_px: 16, height_px: 32, block_px: 8, epoch: 0, columns: 2, rows: 4 };
    showIn("ar", new FakeLive(), <WallPage />, [cameraOf("gate", { grid }), cameraOf("yard", { grid })]);
    fireEvent.keyDown(window, { key: "ArrowLeft" });
    expect(focused()).toBe("gate");
    fireEvent.keyDown(window, { key: "ArrowLeft" });
    expect(focused()).toBe("yard");
  });
});
