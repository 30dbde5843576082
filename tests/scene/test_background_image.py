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
from tests.scene.proof.test_promote import per_pixel

from privet.core.frame import Matrix
from privet.core.grid import BoolGrid, Grid
from privet.scene.background_image import bounding_rectangle, encode_webp, to_rgb
from privet.scene.proof.promote import FLAT_CHROMA, FLAT_Y, ProvenBackground, restore
from privet.scene.proof.views import RGB_COEFFICIENTS

FLAT_RGB = int((FLAT_Y - 16) * 1.164384 + 0.5)
grids = st.builds(Grid, st.integers(1, 50), st.integers(1, 50), st.just(8))


def background_of(grid: Grid, proven: BoolGrid, seed: int, matrix: Matrix = Matrix.BT709) -> ProvenBackground:
    background = ProvenBackground(grid, matrix)
    restore(background, random_planes(grid.height_px, grid.width_px, seed), proven, np.ones(grid.shape, np.int64))
    return background


def flattened(plane: np.ndarray, shown: BoolGrid, unit: int, flat: int) -> np.ndarray:
    """Blocks that are not shown, plainly: the mean of their shown neighbours' means, else `flat`."""
    blocks = {
        (int(row), int(column)): plane[row * unit : (row + 1) * unit, column * unit : (column + 1) * unit].astype(np.float64)
        for row, column in np.ndindex(*shown.shape)
    }
    means = {at: block.mean() if block.size else 0.0 for at, block in blocks.items()}
    out = plane.copy()
    for row, column in np.ndindex(*shown.shape):
        if shown[row, column]:
            continue
        beside = [
            means[at]
            for at in np.ndindex(*shown.shape)
            if shown[at] and abs(at[0] - row) <= 1 and abs(at[1] - column) <= 1
        ]
        value = int(np.mean(beside) + 0.5) if beside else flat
        out[row * unit : (row + 1) * unit, column * unit : (column + 1) * unit] = value
    return out


def rgb_reference(background: ProvenBackground, blocks: BoolGrid, rectangle: tuple[int, int, int, int]) -> np.ndarray:
    """The rectangle, plainly."""
    row, column, rows, columns = rectangle
    shown = (blocks & background.proven)[row : row + rows, column : column + columns]
    planes = []
    for plane, unit, flat in zip(background.planes, (8, 4, 4), (FLAT_Y, FLAT_CHROMA, FLAT_CHROMA), strict=True):
        cut = plane[row * unit : (row + rows) * unit, column * unit : (column + columns) * unit]
        planes.append(flattened(cut, shown, unit, flat).astype(np.float64))
    y = planes[0]
    u, v = (plane.repeat(2, 0).repeat(2, 1)[: y.shape[0], : y.shape[1]] - 128 for plane in planes[1:])
    scale, cr_r, cb_g, cr_g, cb_b = RGB_COEFFICIENTS[background.matrix]
    luma = (y - 16) * scale
    rgb = np.stack([luma + cr_r * v, luma + cb_g * u + cr_g * v, luma + cb_b * u], axis=-1)
    return np.floor(np.clip(rgb + 0.5, 0, 255)).astype(np.uint8)


@settings(max_examples=40)
@given(st.data(), grids, st.sampled_from(list(Matrix)), st.integers(0, 99))
def test_to_rgb(data: st.DataObject, grid: Grid, matrix: Matrix, seed: int) -> None:
    proven, blocks = data.draw(arrays(np.bool_, grid.shape)), data.draw(arrays(np.bool_, grid.shape))
    background = background_of(grid, proven, seed, matrix)
    row, column = data.draw(st.integers(0, grid.rows - 1)), data.draw(st.integers(0, grid.columns - 1))
    rows, columns = data.draw(st.integers(1, grid.rows - row)), data.draw(st.integers(1, grid.columns - column))
    got = to_rgb(background, blocks, (row, column, rows, columns))
    expected = rgb_reference(background, blocks, (row, column, rows, columns))
    # A mean that lies on a half may be rounded either way by the order of its sum.
    assert np.abs(got.astype(int) - expected.astype(int)).max(initial=0) <= 3


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
    wanted = rgb_reference(background, blocks, rectangle)
    with Image.open(io.BytesIO(encode_webp(to_rgb(background, blocks, rectangle)))) as image:
        decoded = np.asarray(image.convert("RGB")).astype(int)
    assert decoded.shape == wanted.shape
    assert np.abs(decoded - wanted).mean() < 4
    inner = decoded[33:39, 42:70]  # the hole's middle row of blocks, which has no shown neighbour but at its ends
    assert np.abs(inner - FLAT_RGB).max() <= 10


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
