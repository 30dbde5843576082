"""What a block's earlier background is compared with: has it come back? A door shut again, daylight after infrared, a car that left.

Belongs here: whether the picture fits an earlier proven layer, exactly and for long enough. Does not belong here: writing it back
(promote.recall alone does). A layer that is shown again shows pixels that were proven once, so a mistake here costs a silhouette.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from privet.core.frame import Frame, Plane
from privet.core.grid import BoolGrid, Grid
from privet.scene.proof.promote import Layer
from privet.scene.statistics import Y_MEAN, Statistics, block_differences

FITS_LEVELS = 6.0           # luma and both chromas: what an encoder does to a block that has not changed, twice
LARGEST_STEP_OF_LIGHT = 40.0
OBSERVATIONS = 3            # in a row; a person who walks by looks like nothing for that long
WHOLE_SHARE = 0.5           # of the blocks that differ: then the picture as a whole is an earlier one, and that is no chance


class Returns:
    """How long each block has fitted each layer."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._fits: list[NDArray[np.int32]] = []

    def observe(self, frame: Frame, seen: Statistics, layers: Sequence[Layer], differing: BoolGrid) -> list[BoolGrid]:
        """For every layer, the blocks that have come back to it: bool (rows, columns).

        differing: proven blocks that do not look like the background in force. The light of the picture as a whole is taken off: a layer
        was proven at another hour.
        """
        while len(self._fits) < len(layers):
            self._fits.append(np.zeros(self._grid.shape, np.int32))
        back: list[BoolGrid] = []
        taken = np.zeros(self._grid.shape, np.bool_)
        for layer, count in zip(layers, self._fits, strict=False):
            asked = differing & layer.blocks
            fits = _fitting(frame, seen, layer, asked, self._grid.block_px)
            count[:] = np.where(fits, count + 1, 0)
            # Where most of what differs fits, one look is enough: nothing but the place itself looks like the place all over.
            whole = asked.sum() >= WHOLE_SHARE * layer.blocks.size / 2 and fits.sum() >= WHOLE_SHARE * asked.sum()
            returned = (fits if whole else fits & (count >= OBSERVATIONS)) & ~taken
            taken |= returned
            back.append(returned)
        return back


def _fitting(frame: Frame, seen: Statistics, layer: Layer, asked: BoolGrid, block_px: int) -> BoolGrid:
    if not asked.any():
        return np.zeros_like(asked)
    step = float(np.median(seen[Y_MEAN][asked] - _means(layer.planes[0], block_px)[asked]))
    brighter = np.full(asked.shape, np.clip(step, -LARGEST_STEP_OF_LIGHT, LARGEST_STEP_OF_LIGHT))
    difference = block_differences((frame.y, frame.u, frame.v), layer.planes, block_px, asked, brighter)
    fits: BoolGrid = asked & (difference <= FITS_LEVELS)
    return fits


def _means(plane: Plane, block_px: int) -> NDArray[np.float64]:
    """Block means of a plane: (rows, columns); partial blocks at the edges are means of what there is."""
    height, width = plane.shape
    rows, columns = np.arange(0, height, block_px), np.arange(0, width, block_px)
    sums = np.add.reduceat(np.add.reduceat(plane.astype(np.float64), rows, 0), columns, 1)
    tall, wide = np.diff(np.append(rows, height)), np.diff(np.append(columns, width))
    means: NDArray[np.float64] = sums / np.outer(tall, wide)
    return means
