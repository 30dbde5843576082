// @vitest-environment happy-dom
import { act, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Camera, Site } from "../../src/api/client";
import { App } from "../../src/app/app";
import type { AppPorts } from "../../src/app/browser-ports";
import { prefetched } from "../../src/app/prefetched";
import { navigate } from "../../src/app/route";
import { cameraOf, SITE } from "../component";
import { FakeLive } from "../fake-live";
import { cameraPorts, never } from "../fake-recorder";
import { LIVE_STATES } from "../live-states";

let live: FakeLive;
let loggedOut = 0;
beforeEach(() => {
  localStorage.clear();
  live = new FakeLive();
  loggedOut = 0;
  navigate("/");
});
afterEach(() => {
  vi.useRealTimers();
});

async function open(cameras: () => Promise<Camera[]>): Promise<void> {
  const signal = new AbortController().signal;
  const known = prefetched<[AbortSignal], Camera[]>(cameras, signal);
  const site = prefetched<[AbortSignal], Site>(() => Promise.resolve(SITE), signal);
  await site.settled;
  const ports: AppPorts = {
    site,
    cameras: known,
    connect: () => live.scenes,
    camera: cameraPorts(),
    commission: { fetchSession: never, askOffer: never, fetchOffered: never, signOffer: never, refuseOffer: never },
    system: { fetchSession: never, fetchStorage: never, logOut: () => Promise.resolve() },
    logOut: () => {
      loggedOut += 1;
      return Promise.resolve();
    },
  };
  await act(async () => {
    render(<App ports={ports} />);
    await Promise.resolve();
  });
}

const two = (): Promise<Camera[]> => Promise.resolve([cameraOf("gate"), cameraOf("yard", { stale: true })]);

function trouble(): string | null {
  return document.querySelector(".trouble")?.textContent ?? null;
}

describe("the application", () => {
  test("counts the cameras and those that need a look, under the site's name", async () => {
    await open(two);
    expect(document.title).toBe("Harbour yard");
    expect(document.querySelector(".bar-summary")?.textContent).toBe("2 cameras1 needs a look");
    expect(trouble()).toBeNull();
  });

  test("speaks Arabic from right to left once that is chosen, and remembers it", async () => {
    await open(two);
    LIVE_STATES.find(({ name }) => name === "guarded")?.bring(live, "gate");
    fireEvent.click(screen.getByRole("button", { name: "العربية" }));
    expect([document.documentElement.lang, document.documentElement.dir]).toEqual(["ar", "rtl"]);
    expect(screen.getByText("محروس")).toBeTruthy();
    expect(localStorage.getItem("privet.language")).toBe("ar");
    fireEvent.click(screen.getByRole("button", { name: "English" }));
    expect(document.documentElement.dir).toBe("ltr");
  });

  test("waits for the cameras", async () => {
    await open(() => never());
    expect(screen.getByText("Loading")).toBeTruthy();
  });

  test("says that Privet does not answer", async () => {
    await open(() => Promise.reject(new Error("502 Bad Gateway")));
    expect(await screen.findByText("Privet does not answer: 502 Bad Gateway. Trying again.")).toBeTruthy();
  });

  test("says that the live connection is lost when it stays away, not before", async () => {
    vi.useFakeTimers();
    await open(two);
    act(() => LIVE_STATES.find(({ name }) => name === "guarded")?.bring(live, "gate"));
    act(() => live.drop());
    act(() => void vi.advanceTimersByTime(3000));
    expect(trouble()).toBeNull();
    act(() => void vi.advanceTimersByTime(1000));
    expect(trouble()).toBe("The live connection is lost. Connecting again.");
    act(() => LIVE_STATES.find(({ name }) => name === "guarded")?.bring(live, "gate"));
    expect(trouble()).toBeNull();
  });

  test.each([
    ["/nowhere", "There is no such page"],
    ["/camera/cellar", "There is no camera of this name"],
    ["/camera/cellar/commission", "There is no camera of this name"],
  ])("leads back from %s", async (path, words) => {
    navigate(path);
    await open(two);
    expect(screen.getByRole("heading").textContent).toBe(words);
    fireEvent.click(screen.getByRole("link", { name: "Back to the wall" }));
    expect(location.pathname).toBe("/");
    expect(screen.getByRole("heading").textContent).toBe("Wall");
  });

  test("each address has its page", async () => {
    await open(two);
    for (const [path, heading] of [
      ["/system", "System"],
      ["/camera/gate", "GATE"],
      ["/camera/gate/commission", "Commission GATE"],
    ] as const) {
      act(() => navigate(path));
      expect(screen.getByRole("heading", { level: 1 }).textContent).toBe(heading);
    }
  });

  test("logs out, and lists the keys of the page", async () => {
    await open(two);
    fireEvent.click(screen.getByRole("button", { name: "Log out" }));
    expect(loggedOut).toBe(1);
    fireEvent.keyDown(window, { key: "?" });
    expect(screen.getByRole("dialog", { name: "Keys" }).textContent).toContain("Pin or unpin the tile");
  });
});
