"""Blind zones: polygons that the site never wants seen, as blocks."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np

from privet.core.grid import BoolGrid, Grid

SAMPLES = 5


def blind_blocks(grid: Grid, polygons: Sequence[Sequence[tuple[float, float]]]) -> BoolGrid:
    """Blocks that any polygon touches: bool (rows, columns). Points are fractions of width and height.

    A block counts as touched when one of 5 x 5 points in it lies inside (the winding number is not 0, so that where a polygon overlaps
    itself is inside too), or an edge passes through it or nearer than a quarter of a block by: a block too many is flat, none too few.
    """
    blind = np.zeros(grid.shape, np.bool_)
    side = grid.block_px
    fractions = (np.arange(SAMPLES) + 0.5) / SAMPLES
    x = (np.arange(grid.columns)[:, None] + fractions[None]).ravel() * side
    y = (np.arange(grid.rows)[:, None] + fractions[None]).ravel() * side
    for polygon in polygons:
        points = np.array(polygon, np.float64) * np.array([grid.width_px, grid.height_px])
        winding = np.zeros((y.size, x.size), np.int32)
        for (x0, y0), (x1, y1) in zip(points, np.roll(points, -1, axis=0), strict=True):
            crossed = np.flatnonzero((y0 <= y) != (y1 <= y))
            at_x = x0 + (y[crossed] - y0) / (y1 - y0) * (x1 - x0)
            winding[crossed] += np.where(x[None] < at_x[:, None], 1 if y1 > y0 else -1, 0).astype(np.int32)
            # No point of the edge is further than a quarter of a block from a sample, across or down.
            steps = ceil(max(abs(x1 - x0), abs(y1 - y0)) / (side / 2)) + 1
            along = np.linspace(0.0, 1.0, steps)
            for shift_x, shift_y in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
                column = np.clip((x0 + along * (x1 - x0) + shift_x * side / 4) // side, 0, grid.columns - 1).astype(np.int64)
                row = np.clip((y0 + along * (y1 - y0) + shift_y * side / 4) // side, 0, grid.rows - 1).astype(np.int64)
                blind[row, column] = True
        blind |= (winding != 0).reshape(grid.rows, SAMPLES, grid.columns, SAMPLES).any(axis=(1, 3))
    return blind
