import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { layOut, neighbour, type Tile } from "../../src/wall/layout";

const tiles = fc
  .array(fc.record({ aspect: fc.constantFrom(4 / 3, 16 / 9, 1, 9 / 16, 2.4), pinned: fc.boolean() }), { maxLength: 40 })
  .map((list): Tile[] => list.map((each, index) => ({ ...each, id: String(index) })));
const size = fc.integer({ min: 320, max: 3000 });

describe("the wall", () => {
  test("shows every tile once, whole, in its aspect ratio, over no other", () => {
    fc.assert(
      fc.property(tiles, size, size, (list, width, height) => {
        const wall = layOut(list, width, height);
        expect(wall.boxes.map((box) => box.id).sort()).toEqual(list.map((tile) => tile.id).sort());
        for (const box of wall.boxes) {
          const tile = list.find((each) => each.id === box.id);
          expect(box.width / box.height).toBeCloseTo(tile?.aspect ?? 0, 3);
          expect(box.start).toBeGreaterThanOrEqual(-0.01);
          expect(box.top).toBeGreaterThanOrEqual(-0.01);
          expect(box.start + box.width).toBeLessThanOrEqual(width + 0.01);
          expect(box.top + box.height).toBeLessThanOrEqual(wall.height + 0.01);
        }
        wall.boxes.forEach((a, index) => {
          for (const b of wall.boxes.slice(index + 1)) {
            const across = Math.min(a.start + a.width, b.start + b.width) - Math.max(a.start, b.start);
            const down = Math.min(a.top + a.height, b.top + b.height) - Math.max(a.top, b.top);
            expect(Math.min(across, down)).toBeLessThan(0.01);
          }
        });
      }),
      { numRuns: 60 },
    );
  });

  test("uses most of the screen", () => {
    const list = Array.from({ length: 12 }, (_, index) => ({ id: String(index), aspect: 16 / 9, pinned: false }));
    const wall = layOut(list, 1920, 1036);
    const area = wall.boxes.reduce((sum, box) => sum + box.width * box.height, 0);
    expect(wall.height).toBe(1036);
    expect(area / (1920 * 1036)).toBeGreaterThan(0.7);
  });

  test("three alike are of one size", () => {
    const list = Array.from({ length: 3 }, (_, index) => ({ id: String(index), aspect: 4 / 3, pinned: false }));
    const wall = layOut(list, 1440, 856);
    expect(new Set(wall.boxes.map((box) => Math.round(box.width)))).toEqual(new Set([Math.round(427 * (4 / 3))]));
  });

  test("a pinned tile is the largest", () => {
    const list = Array.from({ length: 7 }, (_, index) => ({ id: String(index), aspect: 16 / 9, pinned: index === 3 }));
    const { boxes } = layOut(list, 1440, 856);
    const widest = boxes.reduce((a, b) => (a.width > b.width ? a : b));
    expect(widest.id).toBe("3");
  });
});

describe("arrow keys", () => {
  const list = Array.from({ length: 6 }, (_, index) => ({ id: String(index), aspect: 16 / 9, pinned: false }));
  const { boxes } = layOut(list, 1500, 560);

  test("lead to the tile beside, mirrored with the page", () => {
    expect(neighbour(boxes, "0", "ArrowRight", false)).toBe("1");
    expect(neighbour(boxes, "1", "ArrowRight", true)).toBe("0");
    expect(neighbour(boxes, "0", "ArrowDown", false)).toBe("3");
    expect(neighbour(boxes, "4", "ArrowUp", true)).toBe("1");
  });

  test("stop at the edge, and begin at the first", () => {
    expect(neighbour(boxes, "0", "ArrowLeft", false)).toBeNull();
    expect(neighbour(boxes, "", "ArrowLeft", false)).toBe("0");
  });
});
