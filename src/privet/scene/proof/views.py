"""Cuts views out of a live picture for detectors: scaled, shifted, mirrored, turned, as RGB. They go nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, cos, floor, radians, sin

import numpy as np
from numba import njit
from numpy.typing import NDArray

from privet.core.frame import Frame, Matrix, Plane
from privet.scene.statistics import Flat, flattened

RgbPicture = NDArray[np.uint8]
"""Shape (height, width, 3)."""

Affine = NDArray[np.float64]
"""Shape (2, 3): (x, y) -> (a x + b y + c, d x + e y + f)."""

OUTSIDE = 114
LEAST_STEP = 1e-6            # of a pixel: what moves less across a view lies inside or outside as a whole, or is found one by one


@dataclass(frozen=True, slots=True)
class Transform:
    """How a view differs from the plain one. zoom below 1 leaves a margin, so nothing is cut off; shifts are fractions of the input."""

    mirrored: bool = False
    turn_degrees: float = 0.0
    zoom: float = 1.0
    shift_x: float = 0.0
    shift_y: float = 0.0


@dataclass(frozen=True, slots=True)
class Tile:
    """A rectangle of the picture, in luma pixels."""

    left: float
    top: float
    width: float
    height: float


def input_to_picture(tile: Tile, transform: Transform, height_px: int, width_px: int) -> Affine:
    """The map from a detector's input (height_px x width_px) to the picture."""
    mirror = -1.0 if transform.mirrored else 1.0
    c, s = cos(radians(transform.turn_degrees)), sin(radians(transform.turn_degrees))
    # Input pixel -> square of side 1 around 0 -> unshifted, unzoomed, unturned, unmirrored -> tile.
    to_unit = np.array([[1 / width_px, 0, -0.5 - transform.shift_x], [0, 1 / height_px, -0.5 - transform.shift_y], [0, 0, 1]])
    undo = np.array([[c / transform.zoom, s / transform.zoom, 0], [-s / transform.zoom, c / transform.zoom, 0], [0, 0, 1]])
    to_tile = np.array(
        [
            [mirror * tile.width, 0, tile.left + tile.width / 2],
            [0, tile.height, tile.top + tile.height / 2],
            [0, 0, 1],
        ]
    )
    matrix: Affine = (to_tile @ undo @ to_unit)[:2]
    return matrix


def invert(affine: Affine) -> Affine:
    """The map back."""
    full = np.vstack([affine, [0.0, 0.0, 1.0]])
    inverse: Affine = np.linalg.inv(full)[:2]
    return inverse


def apply(affine: Affine, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Map points, float64 (n, 2)."""
    mapped: NDArray[np.float64] = points @ affine[:, :2].T + affine[:, 2]
    return mapped


@njit(cache=True, nogil=True)
def _luma_bilinear(y: Plane, x: float, at: float) -> float:
    height, width = y.shape
    left, top = int(max(x - 0.5, 0.0)), int(max(at - 0.5, 0.0))
    fx, fy = min(max(x - 0.5 - left, 0.0), 1.0), min(max(at - 0.5 - top, 0.0), 1.0)
    right, bottom = min(left + 1, width - 1), min(top + 1, height - 1)
    upper = y[top, left] * (1 - fx) + y[top, right] * fx
    lower = y[bottom, left] * (1 - fx) + y[bottom, right] * fx
    return float(upper * (1 - fy) + lower * fy)


@njit(cache=True, nogil=True)
def _at(affine: Affine, which: int, x: float, y: float) -> float:
    """x (which 0) or y (1) in the picture of a point of the view; always in this order, so that a point between two pixels is one's."""
    return float(affine[which, 0] * x + affine[which, 1] * y + affine[which, 2])


@njit(cache=True, nogil=True)
def _within(affine: Affine, which: int, x: float, y: float, limit: int, begin: int, end: int) -> tuple[int, int]:
    """For which i of begin to end x + i, y lies in the picture, by one of its sides; they lie side by side."""
    first, step = _at(affine, which, x, y), affine[which, 0]
    if step > LEAST_STEP:
        begin, end = max(begin, ceil(-first / step) - 1), min(end, ceil((limit - first) / step) + 1)
    elif step < -LEAST_STEP:
        begin, end = max(begin, floor((limit - first) / step) - 1), min(end, floor(-first / step) + 2)
    while begin < end and not 0.0 <= _at(affine, which, x + begin, y) < limit:
        begin += 1
    while begin < end and not 0.0 <= _at(affine, which, x + end - 1, y) < limit:
        end -= 1
    return begin, max(begin, end)


@njit(cache=True, nogil=True)
def _line_of_taps(y: Flat, stride: int, size: tuple[int, int], affine: Affine, row: int, taps: int, sums: NDArray[np.int32]) -> None:
    """Sums over taps x taps points of each pixel of one line of a view. Which of them lie in the picture is known before it is read."""
    height, width = size
    sums[:] = 0
    for i in range(taps):
        in_y = row + (i + 0.5) / taps
        for j in range(taps):
            in_x = (j + 0.5) / taps
            begin, end = _within(affine, 0, in_x, in_y, width, 0, sums.size)
            begin, end = _within(affine, 1, in_x, in_y, height, begin, end)
            sums[:begin] += OUTSIDE
            sums[end:] += OUTSIDE
            those = sums[begin:end]
            for column in range(those.size):
                line = np.int64(_at(affine, 1, begin + column + in_x, in_y))
                those[column] += y[np.uint64(line * stride + np.int64(_at(affine, 0, begin + column + in_x, in_y)))]


@njit(cache=True, nogil=True)
def _sample(
    y: Plane, flat: Flat, stride: int, u: Plane, v: Plane, affine: Affine, coefficients: NDArray[np.float64], taps: int, out: RgbPicture
) -> None:
    """One tap: bilinear. Several: the mean of the nearest pixels under taps x taps points. Chroma, which has half the resolution, is
    the nearest to the middle. What lies outside is grey. flat, stride: y's memory."""
    height, width = y.shape
    out_height, out_width, _ = out.shape
    ax, bx, cx = affine[0, 0], affine[0, 1], affine[0, 2]
    ay, by, cy = affine[1, 0], affine[1, 1], affine[1, 2]
    sums = np.zeros(out_width, np.int32)
    for row in range(out_height):
        if taps > 1:
            _line_of_taps(flat, stride, (height, width), affine, row, taps, sums)
        for column in range(out_width):
            middle_x = ax * (column + 0.5) + bx * (row + 0.5) + cx
            middle_y = ay * (column + 0.5) + by * (row + 0.5) + cy
            inside = 0.0 <= middle_x < width and 0.0 <= middle_y < height
            luma = float(OUTSIDE)
            if taps > 1:
                luma = sums[column] / (taps * taps)
            elif inside:
                luma = _luma_bilinear(y, middle_x, middle_y)
            cb = 0.0
            cr = 0.0
            if inside:
                cb = u[int(middle_y) // 2, int(middle_x) // 2] - 128.0
                cr = v[int(middle_y) // 2, int(middle_x) // 2] - 128.0
            luma = (luma - 16.0) * coefficients[0]
            out[row, column, 0] = np.uint8(min(max(luma + coefficients[1] * cr + 0.5, 0.0), 255.0))
            out[row, column, 1] = np.uint8(min(max(luma + coefficients[2] * cb + coefficients[3] * cr + 0.5, 0.0), 255.0))
            out[row, column, 2] = np.uint8(min(max(luma + coefficients[4] * cb + 0.5, 0.0), 255.0))


# Y scale; Cr to R; Cb and Cr to G; Cb to B. Limited range, ITU-R BT.601 and BT.709.
RGB_COEFFICIENTS = {
    Matrix.BT601: np.array([1.164384, 1.596027, -0.391762, -0.812968, 2.017232]),
    Matrix.BT709: np.array([1.164384, 1.792741, -0.213249, -0.532909, 2.112402]),
}


def sample(frame: Frame, affine: Affine, height_px: int, width_px: int) -> RgbPicture:
    """Return the view as uint8 (height_px, width_px, 3) RGB; what lies outside the picture is grey. Supersampled when it shrinks."""
    out = np.empty((height_px, width_px, 3), np.uint8)
    scale = max(abs(affine[0, 0]) + abs(affine[0, 1]), abs(affine[1, 0]) + abs(affine[1, 1]))
    taps = int(min(max(round(scale), 1), 4))
    _sample(frame.y, *flattened(frame.y), frame.u, frame.v, affine, RGB_COEFFICIENTS[frame.matrix], taps, out)
    return out
