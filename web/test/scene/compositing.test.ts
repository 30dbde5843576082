import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { packBits } from "../../src/scene/bits";
import { applyLight, flatColour, gainOf, offsetOf, paintBlocks } from "../../src/scene/compositing";
import type { Light } from "../../src/scene/scene";

const byte = fc.integer({ min: 0, max: 255 });

function lightOf(rows: number, columns: number, gain: number[], offset: number[]): Light {
  const head = { session: 1n, sequence: 1n, wallNs: 0n };
  return { kind: "light", head, epoch: 0, rows, columns, gain: Uint8Array.from(gain), offset: Uint8Array.from(offset) };
}

const lights = fc
  .record({ rows: fc.integer({ min: 1, max: 4 }), columns: fc.integer({ min: 1, max: 5 }) })
  .chain(({ rows, columns }) => {
    const cells = fc.array(byte, { minLength: rows * columns, maxLength: rows * columns });
    return fc.tuple(cells, cells).map(([gain, offset]) => lightOf(rows, columns, gain, offset));
  });

/** The rule of look.ts, one pixel at a time, word for word. */
function litLevel(level: number, x: number, y: number, width: number, height: number, light: Light): number {
  const between = (at: number, count: number): [number, number, number] => {
    const place = Math.min(count - 1, Math.max(0, at - 0.5));
    const low = Math.min(Math.floor(place), Math.max(0, count - 2));
    return [low, Math.min(low + 1, count - 1), place - low];
  };
  const [left, right, across] = between(((x + 0.5) * light.columns) / width, light.columns);
  const [above, below, down] = between(((y + 0.5) * light.rows) / height, light.rows);
  const mix = (value: (cell: number) => number): number => {
    const line = (row: number): number =>
      value(row * light.columns + left) * (1 - across) + value(row * light.columns + right) * across;
    return line(above) * (1 - down) + line(below) * down;
  };
  const gain = mix((cell) => gainOf(light.gain[cell] ?? 0));
  const offset = mix((cell) => offsetOf(light.offset[cell] ?? 0));
  return Math.min(255, Math.max(0, Math.floor(level * gain + offset + 0.5)));
}

describe("light", () => {
  test("is the rule's, within a level", () => {
    const size = fc.integer({ min: 1, max: 23 });
    fc.assert(
      fc.property(lights, size, size, byte, (light, width, height, level) => {
        const rgba = new Uint8ClampedArray(4 * width * height).fill(level);
        applyLight(rgba, width, height, light);
        for (let y = 0; y < height; y++) {
          for (let x = 0; x < width; x++) {
            const at = 4 * (y * width + x);
            const wanted = litLevel(level, x, y, width, height, light);
            for (let channel = 0; channel < 3; channel++) {
              expect(Math.abs((rgba[at + channel] ?? -9) - wanted)).toBeLessThanOrEqual(1);
            }
            expect(rgba[at + 3]).toBe(level);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe("blocks", () => {
  test("are flat wherever they are unproven or covered, and nowhere else", () => {
    const sides = fc.integer({ min: 1, max: 19 });
    fc.assert(
      fc.property(sides, sides, fc.constantFrom(1, 2, 8), fc.infiniteStream(fc.boolean()), (width, height, blockPx, coins) => {
        const columns = Math.ceil(width / blockPx);
        const rows = Math.ceil(height / blockPx);
        const toss = (): Uint8Array => Uint8Array.from({ length: rows * columns }, () => Number(coins.next().value));
        const proven = toss();
        const covered = toss();
        const rgba = new Uint8ClampedArray(4 * width * height).fill(201);
        paintBlocks(rgba, width, height, blockPx, proven, packBits(covered, rows, columns));
        for (let y = 0; y < height; y++) {
          for (let x = 0; x < width; x++) {
            const block = Math.floor(y / blockPx) * columns + Math.floor(x / blockPx);
            const colour = flatColour(proven[block] === 1, covered[block] === 1) ?? [201, 201, 201];
            expect([...rgba.slice(4 * (y * width + x), 4 * (y * width + x) + 3)]).toEqual([...colour]);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});
