"""What each proven block is expected to look like: mean and deviation of its statistics, refined while nothing covers it.

The model may follow slow drift within fixed limits; the background's pixels never do.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from privet.core.grid import BoolGrid, Grid
from privet.scene.statistics import Statistics

FIRST_DEVIATION = (2.0, 1.2, 1.2, 1.5)
LARGEST_DRIFT = np.array([10.0, 5.0, 5.0, 6.0], np.float32)
LARGEST_DEVIATION = np.array([6.0, 3.0, 3.0, 8.0], np.float32)


class BlockModel:
    """Mean and deviation per block and feature: float32 (4, rows, columns)."""

    def __init__(self, grid: Grid) -> None:
        self._base: Statistics = np.zeros((4, *grid.shape), np.float32)
        self.mean: Statistics = np.zeros((4, *grid.shape), np.float32)
        self._variance: Statistics = np.zeros((4, *grid.shape), np.float32)
        self.deviation: Statistics = np.zeros((4, *grid.shape), np.float32)

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
        residual: NDArray[np.float32] = np.where(blocks[None], seen - expected, 0).astype(np.float32)
        self.mean += rate * residual
        limits = LARGEST_DRIFT[:, None, None]
        np.clip(self.mean, self._base - limits, self._base + limits, out=self.mean)
        grown = self._variance + rate * (residual**2 - self._variance)
        self._variance = np.where(blocks[None], grown, self._variance).astype(np.float32)
        self.deviation = np.minimum(np.sqrt(self._variance), LARGEST_DEVIATION[:, None, None])
