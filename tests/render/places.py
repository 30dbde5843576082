"""Small places to draw: scenes as a worker would say them."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from privet.core.grid import BoolGrid, Grid
from privet.core.scene import (
    Background,
    Condition,
    Cover,
    Head,
    ImageFormat,
    Light,
    Patch,
    Reason,
    State,
)
from privet.render.paint import Picture

T0 = 1_700_000_000_000_000_000
S = 1_000_000_000
SESSION = 7


def texture(width_px: int, height_px: int, seed: int = 0) -> Picture:
    """A picture that a codec keeps well: slopes and large squares."""
    y, x = np.mgrid[0:height_px, 0:width_px]
    squares = ((x // 32 + y // 24 + seed) % 2) * 60
    return np.stack((x * 150 // width_px + 40, y * 120 // height_px + squares, 200 - x * 90 // width_px), axis=2).astype(np.uint8)


def png(picture: Picture) -> bytes:
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "PNG")
    return out.getvalue()


def everything(grid: Grid) -> BoolGrid:
    return np.ones(grid.shape, np.bool_)


def nothing(grid: Grid) -> BoolGrid:
    return np.zeros(grid.shape, np.bool_)


def head(sequence: int, wall_ns: int = T0, session: int = SESSION) -> Head:
    return Head(session, sequence, wall_ns)


def background(sequence: int, grid: Grid, picture: Picture, proven: BoolGrid | None = None, wall_ns: int = T0) -> Background:
    said = everything(grid) if proven is None else proven
    image = png(picture) if said.any() else b""
    age = (T0 - 3 * 3600 * S, T0 - 60 * S) if image else (0, 0)
    return Background(head(sequence, wall_ns), grid, said, ImageFormat.PNG, image, *age)


def patch(sequence: int, grid: Grid, at: tuple[int, int], promoted: BoolGrid, picture: Picture, wall_ns: int = T0) -> Patch:
    """Of `picture`, the rectangle of blocks at (column, row)."""
    size, (column, row) = grid.block_px, at
    rows, columns = promoted.shape
    part = picture[row * size : (row + rows) * size, column * size : (column + columns) * size]
    return Patch(head(sequence, wall_ns), grid.epoch, column, row, promoted, ImageFormat.PNG, png(part))


def cover(sequence: int, grid: Grid, covered: BoolGrid, wall_ns: int = T0, duration_ns: int = S // 5) -> Cover:
    return Cover(head(sequence, wall_ns), grid.epoch, duration_ns, covered)


def light(sequence: int, grid: Grid, gain: list[list[int]], offset: list[list[int]], wall_ns: int = T0) -> Light:
    return Light(head(sequence, wall_ns), grid.epoch, np.array(gain, np.uint8), np.array(offset, np.uint8))


def state(
    sequence: int,
    grid: Grid | None,
    wall_ns: int = T0,
    condition: Condition = Condition.AWAKE,
    reason: Reason = Reason.NONE,
    until_ns: int = 0,
) -> State:
    return State(head(sequence, wall_ns), condition, reason, until_ns, grid, 0, 0)


def block(grid: Grid, *places: tuple[int, int]) -> BoolGrid:
    """Only the blocks at these (column, row)."""
    blocks = nothing(grid)
    for column, row in places:
        blocks[row, column] = True
    return blocks
