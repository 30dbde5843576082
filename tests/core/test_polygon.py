"""The blocks that a polygon touches, against plain loops over blocks."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privet.core.grid import BoolGrid, Grid
from privet.core.polygon import MOST_POINTS, Polygon, touched_blocks

Corner = tuple[Fraction, Fraction]

SIDE = 64  # polygons' corners lie on a raster of so many steps, which floats hold exactly


@st.composite
def cases(draw: st.DrawFn) -> tuple[Polygon, Grid]:
    grid = Grid(draw(st.integers(1, 80)), draw(st.integers(1, 60)))
    corners = draw(st.lists(st.tuples(st.integers(0, SIDE), st.integers(0, SIDE)), min_size=3, max_size=7))
    return Polygon(tuple((x / SIDE, y / SIDE) for x, y in corners)), grid


def plain(polygon: Polygon, grid: Grid, margin: Fraction) -> BoolGrid:
    """Block by block, in fractions: an edge passes through the block's inside, or its middle lies in the polygon.

    margin: blocks are so much larger (or smaller, below zero) on every side, in blocks.
    """
    corners = [
        (Fraction(x) * grid.width_px / grid.block_px, Fraction(y) * grid.height_px / grid.block_px) for x, y in polygon.points
    ]
    edges = [*pairwise(corners), (corners[-1], corners[0])]
    found = np.zeros(grid.shape, np.bool_)
    for row in range(grid.rows):
        for column in range(grid.columns):
            left, top = column - margin, row - margin
            right, bottom = column + 1 + margin, row + 1 + margin
            middle = (column + Fraction(1, 2), row + Fraction(1, 2))
            found[row, column] = any(passes(a, b, left, top, right, bottom) for a, b in edges) or inside(middle, edges)
    return found


def passes(a: Corner, b: Corner, left: Fraction, top: Fraction, right: Fraction, bottom: Fraction) -> bool:
    """Whether the line from a to b has a point with left < x < right and top < y < bottom."""
    low, high = Fraction(0), Fraction(1)
    for start, end, least, most in ((a[0], b[0], left, right), (a[1], b[1], top, bottom)):
        step = end - start
        if step == 0:
            if not least < start < most:
                return False
            continue
        enters, leaves = sorted(((least - start) / step, (most - start) / step))
        low, high = max(low, enters), min(high, leaves)
    return low < high


def inside(point: Corner, edges: list[tuple[Corner, Corner]]) -> bool:
    x, y = point
    return sum((a[1] <= y) != (b[1] <= y) and a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0]) <= x for a, b in edges) % 2 == 1


@given(cases())
def test_as_plain_loops_find_them(case: tuple[Polygon, Grid]) -> None:
    polygon, grid = case
    found = touched_blocks(polygon, grid)
    # Floats may differ from fractions where an edge runs through a block's very corner, and nowhere else.
    hair = Fraction(1, 10**9)
    assert not (plain(polygon, grid, -hair) & ~found).any()
    assert not (found & ~plain(polygon, grid, hair)).any()


@given(cases())
def test_a_corner_within_a_block_touches_it(case: tuple[Polygon, Grid]) -> None:
    polygon, grid = case
    found = touched_blocks(polygon, grid)
    corners = [(x * grid.width_px / grid.block_px, y * grid.height_px / grid.block_px) for x, y in polygon.points]
    for x, y in corners:
        if x % 1 and y % 1:
            assert found[math.floor(y), math.floor(x)]


def test_the_smallest_polygon_touches_a_block_and_whole_blocks_touch_no_others() -> None:
    grid = Grid(1920, 1080)
    dot = Polygon(((0.5, 0.5001), (0.50001, 0.5001), (0.50001, 0.50011)))
    assert touched_blocks(dot, grid).sum() == 1
    square = Polygon(((0.5, 0.0), (1.0, 0.0), (1.0, 8 / 1080), (0.5, 8 / 1080)))
    assert np.argwhere(touched_blocks(square, grid)).tolist() == [[0, column] for column in range(120, 240)]
    everything = Polygon(((0, 0), (1, 0), (1, 1), (0, 1)))
    assert touched_blocks(everything, Grid(1921, 1081)).all()


@pytest.mark.parametrize(
    "points",
    [
        (), ((0, 0), (1, 1)), ((0, 0),) * (MOST_POINTS + 1), ((0, 0), (1, 0), (1, 1.01)), ((0, 0), (1, 0), (-0.1, 1)),
        ((0, 0), (1, 0), (math.nan, 1)), ((0, 0), (1, 0), (math.inf, 1)),
    ],
)  # fmt: skip
def test_what_is_no_polygon_is_refused(points: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(ValueError, match=r"corner"):
        Polygon(points)
