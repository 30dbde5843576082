/**
 * A stream of length-delimited messages (varint length, then that many bytes), as `GET /api/cameras/{id}/scene` sends it.
 * Knows nothing of what the messages are.
 */

import { MAX_MESSAGE_BYTES } from "./wire";

const MAX_LENGTH_BYTES = 10;

/** A stream that cannot be read further: torn, or out of step. What came whole before it counts. */
export class StreamError extends Error {
  override readonly name = "StreamError";
  readonly end: "torn" | "bad";

  constructor(end: "torn" | "bad", message: string) {
    super(message);
    this.end = end;
  }
}

/** Takes bytes as they come off the network and gives messages as they become whole. */
export class Delimiter {
  #rest: Uint8Array = new Uint8Array(0);
  #broken: StreamError | null = null;

  /**
   * Messages that `chunk` completed; each is a view into memory that nothing writes to again. A bad length ends the stream: the
   * messages before it are still given, `check` then throws.
   */
  push(chunk: Uint8Array): Uint8Array[] {
    if (this.#broken !== null) return [];
    let bytes = chunk;
    if (this.#rest.length > 0) {
      bytes = new Uint8Array(this.#rest.length + chunk.length);
      bytes.set(this.#rest);
      bytes.set(chunk, this.#rest.length);
    }
    const messages: Uint8Array[] = [];
    let position = 0;
    for (;;) {
      const length = readLength(bytes, position);
      if (length instanceof StreamError) {
        this.#broken = length;
        return messages;
      }
      if (length === null || length.next + length.value > bytes.length) break;
      messages.push(bytes.subarray(length.next, length.next + length.value));
      position = length.next + length.value;
    }
    this.#rest = bytes.slice(position);
    return messages;
  }

  /** Throws StreamError once the stream cannot be read further. */
  check(): void {
    if (this.#broken !== null) throw this.#broken;
  }

  /** Throws StreamError if the stream ended inside a message or could not be read further. */
  end(): void {
    this.check();
    if (this.#rest.length > 0) throw new StreamError("torn", `stream ends inside a message, ${this.#rest.length} bytes into it`);
  }
}

/** null: the length itself is not whole yet. */
function readLength(bytes: Uint8Array, position: number): { value: number; next: number } | StreamError | null {
  let value = 0;
  for (let index = 0; index < MAX_LENGTH_BYTES; index++) {
    const byte = bytes[position + index];
    if (byte === undefined) return null;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) {
      if (value > MAX_MESSAGE_BYTES) {
        return new StreamError("bad", `message of ${value} bytes: at most ${MAX_MESSAGE_BYTES} are taken`);
      }
      return { value, next: position + index + 1 };
    }
  }
  return new StreamError("bad", `length of a message takes more than ${MAX_LENGTH_BYTES} bytes`);
}

/** Messages of a response's body, as they arrive. */
export async function* delimited(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const delimiter = new Delimiter();
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      yield* delimiter.push(value);
      delimiter.check();
    }
    delimiter.end();
  } finally {
    // Whoever stops reading early also stops the transfer.
    await reader.cancel().catch(() => undefined);
  }
}
