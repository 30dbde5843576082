import fc from "fast-check";
import { expect, test } from "vitest";
import { Delimiter, delimited } from "../../src/scene/stream";

function framed(messages: readonly Uint8Array[]): Uint8Array {
  const out: number[] = [];
  for (const message of messages) {
    let rest = message.length;
    while (rest >= 128) {
      out.push((rest & 127) | 128);
      rest >>= 7;
    }
    out.push(rest, ...message);
  }
  return Uint8Array.from(out);
}

const messages = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 });

test("however the network cuts a stream, the same messages come out", () => {
  fc.assert(
    fc.property(messages, fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (sent, cuts) => {
      const bytes = framed(sent);
      const delimiter = new Delimiter();
      const received: Uint8Array[] = [];
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const size = cuts[turn % cuts.length] ?? 1;
        received.push(...delimiter.push(bytes.subarray(at, at + size)));
        at += size;
      }
      delimiter.end();
      expect(received.map((each) => [...each])).toEqual(sent.map((each) => [...each]));
    }),
  );
});

test("a response's body is read to its end, and its transfer stopped by who stops reading", async () => {
  let stopped = false;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.enqueue(framed([Uint8Array.of(7), Uint8Array.of(8, 9)]));
    },
    cancel() {
      stopped = true;
    },
  });
  const read: number[][] = [];
  for await (const message of delimited(body)) {
    read.push([...message]);
    if (read.length === 3) break;
  }
  expect(read).toEqual([[7], [8, 9], [7]]);
  expect(stopped).toBe(true);
});
