"""The block grid of a picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOCK_SIZES_PX = (8, 16, 32)
MAX_SIDE_PX = 16384
MAX_PICTURE_PX = 64 * 1024 * 1024
"""Twice 8K: what a decoded background may take (192 MB as RGB)."""

BoolGrid = NDArray[np.bool_]
"""Shape (rows, columns): one value a block."""


@dataclass(frozen=True, slots=True)
class Grid:
    """`columns x rows` blocks over a picture; blocks at the right and bottom edge may be partial."""

    width_px: int
    height_px: int
    block_px: int = 8
    epoch: int = 0

    def __post_init__(self) -> None:
        if self.block_px not in BLOCK_SIZES_PX:
            raise ValueError(f"block size {self.block_px} px: take one of {BLOCK_SIZES_PX}")
        if not (1 <= self.width_px <= MAX_SIDE_PX and 1 <= self.height_px <= MAX_SIDE_PX):
            raise ValueError(f"picture size {self.width_px}x{self.height_px}: each side must be 1 to {MAX_SIDE_PX} px")
        if self.width_px * self.height_px > MAX_PICTURE_PX:
            raise ValueError(f"picture size {self.width_px}x{self.height_px}: at most {MAX_PICTURE_PX} px in all")
        if not 0 <= self.epoch < 2**32:
            raise ValueError(f"epoch {self.epoch}: take 0 to {2**32 - 1}")

    @property
    def columns(self) -> int:
        return -(-self.width_px // self.block_px)

    @property
    def rows(self) -> int:
        return -(-self.height_px // self.block_px)

    @property
    def blocks(self) -> int:
        return self.columns * self.rows

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns), as arrays over the grid have it."""
        return (self.rows, self.columns)

    @property
    def bitmap_bytes(self) -> int:
        return -(-self.blocks // 8)


def pack_bits(grid_bits: BoolGrid) -> bytes:
    """Pack booleans of shape (rows, columns): row-major, most significant bit first, rows not padded."""
    return np.packbits(grid_bits.reshape(-1)).tobytes()


def unpack_bits(data: bytes, rows: int, columns: int) -> BoolGrid:
    """Return booleans of shape (rows, columns).

    Raises:
        ValueError: `data` is not exactly ceil(rows * columns / 8) bytes, or a padding bit is set.
    """
    count = rows * columns
    if len(data) != -(-count // 8):
        raise ValueError(f"bitmap of {rows} x {columns} blocks takes {-(-count // 8)} bytes, found {len(data)}")
    bits = np.unpackbits(np.frombuffer(data, np.uint8)).view(np.bool_)
    if bits[count:].any():
        raise ValueError("bitmap has a padding bit set")
    return bits[:count].reshape(rows, columns)
