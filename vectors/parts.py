"""Scene messages as bytes, field by field as proto/privet/v1/scene.proto numbers them, with defaults that are right."""

from __future__ import annotations

from dataclasses import dataclass

from vectors import protobuf as pb

SESSION = 0x1122334455667788
T0 = 1_700_000_000_000_000_000
S = 1_000_000_000

STARTING, AWAKE, ASLEEP, BLIND, OFFLINE = 1, 2, 3, 4, 5
NO_REASON, UNREACHABLE = 1, 2
WEBP, PNG = 1, 2

IMAGE = bytes.fromhex("0102030405")
"""Stands where only `render` would look inside."""


@dataclass(frozen=True)
class GridCase:
    """A grid as vectors write it."""

    width: int
    height: int
    block: int = 8
    epoch: int = 0

    def bytes(self) -> bytes:
        return pb.number(1, self.width) + pb.number(2, self.height) + pb.number(3, self.block) + pb.number(4, self.epoch)

    def json(self) -> dict[str, int]:
        return {"width_px": self.width, "height_px": self.height, "block_px": self.block, "epoch": self.epoch}


SMALL = GridCase(16, 16)
"""2 x 2 blocks: one byte of bitmap, four bits of padding."""
WIDE = GridCase(100, 75)
"""13 x 10 blocks, partial at the right and at the bottom: 17 bytes, six bits of padding."""


def bits(rows: str) -> bytes:
    """Pack `#` and `.`, rows separated by `/`, by hand: most significant bit first, rows not padded."""
    text = rows.replace("/", "").replace("#", "1").replace(".", "0")
    text += "0" * (-len(text) % 8)
    return bytes(int(text[start : start + 8], 2) for start in range(0, len(text), 8))


def head(sequence: int, wall_ns: int = T0, session: int = SESSION) -> bytes:
    return pb.fixed64(1, session) + pb.number(2, sequence) + pb.sfixed64(3, wall_ns)


def background(
    sequence: int,
    grid: GridCase = SMALL,
    proven: bytes = bits("##/##"),
    image: bytes = IMAGE,
    *,
    image_format: int = WEBP,
    oldest: int = T0 - 60 * S,
    newest: int = T0 - S,
    wall: int = T0,
    session: int = SESSION,
) -> bytes:
    body = (
        pb.message(1, head(sequence, wall, session))
        + pb.message(2, grid.bytes())
        + pb.data(3, proven)
        + pb.number(4, image_format)
        + pb.data(5, image)
        + pb.sfixed64(6, oldest)
        + pb.sfixed64(7, newest)
    )
    return pb.message(1, body)


def patch(
    sequence: int,
    promoted: bytes = bits("#"),
    image: bytes = IMAGE,
    *,
    epoch: int = 0,
    at: tuple[int, int] = (0, 0),
    size: tuple[int, int] = (1, 1),
    image_format: int = WEBP,
    wall: int = T0,
    session: int = SESSION,
) -> bytes:
    """at: (column, row); size: (columns, rows)."""
    body = (
        pb.message(1, head(sequence, wall, session))
        + pb.number(2, epoch)
        + pb.number(3, at[0])
        + pb.number(4, at[1])
        + pb.number(5, size[0])
        + pb.number(6, size[1])
        + pb.data(7, promoted)
        + pb.number(8, image_format)
        + pb.data(9, image)
    )
    return pb.message(2, body)


def cover(
    sequence: int,
    covered: bytes = bits("#./.."),
    *,
    epoch: int = 0,
    duration: int = S // 5,
    wall: int = T0,
    session: int = SESSION,
) -> bytes:
    body = (
        pb.message(1, head(sequence, wall, session)) + pb.number(2, epoch) + pb.number(3, duration) + pb.data(4, covered)
    )
    return pb.message(3, body)


def light(
    sequence: int,
    gain: bytes = bytes([128, 160]),
    offset: bytes = bytes([128, 118]),
    *,
    size: tuple[int, int] = (2, 1),
    epoch: int = 0,
    wall: int = T0,
    session: int = SESSION,
) -> bytes:
    """size: (columns, rows) of cells."""
    body = (
        pb.message(1, head(sequence, wall, session))
        + pb.number(2, epoch)
        + pb.number(3, size[0])
        + pb.number(4, size[1])
        + pb.data(5, gain)
        + pb.data(6, offset)
    )
    return pb.message(4, body)


def state(
    sequence: int,
    condition: int = AWAKE,
    reason: int = NO_REASON,
    *,
    until: int = 0,
    grid: GridCase | None = SMALL,
    proven: int = 0,
    blind: int = 0,
    wall: int = T0,
    session: int = SESSION,
) -> bytes:
    body = (
        pb.message(1, head(sequence, wall, session))
        + pb.number(2, condition)
        + pb.number(3, reason)
        + pb.sfixed64(4, until)
        + (b"" if grid is None else pb.message(5, grid.bytes()))
        + pb.number(6, proven)
        + pb.number(7, blind)
    )
    return pb.message(5, body)
