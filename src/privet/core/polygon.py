"""Polygons over a picture, and the blocks they touch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from privet.core.grid import BoolGrid, Grid

LEAST_POINTS = 3
MOST_POINTS = 64


@dataclass(frozen=True, slots=True)
class Polygon:
    """Closed, given by its corners in fractions of width and height; where it crosses itself, what is inside twice is outside."""

    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        if not LEAST_POINTS <= len(self.points) <= MOST_POINTS:
            raise ValueError(f"a polygon of {len(self.points)} corners: take {LEAST_POINTS} to {MOST_POINTS}")
        if not all(0.0 <= value <= 1.0 for point in self.points for value in point):  # NaN is refused as well
            raise ValueError("a corner outside the picture: x and y are fractions of its width and height, 0 to 1")


def touched_blocks(polygon: Polygon, grid: Grid) -> BoolGrid:
    """Return, as (rows, columns), the blocks that have any of their area in the polygon: the smallest polygon touches one.

    A line along a block's edge alone does not touch it.
    """
    corners = np.array(polygon.points, np.float64) * (grid.width_px, grid.height_px) / grid.block_px
    return _crossed(corners, *grid.shape) | _inside(corners, *grid.shape)


def _crossed(corners: NDArray[np.float64], rows: int, columns: int) -> BoolGrid:
    """Blocks whose inside the outline passes through. corners: (n, 2), in blocks."""
    x1, y1 = corners.T[:, None, :]
    x2, y2 = np.roll(corners, -1, axis=0).T[:, None, :]
    top = np.arange(rows, dtype=np.float64)[:, None]
    low, high = np.maximum(np.minimum(y1, y2), top), np.minimum(np.maximum(y1, y2), top + 1)
    level = y1 == y2
    # The part of every edge that lies in each row of blocks: where it enters and where it leaves.
    run = np.where(level, 1.0, y2 - y1)
    enters, leaves = x1 + (low - y1) / run * (x2 - x1), x1 + (high - y1) / run * (x2 - x1)
    enters, leaves = np.where(level, x1, enters), np.where(level, x2, leaves)
    left, right = np.minimum(enters, leaves), np.maximum(enters, leaves)
    first = np.clip(np.floor(left), 0, columns).astype(np.int64)
    last = np.clip(np.ceil(right), 0, columns).astype(np.int64)
    there = np.where(level, (top < y1) & (y1 < top + 1), low < high) & (first < last)
    row, edge = np.nonzero(there)
    marks = np.zeros((rows, columns + 1), np.int64)
    np.add.at(marks, (row, first[row, edge]), 1)
    np.add.at(marks, (row, last[row, edge]), -1)
    return np.asarray(marks.cumsum(axis=1)[:, :columns] > 0)


def _inside(corners: NDArray[np.float64], rows: int, columns: int) -> BoolGrid:
    """Blocks whose middle lies inside: an odd number of edges to the left of it. corners: (n, 2), in blocks."""
    x1, y1 = corners.T[:, None, :]
    x2, y2 = np.roll(corners, -1, axis=0).T[:, None, :]
    middle = np.arange(rows, dtype=np.float64)[:, None] + 0.5
    crosses = (y1 <= middle) != (y2 <= middle)
    at = x1 + (middle - y1) / np.where(y1 == y2, 1.0, y2 - y1) * (x2 - x1)
    column = np.clip(np.ceil(at - 0.5), 0, columns).astype(np.int64)
    row, edge = np.nonzero(crosses)
    marks = np.zeros((rows, columns + 1), np.int64)
    np.add.at(marks, (row, column[row, edge]), 1)
    return np.asarray(marks.cumsum(axis=1)[:, :columns] % 2 == 1)
