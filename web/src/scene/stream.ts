/**
 * A stream of length-delimited messages (varint length, then that many bytes), as `GET /api/cameras/{id}/scene` sends it.
 * Knows nothing of what the messages are.
 */

import { MAX_MESSAGE_BYTES, WireError } from "./wire";

const MAX_LENGTH_BYTES = 5;

/** Takes bytes as they come off the network and gives messages as they become whole. */
export class Delimiter {
  #rest = new Uint8Array(0);

  /** Messages that `chunk` completed; each is a view into memory that nothing writes to again. */
  push(chunk: Uint8Array): Uint8Array[] {
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
      if (length === null || length.next + length.value > bytes.length) break;
      messages.push(bytes.subarray(length.next, length.next + length.value));
      position = length.next + length.value;
    }
    this.#rest = bytes.slice(position);
    return messages;
  }

  /** Throws WireError if the stream ends inside a message. */
  end(): void {
    if (this.#rest.length > 0) throw new WireError(`stream ends inside a message, ${this.#rest.length} bytes into it`);
  }
}

/** null: the length itself is not whole yet. */
function readLength(bytes: Uint8Array, position: number): { value: number; next: number } | null {
  let value = 0;
  for (let index = 0; index < MAX_LENGTH_BYTES; index++) {
    const byte = bytes[position + index];
    if (byte === undefined) return null;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) {
      if (value > MAX_MESSAGE_BYTES) throw new WireError(`message of ${value} bytes: at most ${MAX_MESSAGE_BYTES} are taken`);
      return { value, next: position + index + 1 };
    }
  }
  throw new WireError("length of a message takes more than 5 bytes");
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
    }
    delimiter.end();
  } finally {
    // Whoever stops reading early also stops the transfer.
    await reader.cancel().catch(() => undefined);
  }
}
