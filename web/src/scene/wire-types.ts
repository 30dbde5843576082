/**
 * Protobuf says that a field which arrives in another wire type than its own is an unknown field. The library in use reads it as
 * if it were its own. This puts such fields out first, so that both readers take every message alike.
 */

import { ScalarType, type DescField, type DescMessage } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

function wireTypeOf(field: DescField): WireType {
  if (field.fieldKind === "message" || field.fieldKind === "list" || field.fieldKind === "map") return WireType.LengthDelimited;
  if (field.fieldKind === "enum") return WireType.Varint;
  switch (field.scalar) {
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
    case ScalarType.DOUBLE:
      return WireType.Bit64;
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
    case ScalarType.FLOAT:
      return WireType.Bit32;
    case ScalarType.BYTES:
    case ScalarType.STRING:
      return WireType.LengthDelimited;
    default:
      return WireType.Varint;
  }
}

/** The message without fields of a wrong wire type: the same bytes if there are none. Throws if it is not protobuf. */
export function withoutMistyped(schema: DescMessage, bytes: Uint8Array): Uint8Array {
  const reader = new BinaryReader(bytes);
  const kept: Uint8Array[] = [];
  let changed = false;
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const [number, wireType] = reader.tag();
    const afterTag = reader.pos;
    const field = schema.fields.find((each) => each.number === number);
    if (field !== undefined && wireTypeOf(field) !== wireType) {
      reader.skip(wireType, number);
      changed = true;
      continue;
    }
    if (field?.fieldKind === "message" && wireType === WireType.LengthDelimited) {
      const inner = reader.bytes();
      const clean = withoutMistyped(field.message, inner);
      if (clean !== inner) {
        changed = true;
        kept.push(bytes.subarray(start, afterTag), varint(clean.length), clean);
        continue;
      }
    } else {
      reader.skip(wireType, number);
    }
    kept.push(bytes.subarray(start, reader.pos));
  }
  return changed ? joined(kept) : bytes;
}

function varint(value: number): Uint8Array {
  const out: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    out.push((rest % 128) | (rest >= 128 ? 128 : 0));
    if (rest < 128) return Uint8Array.from(out);
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
