"""Ground truth of public sequences, and what a scene is held against: person cores, the person-free plate.

Belongs here: reading MOTChallenge files and the plain measures over them. Boxes are (left, top, width, height) in pixels; frames count
from 0 here, from 1 in the files. Format: Leal-Taixe et al., "MOTChallenge 2015: towards a benchmark for multi-target tracking" (2015).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from privet.core.grid import BoolGrid, Grid

CORE_SHRINK = 0.15


@dataclass(frozen=True, slots=True)
class Box:
    """One person in one frame."""

    track: int
    left: float
    top: float
    width: float
    height: float

    def shrunk(self, share: float) -> Box:
        """Smaller by `share` of its size on each side; larger where negative."""
        return Box(
            self.track,
            self.left + self.width * share,
            self.top + self.height * share,
            self.width * (1 - 2 * share),
            self.height * (1 - 2 * share),
        )


Truth = dict[int, tuple[Box, ...]]
"""Boxes per frame; frames without people may be missing."""


def read_truth(path: Path) -> Truth:
    """Read a MOTChallenge ground-truth file; rows whose confidence flag is 0 are left out, as the benchmark asks.

    Raises:
        ValueError: a line that is not of that format.
    """
    boxes: dict[int, list[Box]] = defaultdict(list)
    for number, line in enumerate(path.read_text("ascii").splitlines(), 1):
        fields = line.split(",")
        if len(fields) < 7:
            raise ValueError(f"{path}:{number}: {len(fields)} columns, MOTChallenge has at least 7")
        if float(fields[6]) != 0:
            boxes[int(fields[0]) - 1].append(Box(int(fields[1]), *(float(value) for value in fields[2:6])))
    return {frame: tuple(found) for frame, found in boxes.items()}


def blocks_touched(box: Box, grid: Grid, grow_blocks: int = 0) -> BoolGrid:
    """Blocks that share any area with the box, and those up to `grow_blocks` around it."""
    touched = np.zeros(grid.shape, np.bool_)
    if box.width <= 0 or box.height <= 0:
        return touched
    side = grid.block_px
    first_row, last_row = int(box.top // side) - grow_blocks, int(-(-(box.top + box.height) // side)) + grow_blocks
    first_column, last_column = int(box.left // side) - grow_blocks, int(-(-(box.left + box.width) // side)) + grow_blocks
    touched[max(first_row, 0) : max(last_row, 0), max(first_column, 0) : max(last_column, 0)] = True
    return touched


def blocks_with_centre_in(box: Box, grid: Grid) -> BoolGrid:
    """Blocks whose centre lies in the box."""
    y = (np.arange(grid.rows) + 0.5) * grid.block_px
    x = (np.arange(grid.columns) + 0.5) * grid.block_px
    rows = (y >= box.top) & (y <= box.top + box.height)
    columns = (x >= box.left) & (x <= box.left + box.width)
    inside: BoolGrid = rows[:, None] & columns[None]
    return inside


def cores(truth: Truth, frames: int, grid: Grid) -> NDArray[np.bool_]:
    """Blocks touched by a person's core (the box shrunk by 15 % a side): bool (frames, rows, columns)."""
    out = np.zeros((frames, *grid.shape), np.bool_)
    for frame in range(frames):
        for box in truth.get(frame, ()):
            out[frame] |= blocks_touched(box.shrunk(CORE_SHRINK), grid)
    return out


def grown_boxes(truth: Truth, frames: int, grid: Grid, grow_blocks: int) -> NDArray[np.bool_]:
    """Blocks touched by a box grown by so many blocks: bool (frames, rows, columns)."""
    out = np.zeros((frames, *grid.shape), np.bool_)
    for frame in range(frames):
        for box in truth.get(frame, ()):
            out[frame] |= blocks_touched(box, grid, grow_blocks)
    return out


def plate(lumas: Iterable[NDArray[np.uint8]], truth: Truth) -> NDArray[np.float32]:
    """The person-free picture: per pixel the median over time with the truth's boxes left out; NaN where nothing is left.

    lumas: uint8 (height, width) per frame, in order. Returns float32 (height, width).
    """
    stack = np.stack(list(lumas)).astype(np.float32)
    _, height, width = stack.shape
    for frame in range(len(stack)):
        for box in truth.get(frame, ()):
            rows = slice(max(int(box.top), 0), min(int(box.top + box.height) + 1, height))
            columns = slice(max(int(box.left), 0), min(int(box.left + box.width) + 1, width))
            stack[frame, rows, columns] = np.nan
    out = np.full((height, width), np.nan, np.float32)
    for row in range(height):  # a row at a time: the median copies what it sorts
        known = ~np.isnan(stack[:, row]).all(axis=0)
        out[row, known] = np.nanmedian(stack[:, row][:, known], axis=0)
    return out
