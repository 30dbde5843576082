"""The proven background as an image. The scene stream's pictures take a `ProvenBackground`: there is no live frame they could be given.

Unproven blocks are flat in it before anything is encoded; a patch shows only the blocks it is about. `flat_rgb` is what is below, on
planes: proof/signing.py draws a signer's candidates with it.
"""

from __future__ import annotations

import io

import numpy as np
from numba import njit
from numpy.typing import NDArray
from PIL import Image

from privet.core.frame import Matrix, Plane
from privet.core.grid import BoolGrid
from privet.scene.proof.promote import FLAT_CHROMA, FLAT_Y, ProvenBackground
from privet.scene.proof.views import RGB_COEFFICIENTS, RgbPicture

WEBP_QUALITY = 82
WEBP_EFFORT = 4


@njit(cache=True, nogil=True)
def _to_rgb(y: Plane, u: Plane, v: Plane, coefficients: NDArray[np.float64], out: RgbPicture) -> None:
    height, width = y.shape
    for row in range(height):
        for column in range(width):
            luma = (y[row, column] - 16.0) * coefficients[0]
            cb = u[row // 2, column // 2] - 128.0
            cr = v[row // 2, column // 2] - 128.0
            out[row, column, 0] = np.uint8(min(max(luma + coefficients[1] * cr + 0.5, 0.0), 255.0))
            out[row, column, 1] = np.uint8(min(max(luma + coefficients[2] * cb + coefficients[3] * cr + 0.5, 0.0), 255.0))
            out[row, column, 2] = np.uint8(min(max(luma + coefficients[4] * cb + 0.5, 0.0), 255.0))


def to_rgb(background: ProvenBackground, blocks: BoolGrid, rectangle: tuple[int, int, int, int]) -> RgbPicture:
    """Return the rectangle as uint8 (h, w, 3) sRGB, cut at the picture's edge; blocks outside `blocks` are flat.

    A flat block beside shown ones has their mean colour, so that the encoder does not draw a dark seam into them; it says nothing that
    they do not. blocks: bool (rows, columns) over the whole grid. rectangle: row, column, rows, columns, in blocks.
    """
    grid = background.grid
    row, column, rows, columns = rectangle
    side = grid.block_px
    half = side // 2
    shown = blocks[row : row + rows, column : column + columns] & background.proven[row : row + rows, column : column + columns]
    y, u, v = (
        plane[row * unit : (row + rows) * unit, column * unit : (column + columns) * unit]
        for plane, unit in zip(background.planes, (side, half, half), strict=True)
    )
    return flat_rgb((y, u, v), background.matrix, shown, side)


def flat_rgb(planes: tuple[Plane, Plane, Plane], matrix: Matrix, shown: BoolGrid, block_px: int) -> RgbPicture:
    """Return planes as uint8 (h, w, 3) sRGB with every block flat that is not `shown`, bool (rows, columns)."""
    half = block_px // 2
    flattened: list[Plane] = []
    for plane, unit, flat in zip(planes, (block_px, half, half), (FLAT_Y, FLAT_CHROMA, FLAT_CHROMA), strict=True):
        part = plane.copy()
        _flatten(part, shown, unit, flat)
        flattened.append(part)
    out = np.empty((*flattened[0].shape, 3), np.uint8)
    _to_rgb(flattened[0], flattened[1], flattened[2], RGB_COEFFICIENTS[matrix], out)
    return out


@njit(cache=True, nogil=True)
def _flatten(plane: Plane, shown: BoolGrid, unit: int, flat: int) -> None:
    """Fill every block that is not shown: with the mean of the shown ones among its eight neighbours, else with `flat`. In place."""
    height, width = plane.shape
    rows, columns = shown.shape
    means = np.zeros((rows, columns), np.float64)
    for row in range(rows):
        for column in range(columns):
            if shown[row, column]:
                total = 0.0
                count = 0
                for i in range(row * unit, min((row + 1) * unit, height)):
                    for j in range(column * unit, min((column + 1) * unit, width)):
                        total += plane[i, j]
                        count += 1
                means[row, column] = total / max(count, 1)
    for row in range(rows):
        for column in range(columns):
            if shown[row, column]:
                continue
            total = 0.0
            count = 0
            for i in range(max(row - 1, 0), min(row + 2, rows)):
                for j in range(max(column - 1, 0), min(column + 2, columns)):
                    if shown[i, j]:
                        total += means[i, j]
                        count += 1
            value = np.uint8(total / count + 0.5) if count else np.uint8(flat)
            for i in range(row * unit, min((row + 1) * unit, height)):
                for j in range(column * unit, min((column + 1) * unit, width)):
                    plane[i, j] = value


def encode_webp(picture: RgbPicture) -> bytes:
    """Return uint8 (h, w, 3) sRGB as lossy WebP."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "WEBP", quality=WEBP_QUALITY, method=WEBP_EFFORT)
    return buffer.getvalue()


def bounding_rectangle(blocks: BoolGrid) -> tuple[int, int, int, int]:
    """Row, column, rows, columns of the smallest rectangle that holds every set block. At least one must be set."""
    rows, columns = np.flatnonzero(blocks.any(axis=1)), np.flatnonzero(blocks.any(axis=0))
    return (int(rows[0]), int(columns[0]), int(rows[-1] - rows[0]) + 1, int(columns[-1] - columns[0]) + 1)
