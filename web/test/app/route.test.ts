import fc from "fast-check";
import { expect, test } from "vitest";
import { keyName } from "../../src/app/keyboard";
import { cameraPath, commissionPath, parseRoute } from "../../src/app/route";

test("a camera's address leads back to it", () => {
  const moment = fc.option(fc.integer({ min: 0, max: 4e12 }), { nil: null });
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,20}$/), moment, moment, (camera, atMs, spanMs) => {
      const [path = "", search = ""] = cameraPath(camera, atMs, spanMs).split("?");
      expect(parseRoute(path, search)).toEqual({ page: "camera", camera, atMs, spanMs });
    }),
  );
});

test("addresses that somebody typed", () => {
  expect(parseRoute("/", "")).toEqual({ page: "wall" });
  expect(parseRoute("/system", "")).toEqual({ page: "system" });
  expect(parseRoute("/camera/a", "at=soon&span=-5")).toEqual({ page: "camera", camera: "a", atMs: null, spanMs: null });
  expect(parseRoute("/camera/%zz", "")).toMatchObject({ page: "camera", camera: "%zz" });
  expect(parseRoute("/camera/a/b", "")).toEqual({ page: "unknown" });
  expect(parseRoute("/nowhere", "")).toEqual({ page: "unknown" });
});

test("names of keys", () => {
  expect(keyName({ key: "L", shiftKey: true })).toBe("l");
  expect(keyName({ key: "?", shiftKey: true })).toBe("?");
  expect(keyName({ key: "ArrowLeft", shiftKey: true })).toBe("Shift+ArrowLeft");
});

test("the page where a camera is commissioned", () => {
  expect(parseRoute(commissionPath("gate-2"), "")).toEqual({ page: "commission", camera: "gate-2" });
  expect(parseRoute("/camera/a/commission/b", "")).toEqual({ page: "unknown" });
});
