"""Blind zones: whatever a polygon touches is blind."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from privet.core.grid import BoolGrid, Grid
from privet.scene.cover.blind import blind_blocks
from privet.scene.cover.shape import dilate

Polygon = tuple[tuple[float, float], ...]
fractions = st.floats(0, 1)
polygons = st.lists(st.tuples(fractions, fractions), min_size=3, max_size=7).map(tuple)
grids = st.builds(Grid, st.integers(1, 120), st.integers(1, 120), st.sampled_from([8, 16]))


def winding(points: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How often a polygon goes round each point, by the sum of the angles under which its edges are seen."""
    total = np.zeros(x.shape)
    for (x0, y0), (x1, y1) in zip(points, np.roll(points, -1, axis=0), strict=True):
        ax, ay, bx, by = x0 - x, y0 - y, x1 - x, y1 - y
        total += np.arctan2(ax * by - ay * bx, ax * bx + ay * by)
    return np.rint(total / (2 * np.pi))


def touched(grid: Grid, polygon: Polygon) -> BoolGrid:
    """Blocks that contain a point of the polygon, by looking at every half pixel of the picture and along its edges."""
    points = np.array(polygon) * [grid.width_px, grid.height_px]
    y, x = np.mgrid[0.25 : grid.height_px : 0.5, 0.25 : grid.width_px : 0.5]
    blocks = np.zeros(grid.shape, np.bool_)
    inside = winding(points, x, y) != 0
    side = grid.block_px
    blocks[(y[inside] // side).astype(int), (x[inside] // side).astype(int)] = True
    along = np.linspace(0, 1, 800)[:, None]
    for start, end in zip(points, np.roll(points, -1, axis=0), strict=True):
        edge = start + along * (end - start)
        column = np.minimum(edge[:, 0] // side, grid.columns - 1).astype(int)
        row = np.minimum(edge[:, 1] // side, grid.rows - 1).astype(int)
        blocks[row, column] = True
    return blocks


@settings(max_examples=50)
@given(grids, polygons)
@example(Grid(8, 8), ((0.0, 0.0), (0.0, 0.0), (1.0, 2.3e-311)))
def test_every_block_that_is_touched_is_blind(grid: Grid, polygon: Polygon) -> None:
    blind = blind_blocks(grid, (polygon,))
    expected = touched(grid, polygon)
    assert not (expected & ~blind).any()
    assert not (blind & ~dilate(expected, 1)).any(), "and little else is"


@given(grids, st.lists(polygons, max_size=3))
def test_zones_add_up(grid: Grid, zones: list[Polygon]) -> None:
    expected = np.zeros(grid.shape, np.bool_)
    for zone in zones:
        expected |= blind_blocks(grid, (zone,))
    assert np.array_equal(blind_blocks(grid, zones), expected)


def test_where_a_zone_overlaps_itself_is_inside() -> None:
    star: Polygon = tuple(
        (0.5 + 0.45 * float(np.sin(angle)), 0.5 - 0.45 * float(np.cos(angle))) for angle in np.arange(5) * 4 * np.pi / 5
    )
    assert blind_blocks(Grid(400, 400), (star,))[25, 25]


@pytest.mark.parametrize("size", [(1, 1), (33, 17), (1920, 1080)])
def test_the_whole_picture(size: tuple[int, int]) -> None:
    assert blind_blocks(Grid(*size), (((0, 0), (1, 0), (1, 1), (0, 1)),)).all()


def test_a_sliver_is_not_lost() -> None:
    """A zone thinner than a pixel still takes the blocks it lies in."""
    blind = blind_blocks(Grid(320, 240), (((0.1, 0.5), (0.9, 0.5001), (0.9, 0.5)),))
    assert blind[15, 4:36].all()
