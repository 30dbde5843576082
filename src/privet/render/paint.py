"""render(B, C, L): the picture that is shown, as a pure function of background, cover and light.

Belongs here: the drawing rules of docs/ref/scene-stream.md, "How a picture is drawn", as a compiled kernel with a plain numpy
reference beside it. Does not belong here: decoding, captions, time. web/src/scene/ draws the same within 3 levels.

    gain = 2 ^ ((byte - 128) / 32), offset = byte - 128, per cell; both are interpolated bilinearly between cell centres (the
    centre of cell i of n over w pixels lies at (i + 0.5) * w / n; beyond the outermost centres the outermost value holds) and
    taken at pixel centres; shown = floor(picture * gain + offset + 0.5), kept within 0 to 255, per channel, in sRGB levels

Then blocks that are not proven or that are covered are painted flat: nothing of their pixels is left.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from privet.core.grid import BoolGrid, Grid
from privet.core.scene import Light

Picture = NDArray[np.uint8]
"""uint8 (height, width, 3), sRGB."""

UNPROVEN = (58, 52, 40)
COVER = (122, 139, 158)
COVER_UNPROVEN = (96, 104, 112)

_Weights = NDArray[np.float32]
_Indices = NDArray[np.intp]


def render(picture: Picture, proven: BoolGrid, cover: BoolGrid | None, light: Light | None, grid: Grid) -> Picture:
    """Draw the place.

    picture: the background's pixels; whatever stands in unproven blocks is not shown.
    proven, cover: bool (rows, columns) of `grid`; no cover is an empty one.

    Returns a new array.

    Raises:
        ValueError: a shape does not fit the grid.
    """
    shown = np.empty(_checked(picture, proven, cover, grid).shape, np.uint8)
    flat = _flat(proven, cover)
    palette = np.array([UNPROVEN, UNPROVEN, COVER_UNPROVEN, COVER], np.uint8)
    if light is None:
        lines = np.ascontiguousarray(picture).reshape(grid.height_px, grid.width_px * 3)
        _unlit_kernel(lines, flat, palette, grid.block_px, shown.reshape(lines.shape))
    else:
        gain, offset = _levels(light)
        _paint_lit(picture, flat, palette, grid.block_px, gain, offset, shown)
    return shown


def render_reference(picture: Picture, proven: BoolGrid, cover: BoolGrid | None, light: Light | None, grid: Grid) -> Picture:
    """As `render`, in plain numpy: slow, and meant to be read."""
    _checked(picture, proven, cover, grid)
    lit = picture.copy()
    if light is not None:
        gain, offset = _levels(light)
        gains = _down(_across(gain, grid.width_px), grid.height_px)[:, :, np.newaxis]
        offsets = _down(_across(offset, grid.width_px), grid.height_px)[:, :, np.newaxis]
        levels = np.floor(picture.astype(np.float32) * gains + offsets + np.float32(0.5))
        lit = np.clip(levels, 0, 255).astype(np.uint8)
    covered = np.zeros(grid.shape, np.bool_) if cover is None else cover
    lit[_per_pixel(~proven & ~covered, grid)] = UNPROVEN
    lit[_per_pixel(proven & covered, grid)] = COVER
    lit[_per_pixel(~proven & covered, grid)] = COVER_UNPROVEN
    return lit


def _checked(picture: Picture, proven: BoolGrid, cover: BoolGrid | None, grid: Grid) -> Picture:
    if picture.shape != (grid.height_px, grid.width_px, 3):
        raise ValueError(f"picture of shape {picture.shape} on a grid over {grid.width_px}x{grid.height_px} px")
    if proven.shape != grid.shape or (cover is not None and cover.shape != grid.shape):
        raise ValueError(f"proven or cover is not of the grid's shape {grid.shape}")
    return picture


def _levels(light: Light) -> tuple[_Weights, _Weights]:
    """Gain and offset of each cell, float32 (rows, columns)."""
    gain = np.exp2((light.gain.astype(np.float32) - np.float32(128)) / np.float32(32))
    return gain, light.offset.astype(np.float32) - np.float32(128)


def _per_pixel(blocks: BoolGrid, grid: Grid) -> BoolGrid:
    pixels = np.repeat(np.repeat(blocks, grid.block_px, axis=0), grid.block_px, axis=1)
    return pixels[: grid.height_px, : grid.width_px]


def _neighbours(cells: int, pixels: int) -> tuple[_Indices, _Indices, _Weights]:
    """For each pixel: the cells on either side of its centre, and how far it lies from the first towards the second, 0 to 1."""
    position = np.clip((np.arange(pixels) + 0.5) * cells / pixels - 0.5, 0.0, cells - 1.0)
    first = np.floor(position).astype(np.intp)
    return first, np.minimum(first + 1, cells - 1), (position - first).astype(np.float32)


def _across(values: _Weights, width: int) -> _Weights:
    """float32 (rows, columns) -> float32 (rows, width)."""
    left, right, weight = _neighbours(values.shape[1], width)
    return values[:, left] + (values[:, right] - values[:, left]) * weight


def _down(values: _Weights, height: int) -> _Weights:
    """float32 (rows, width) -> float32 (height, width)."""
    top, bottom, weight = _neighbours(values.shape[0], height)
    return values[top] + (values[bottom] - values[top]) * weight[:, np.newaxis]


_LIT = 4


def _flat(proven: BoolGrid, cover: BoolGrid | None) -> NDArray[np.uint8]:
    """uint8 (rows, columns): which colour of the palette a block is painted in, or _LIT."""
    if cover is None:
        return np.where(proven, _LIT, 0).astype(np.uint8)
    return np.where(cover, 2 + proven.astype(np.uint8), np.where(proven, _LIT, 0)).astype(np.uint8)


def _paint_lit(
    picture: Picture,
    flat: NDArray[np.uint8],
    palette: NDArray[np.uint8],
    block_px: int,
    gain: _Weights,
    offset: _Weights,
    shown: Picture,
) -> None:
    height, width, _ = picture.shape
    top, bottom, down = _neighbours(gain.shape[0], height)
    # Spread to one value a channel: the kernel's inner loop then runs over plain lines, which compiles to vector instructions.
    gains = np.repeat(_across(gain, width), 3, axis=1)
    offsets = np.repeat(_across(offset, width), 3, axis=1)
    lines = np.ascontiguousarray(picture).reshape(height, width * 3)
    _lit_kernel(lines, flat, palette, block_px, gains, offsets, top, bottom, down, shown.reshape(height, width * 3))


@numba.njit(nogil=True, cache=True)
def _unlit_kernel(
    lines: NDArray[np.uint8], flat: NDArray[np.uint8], palette: NDArray[np.uint8], block_px: int, shown: NDArray[np.uint8]
) -> None:
    height, length = lines.shape
    rows, columns = flat.shape
    for row in range(rows):
        for y in range(row * block_px, min((row + 1) * block_px, height)):
            shown[y] = lines[y]
            for column in range(columns):
                kind = flat[row, column]
                if kind != _LIT:
                    for i in range(column * block_px * 3, min((column + 1) * block_px * 3, length)):
                        shown[y, i] = palette[kind, i % 3]


@numba.njit(nogil=True, cache=True)
def _lit_kernel(
    lines: NDArray[np.uint8],
    flat: NDArray[np.uint8],
    palette: NDArray[np.uint8],
    block_px: int,
    gains: _Weights,
    offsets: _Weights,
    top: _Indices,
    bottom: _Indices,
    down: _Weights,
    shown: NDArray[np.uint8],
) -> None:
    height, length = lines.shape
    rows, columns = flat.shape
    half = np.float32(0.5)
    lowest = np.float32(0)
    highest = np.float32(255)
    for row in range(rows):
        for y in range(row * block_px, min((row + 1) * block_px, height)):
            gain0, gain1 = gains[top[y]], gains[bottom[y]]
            offset0, offset1 = offsets[top[y]], offsets[bottom[y]]
            weight = down[y]
            for i in range(length):
                gain = gain0[i] + (gain1[i] - gain0[i]) * weight
                offset = offset0[i] + (offset1[i] - offset0[i]) * weight
                level = np.float32(lines[y, i]) * gain + offset + half
                # What is cut to 0 or above is floored by the conversion.
                shown[y, i] = np.uint8(min(max(level, lowest), highest))
            for column in range(columns):
                kind = flat[row, column]
                if kind != _LIT:
                    for i in range(column * block_px * 3, min((column + 1) * block_px * 3, length)):
                        shown[y, i] = palette[kind, i % 3]
