"""Which proven blocks look different from the background: the plain test on block statistics, and the test for another light.

Arrays of shape (4, rows, columns) hold luma, two chromas and gradient, as in `statistics`.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from privet.core.frame import Plane
from privet.core.grid import BoolGrid
from privet.scene.statistics import Statistics

BLACK, WHITE = 16.0, 235.0
DIFFERENCE_FLOORS = np.array([5.0, 3.5, 3.5, 2.5], np.float32)
DIFFERENCE_TIMES = 4.0
PIXEL_NOISE = 2.0           # deviation of a pixel, levels


@njit(cache=True, nogil=True)
def lit(mean: Statistics, gain: NDArray[np.float32], offset: NDArray[np.float32]) -> Statistics:
    """What the model expects under a light. gain, offset: float32 (rows, columns)."""
    _, rows, columns = mean.shape
    out = np.empty_like(mean)
    for row in range(rows):
        for column in range(columns):
            g = gain[row, column]
            out[0, row, column] = (mean[0, row, column] - BLACK) * g + BLACK + offset[row, column]
            out[1, row, column] = (mean[1, row, column] - 128.0) * g + 128.0
            out[2, row, column] = (mean[2, row, column] - 128.0) * g + 128.0
            out[3, row, column] = mean[3, row, column] * g
    return out


@njit(cache=True, nogil=True)
def differs(seen: Statistics, expected: Statistics, deviation: Statistics, floors: NDArray[np.float32], times: float) -> BoolGrid:
    """True where any feature is further from `expected` than max(floor, times * deviation).

    What is expected to be brighter than white is expected to be clipped, at 235 or above as the camera does it, and to have lost texture.

    floors: float32 (4,), the least distance that counts per feature, in levels; the gradient's grows with the gradient itself.
    """
    _, rows, columns = seen.shape
    out = np.zeros((rows, columns), np.bool_)
    white, most = np.float32(WHITE), np.float32(times)
    # Without a branch in it, and feature by feature, a line of blocks is compared many at a time.
    for row in range(rows):
        found, luma = out[row], expected[0, row]
        for feature in range(4):
            least, grows = floors[feature], np.float32(0.25 if feature == 3 else 0.0)
            here, wanted, spread = seen[feature, row], expected[feature, row], deviation[feature, row]
            for column in range(columns):
                allowed = max(least + grows * wanted[column], most * spread[column])
                distance = here[column] - wanted[column]
                if feature == 0:
                    clipped = max(distance, min(here[column] - white, np.float32(0)))
                    distance = clipped if luma[column] > white else distance
                elif feature == 3:
                    distance = max(distance, np.float32(0)) if luma[column] > white else distance
                found[column] |= abs(distance) > allowed
    return out


@njit(cache=True, nogil=True)
def same_texture(
    y: Plane, background_y: Plane, block_px: int, wanted: BoolGrid, chroma_distance: NDArray[np.float32], noise: float,
) -> BoolGrid:
    """True for wanted blocks that are the background under another gain: a shadow, the sun, a headlight.

    A block passes when its luma correlates with the background's (normalised cross-correlation at least 0.9, as in Jacques et al.,
    "Background subtraction and shadow detection in grayscale video sequences", 2005), the background has texture well above the noise,
    the gain lies between 0.3 and 2.5, and the chroma hardly differs. Flat blocks never pass: nothing in them tells light from cloth.

    chroma_distance: float32 (rows, columns), levels. noise: deviation of a pixel, levels.
    """
    height, width = y.shape
    rows, columns = wanted.shape
    out = np.zeros((rows, columns), np.bool_)
    for row in range(rows):
        top = row * block_px
        bottom = min(top + block_px, height)
        for column in range(columns):
            if not wanted[row, column] or chroma_distance[row, column] > 4.0:
                continue
            left = column * block_px
            right = min(left + block_px, width)
            n = (bottom - top) * (right - left)
            total_a = np.int64(0)
            total_b = np.int64(0)
            total_aa = np.int64(0)
            total_bb = np.int64(0)
            total_ab = np.int64(0)
            for i in range(top, bottom):
                here, there = y[i, left:right], background_y[i, left:right]
                for j in range(here.size):      # whole numbers may be added in any order, so that this vectorises
                    a, b = np.int32(here[j]), np.int32(there[j])
                    total_a += a
                    total_b += b
                    total_aa += a * a
                    total_bb += b * b
                    total_ab += a * b
            sum_a, sum_b, sum_aa, sum_bb, sum_ab = float(total_a), float(total_b), float(total_aa), float(total_bb), float(total_ab)
            variance_a = sum_aa / n - (sum_a / n) ** 2
            variance_b = sum_bb / n - (sum_b / n) ** 2
            if variance_b < 16.0 * noise * noise or variance_a <= 0.0:
                continue
            covariance = sum_ab / n - (sum_a / n) * (sum_b / n)
            gain = covariance / variance_b
            if 0.3 <= gain <= 2.5 and covariance * covariance >= 0.81 * variance_a * variance_b:
                out[row, column] = True
    return out
