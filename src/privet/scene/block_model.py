"""What each proven block is expected to look like: mean and deviation of its statistics, refined while nothing covers it.

The model may follow slow drift within fixed limits; the background's pixels never do.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from privet.core.grid import BoolGrid, Grid
from privet.scene.statistics import Statistics

FIRST_DEVIATION = (2.0, 1.2, 1.2, 1.5)
LARGEST_DRIFT = np.array([10.0, 5.0, 5.0, 6.0], np.float32)
LARGEST_DEVIATION = np.array([6.0, 3.0, 3.0, 8.0], np.float32)


class BlockModel:
    """Mean and deviation per block and feature: float32 (4, rows, columns)."""

    def __init__(self, grid: Grid) -> None:
        self._base, self.mean, self._variance, self.deviation = (_written(grid) for _ in range(4))

    def start(self, blocks: BoolGrid, background: Statistics) -> None:
        """Blocks that were just proven are expected to look like the background. background: its block statistics."""
        self._base[:, blocks] = background[:, blocks]
        self.mean[:, blocks] = background[:, blocks]
        for feature, deviation in enumerate(FIRST_DEVIATION):
            self._variance[feature][blocks] = deviation**2
            self.deviation[feature][blocks] = deviation

    def refine(self, seen: Statistics, expected: Statistics, blocks: BoolGrid, rate: float) -> None:
        """Let uncovered blocks follow what is seen.

        seen, expected: statistics of the frame and what the model expected under its light; blocks: bool (rows, columns); rate: weight of
        this frame, 0 to 1.
        """
        _refine(seen, expected, blocks, rate, self._base, LARGEST_DRIFT, LARGEST_DEVIATION, self.mean, self._variance, self.deviation)


def _written(grid: Grid) -> Statistics:
    """Zeros that were written. What `numpy.zeros` gives is not in memory before somebody writes to it; and a vector's store of which every
    lane is masked out writes nothing and yet faults there, each time: to refine a 1080p picture with nothing proven took 6 ms, not 0.05.
    """
    return np.full((4, *grid.shape), 0.0, np.float32)


@njit(cache=True, nogil=True)
def _refine(
    seen: Statistics, expected: Statistics, blocks: BoolGrid, rate: float, base: Statistics, drifts: NDArray[np.float32],
    deviations: NDArray[np.float32], means: Statistics, variances: Statistics, out: Statistics,
) -> None:
    rows, _ = blocks.shape
    weight = np.float32(rate)
    # Without a branch in it, so that a line of blocks is followed many at a time.
    for feature in range(4):
        drift, largest = drifts[feature], deviations[feature]
        for row in range(rows):
            wanted, mean, variance = blocks[row], means[feature, row], variances[feature, row]
            here, there, middle, deviation = seen[feature, row], expected[feature, row], base[feature, row], out[feature, row]
            for column in range(wanted.size):
                residual = here[column] - there[column]
                moved = min(max(mean[column] + weight * residual, middle[column] - drift), middle[column] + drift)
                spread = variance[column] + weight * (residual * residual - variance[column])
                mean[column] = moved if wanted[column] else mean[column]
                variance[column] = spread if wanted[column] else variance[column]
                deviation[column] = min(np.sqrt(spread), largest) if wanted[column] else deviation[column]
