// @vitest-environment happy-dom
import { fireEvent, screen } from "@testing-library/react";
import { describe, expect, test } from "vitest";
import { ScenePlayer } from "../../src/camera/scene-player";
import { Legend, TimelineView } from "../../src/timeline/timeline-view";
import { showIn } from "../component";
import { FakeLive } from "../fake-live";
import { never } from "../fake-recorder";

const NOW = 1_700_000_000_000; // 23:13:20 in Berlin
const WIDTH = 1200;
const HEIGHT = 96;

function playerAt(atMs: number | null): ScenePlayer {
  const ports = {
    nowMs: () => NOW,
    monotonicMs: () => 0,
    nextFrame: () => undefined,
    fetchScene: never<ReadableStream<Uint8Array>>,
    live: { view: () => null, subscribe: () => () => undefined },
  };
  return new ScenePlayer(ports, atMs, 1_200_000);
}

function show(player: ScenePlayer, language: "en" | "ar" = "en", words = "Recorded"): HTMLElement {
  const none = (): null => null;
  showIn(language, new FakeLive(), <TimelineView player={player} timeline={none} seen={none} words={words} revision={0} />);
  const slider = screen.getByRole("slider");
  slider.getBoundingClientRect = () => new DOMRect(0, 0, WIDTH, HEIGHT);
  slider.setPointerCapture = () => undefined;
  return slider;
}

/** happy-dom's wheel events do not say where the pointer is. */
function wheel(slider: HTMLElement, deltaY: number, clientX: number): void {
  fireEvent(slider, Object.assign(new WheelEvent("wheel", { deltaY, cancelable: true }), { clientX }));
}

/** ms a pixel. */
const PER_PX = 1000;

describe("the timeline", () => {
  test.each([
    ["en", "Timeline", "Tue, Nov 14 23:03:20, Recorded"],
    ["ar", "الخط الزمني", "الثلاثاء، 14 نوفمبر 23:03:20، مسجّل"],
  ] as const)("says in words where it stands: %s", (language, label, value) => {
    const slider = show(playerAt(NOW - 600_000), language, language === "en" ? "Recorded" : "مسجّل");
    expect(slider.getAttribute("aria-label")).toBe(label);
    expect(slider.getAttribute("aria-valuetext")).toBe(value);
    expect(slider.getAttribute("aria-valuenow")).toBe(String((NOW - 600_000) / 1000));
    // Time runs from left to right in every language.
    expect(slider.dir).toBe("ltr");
  });

  test("a pointer on the strip takes the moment along; on the ruler it moves the window", () => {
    const player = playerAt(NOW - 600_000);
    const slider = show(player);
    const { fromMs } = player.playback.get().window;
    fireEvent.pointerDown(slider, { pointerId: 1, button: 0, clientX: 300, clientY: 10 });
    expect(player.momentMs()).toBe(fromMs + 300 * PER_PX);
    fireEvent.pointerMove(slider, { pointerId: 1, clientX: 400, clientY: 10 });
    expect(player.momentMs()).toBe(fromMs + 400 * PER_PX);
    fireEvent.pointerUp(slider, { pointerId: 1 });
    fireEvent.pointerMove(slider, { pointerId: 1, clientX: 500, clientY: 10 });
    expect(player.momentMs()).toBe(fromMs + 400 * PER_PX);
    fireEvent.pointerDown(slider, { pointerId: 1, button: 0, clientX: 300, clientY: HEIGHT - 5 });
    fireEvent.pointerMove(slider, { pointerId: 1, clientX: 350, clientY: HEIGHT - 5 });
    expect(player.playback.get().window.fromMs).toBe(fromMs - 50 * PER_PX);
    expect(player.momentMs()).toBe(fromMs + 400 * PER_PX);
  });

  test("two fingers zoom around the one that rests", () => {
    const player = playerAt(NOW - 600_000);
    const slider = show(player);
    const { fromMs, spanMs } = player.playback.get().window;
    fireEvent.pointerDown(slider, { pointerId: 1, button: 0, clientX: 300, clientY: 10 });
    fireEvent.pointerDown(slider, { pointerId: 2, button: 0, clientX: 500, clientY: 10 });
    fireEvent.pointerMove(slider, { pointerId: 2, clientX: 700, clientY: 10 });
    const { window } = player.playback.get();
    expect(window.spanMs).toBe(spanMs / 2);
    expect(window.fromMs + 300 * (window.spanMs / WIDTH)).toBeCloseTo(fromMs + 300 * PER_PX);
  });

  test("the wheel zooms where the pointer is, at the end while live, and sideways it pans", () => {
    const past = playerAt(NOW - 600_000);
    const slider = show(past);
    const before = past.playback.get().window;
    wheel(slider, -100, 600);
    const zoomed = past.playback.get().window;
    expect(zoomed.spanMs).toBeCloseTo(before.spanMs * 1.0018 ** -100);
    expect(zoomed.fromMs + zoomed.spanMs / 2).toBeCloseTo(before.fromMs + before.spanMs / 2);
    fireEvent.wheel(slider, { deltaX: -120, deltaY: 0 });
    expect(past.playback.get().window.fromMs).toBeCloseTo(zoomed.fromMs - zoomed.spanMs / 10);
  });

  test("the wheel leaves now where it is while live", () => {
    const player = playerAt(null);
    const slider = show(player);
    const part = (): number => (NOW - player.playback.get().window.fromMs) / player.playback.get().window.spanMs;
    const before = part();
    wheel(slider, -100, 10);
    expect(part()).toBeCloseTo(before);
  });
});

test.each([
  ["en", ["something was there", "watched", "looked at seldom", "quiet", "blind", "offline", "not recorded"]],
  ["ar", ["كان هناك شيء", "مُراقَب", "يُنظر إليه نادرًا", "هادئ", "أعمى", "غير متصل", "غير مسجّل"]],
] as const)("the legend names every pattern: %s", (language, words) => {
  showIn(language, new FakeLive(), <Legend />);
  expect(screen.getAllByRole("listitem").map((each) => each.textContent)).toEqual(words);
});
