import fc from "fast-check";
import { expect, test } from "vitest";
import { agoText, clockText, fromLocalMs, knownZone, lengthText, offsetMs, offsetText, roughly } from "../../src/time/zone";

const at = fc.integer({ min: 1_500_000_000_000, max: 1_900_000_000_000 });
const zone = fc.constantFrom("UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe");

test("the clock of a zone is the one that the browser's own formatting shows", () => {
  fc.assert(
    fc.property(at, zone, (atMs, name) => {
      const own = new Intl.DateTimeFormat("en-GB", { timeZone: name, timeStyle: "medium", hourCycle: "h23" }).format(atMs);
      expect(clockText(name, atMs)).toBe(own);
    }),
  );
});

test("local time leads back to its moment, except where clocks show it twice", () => {
  fc.assert(
    fc.property(at, zone, (atMs, name) => {
      const local = atMs + offsetMs(name, atMs);
      const back = fromLocalMs(name, local);
      expect(back + offsetMs(name, back)).toBe(local);
      expect(back).toBeLessThanOrEqual(atMs);
    }),
  );
});

test("offsets, in winter, summer and half hours", () => {
  expect(offsetText("Europe/Berlin", Date.UTC(2026, 0, 1))).toBe("+01:00");
  expect(offsetText("Europe/Berlin", Date.UTC(2026, 6, 1))).toBe("+02:00");
  expect(offsetText("America/St_Johns", Date.UTC(2026, 0, 1))).toBe("-03:30");
});

test("a zone that is not known becomes UTC", () => {
  expect(knownZone("Europe/Berlin")).toBe("Europe/Berlin");
  expect(knownZone("Middle/Earth")).toBe("UTC");
});

test("ages and lengths", () => {
  expect(agoText(0, 180_000, "en")).toBe("3 minutes ago");
  expect(agoText(0, 3 * 86_400_000, "en")).toBe("3 days ago");
  expect(agoText(1000, 0, "en")).toBe("now");
  expect(lengthText(3_723_000)).toBe("1:02:03");
  expect(lengthText(65_000)).toBe("1:05");
  expect(roughly(3_600_000)).toEqual({ unit: "hours", count: 1 });
  expect(roughly(90 * 86_400_000)).toEqual({ unit: "days", count: 90 });
});
