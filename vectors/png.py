"""A PNG writer whose bytes are the same everywhere: 8-bit RGB, stored without compression (zlib's output differs by version)."""

from __future__ import annotations

import struct
import zlib

Rows = list[list[tuple[int, int, int]]]
"""A picture as rows of (r, g, b)."""


def png(rows: Rows) -> bytes:
    """Encode a picture."""
    raw = b"".join(b"\0" + bytes(level for pixel in row for level in pixel) for row in rows)
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", _stored(raw)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _stored(raw: bytes) -> bytes:
    pieces = [raw[start : start + 65535] for start in range(0, len(raw), 65535)]
    out = b"\x78\x01"
    for index, piece in enumerate(pieces):
        last = index == len(pieces) - 1
        out += struct.pack("<BHH", last, len(piece), len(piece) ^ 0xFFFF) + piece
    return out + struct.pack(">I", zlib.adler32(raw))
