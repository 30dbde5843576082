"""A protobuf writer of its own: the vectors must not come from the code that they test.

Belongs here: fields as bytes, so that wrong ones can be written as easily as right ones. Fields that are 0 or empty are left out, as
proto3 does.
"""

from __future__ import annotations

import struct


def varint(value: int) -> bytes:
    """Seven bits a byte, lowest first."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field: int, value: int) -> bytes:
    """A uint32, uint64 or enum."""
    return varint(field << 3) + varint(value) if value else b""


def fixed64(field: int, value: int) -> bytes:
    return varint(field << 3 | 1) + struct.pack("<Q", value) if value else b""


def sfixed64(field: int, value: int) -> bytes:
    return varint(field << 3 | 1) + struct.pack("<q", value) if value else b""


def data(field: int, value: bytes) -> bytes:
    """Bytes, or a string in UTF-8."""
    return message(field, value) if value else b""


def message(field: int, value: bytes) -> bytes:
    """A message: written even if it is empty."""
    return varint(field << 3 | 2) + varint(len(value)) + value
