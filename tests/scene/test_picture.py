"""The background as an image: only promoted blocks are in it."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from tests.scene.pictures import bool_grids, place, random_planes
from tests.scene.test_promote import per_pixel

from privet.core.frame import Matrix
from privet.core.grid import BoolGrid, Grid
from privet.scene.picture import bounding_rectangle, encode_webp, to_rgb
from privet.scene.promote import FLAT_Y, ProvenBackground, restore
from privet.scene.sample import RGB_COEFFICIENTS

FLAT_RGB = int((FLAT_Y - 16) * 1.164384 + 0.5)
grids = st.builds(Grid, st.integers(1, 50), st.integers(1, 50), st.just(8))


def background_of(grid: Grid, proven: BoolGrid, seed: int, matrix: Matrix = Matrix.BT709) -> ProvenBackground:
    background = ProvenBackground(grid, matrix)
    restore(background, random_planes(grid.height_px, grid.width_px, seed), proven, np.ones(grid.shape, np.int64))
    return background


def rgb_reference(background: ProvenBackground, blocks: BoolGrid) -> np.ndarray:
    """The whole picture, plainly."""
    grid = background.grid
    y, u, v = (plane.astype(np.float64) for plane in background.planes)
    u, v = (plane.repeat(2, 0).repeat(2, 1)[: grid.height_px, : grid.width_px] - 128 for plane in (u, v))
    scale, cr_r, cb_g, cr_g, cb_b = RGB_COEFFICIENTS[background.matrix]
    luma = (y - 16) * scale
    rgb = np.stack([luma + cr_r * v, luma + cb_g * u + cr_g * v, luma + cb_b * u], axis=-1)
    rounded = np.floor(np.clip(rgb + 0.5, 0, 255)).astype(np.uint8)
    shown, _ = per_pixel(blocks & background.proven, grid)
    rounded[~shown] = FLAT_RGB
    return rounded


@settings(max_examples=60)
@given(st.data(), grids, st.sampled_from(list(Matrix)), st.integers(0, 99))
def test_to_rgb(data: st.DataObject, grid: Grid, matrix: Matrix, seed: int) -> None:
    proven, blocks = data.draw(arrays(np.bool_, grid.shape)), data.draw(arrays(np.bool_, grid.shape))
    background = background_of(grid, proven, seed, matrix)
    row, column = data.draw(st.integers(0, grid.rows - 1)), data.draw(st.integers(0, grid.columns - 1))
    rows, columns = data.draw(st.integers(1, grid.rows - row)), data.draw(st.integers(1, grid.columns - column))
    got = to_rgb(background, blocks, (row, column, rows, columns))
    expected = rgb_reference(background, blocks)[row * 8 : (row + rows) * 8, column * 8 : (column + columns) * 8]
    assert np.array_equal(got, expected)


@settings(max_examples=40)
@given(st.data(), grids, st.integers(0, 99))
def test_what_is_not_shown_does_not_matter(data: st.DataObject, grid: Grid, seed: int) -> None:
    """Two backgrounds that agree on the blocks of a patch give the same bytes."""
    proven, blocks = data.draw(arrays(np.bool_, grid.shape)), data.draw(arrays(np.bool_, grid.shape))
    blocks |= np.arange(grid.blocks).reshape(grid.shape) == grid.blocks // 2
    one = background_of(grid, proven, seed)
    planes = tuple(np.array(plane) for plane in one.planes)
    luma, chroma = per_pixel(blocks, grid)
    for plane, pixels in zip(planes, (luma, chroma, chroma), strict=True):
        plane[~pixels] = 255 - plane[~pixels]
    other = ProvenBackground(grid, Matrix.BT709)
    restore(other, (planes[0], planes[1], planes[2]), proven, np.ones(grid.shape, np.int64))
    rectangle = bounding_rectangle(blocks)
    assert encode_webp(to_rgb(one, blocks, rectangle)) == encode_webp(to_rgb(other, blocks, rectangle))


def test_a_patch_shows_its_blocks_and_nothing_else() -> None:
    grid = Grid(320, 240)
    background = ProvenBackground(grid, Matrix.BT601)
    restore(background, place(), np.ones(grid.shape, np.bool_), np.ones(grid.shape, np.int64))
    blocks = np.zeros(grid.shape, np.bool_)
    blocks[5:15, 8:24] = True
    blocks[8:11, 12:18] = False
    rectangle = bounding_rectangle(blocks)
    assert rectangle == (5, 8, 10, 16)
    wanted = rgb_reference(background, blocks)[40:120, 64:192]
    with Image.open(io.BytesIO(encode_webp(to_rgb(background, blocks, rectangle)))) as image:
        decoded = np.asarray(image.convert("RGB")).astype(int)
    assert decoded.shape == wanted.shape
    assert np.abs(decoded - wanted).mean() < 4
    hole = decoded[28:44, 36:76]  # a margin of half a block: the codec's own blocks reach over the edge
    assert np.abs(hole - FLAT_RGB).max() <= 10


@given(bool_grids().filter(lambda bits: bool(bits.any())))
def test_bounding_rectangle(bits: BoolGrid) -> None:
    row, column, rows, columns = bounding_rectangle(bits)
    outside = bits.copy()
    outside[row : row + rows, column : column + columns] = False
    assert not outside.any()
    inside = bits[row : row + rows, column : column + columns]
    assert inside.shape == (rows, columns)
    for edge in (inside[0], inside[-1], inside[:, 0], inside[:, -1]):
        assert edge.any()


@pytest.mark.parametrize("size", [(1, 1), (33, 17), (100, 75)])
def test_an_unproven_background_is_flat(size: tuple[int, int]) -> None:
    background = ProvenBackground(Grid(*size), Matrix.BT709)
    grid = background.grid
    assert (to_rgb(background, np.ones(grid.shape, np.bool_), (0, 0, grid.rows, grid.columns)) == FLAT_RGB).all()
