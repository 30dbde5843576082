import fc from "fast-check";
import { expect, test } from "vitest";
import { bitAt, countBits, eachRun, eachSetRun, hasBits, packBits, readBitmap, unpackBits } from "../../src/scene/bits";

const blocks = fc
  .tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }))
  .chain(([rows, columns]) =>
    fc.tuple(
      fc.constant(rows),
      fc.constant(columns),
      fc.uint8Array({ minLength: rows * columns, maxLength: rows * columns, max: 1 }),
    ),
  );

test("packing and unpacking are inverse, and every way of asking agrees", () => {
  fc.assert(
    fc.property(blocks, ([rows, columns, values]) => {
      const bitmap = packBits(values, rows, columns);
      expect(readBitmap(bitmap.bytes, rows, columns)).toEqual(bitmap);
      expect(unpackBits(bitmap)).toEqual(values);
      const set = values.reduce((sum, value) => sum + value, 0);
      expect(countBits(bitmap)).toBe(set);
      for (const least of [0, 1, 2, set, set + 1]) expect(hasBits(bitmap, least)).toBe(set >= least);
      values.forEach((value, index) => expect(bitAt(bitmap, Math.floor(index / columns), index % columns)).toBe(value === 1));
    }),
  );
});

test("runs cover exactly the set blocks, once each", () => {
  fc.assert(
    fc.property(blocks, ([rows, columns, values]) => {
      const drawn = new Uint8Array(rows * columns);
      eachRun(values, rows, columns, (row, column, length) => {
        for (let at = column; at < column + length; at++) drawn[row * columns + at] = (drawn[row * columns + at] ?? 0) + 1;
      });
      expect(drawn).toEqual(values);
    }),
  );
});

test("runs of packed bits are those of the blocks", () => {
  // Long runs and long gaps too, as silhouettes have.
  const shapes = fc
    .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 40 }), fc.array(fc.integer({ min: 1, max: 60 })))
    .map(([rows, columns, lengths]): [number, number, Uint8Array] => {
      const values = new Uint8Array(rows * columns);
      let at = 0;
      lengths.forEach((length, index) => {
        values.fill(index % 2, at, at + length);
        at += length;
      });
      return [rows, columns, values];
    });
  fc.assert(
    fc.property(fc.oneof(blocks, shapes), ([rows, columns, values]) => {
      const wanted: number[][] = [];
      eachRun(values, rows, columns, (...run) => wanted.push(run));
      const found: number[][] = [];
      eachSetRun(packBits(values, rows, columns), (...run) => found.push(run));
      expect(found).toEqual(wanted);
    }),
  );
});

test("the diagonal of the specification", () => {
  const values = Uint8Array.from({ length: 130 }, (_, index) => (Math.floor(index / 13) === index % 13 ? 1 : 0));
  const bytes = [0x80, 0x02, 0, 0x08, 0, 0x20, 0, 0x80, 0x02, 0, 0x08, 0, 0x20, 0, 0x80, 0x02, 0];
  expect([...packBits(values, 10, 13).bytes]).toEqual(bytes);
});

test("a bitmap of another length or with a padding bit is refused", () => {
  expect(() => readBitmap(Uint8Array.of(0), 3, 3)).toThrow(RangeError);
  expect(() => readBitmap(Uint8Array.of(0, 0x01), 3, 3)).toThrow("padding");
});
