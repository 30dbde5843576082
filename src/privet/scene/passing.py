"""Tells who passes by from who is there: motion that has travelled a body's height within seconds is not the fidgeting of somebody still.

Somebody who stands or sits still moves within their own outline, so the blobs of their motion stay within one body height. A blob that
went further came from elsewhere, and what it passes is not part of it. A new blob counts as somebody who is there; so does one that
two have become, unless both had travelled. When one parts in two, both keep its path, which is at most four seconds long: for so long,
and no longer, may somebody's fidgeting be taken for the end of somebody's passing. A blob is forgotten when it no longer moves: nobody
is followed.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot

import numpy as np
from numpy.typing import NDArray

from privet.core.clock import NS_PER_S
from privet.core.grid import BoolGrid
from privet.scene.cover import dilate, label

REMEMBER_NS = 4 * NS_PER_S
REACH_BLOCKS = 2
MOST_BLOBS = 200


_Step = tuple[int, float, float]
"""When (ns), row, column."""


@dataclass(frozen=True, slots=True)
class _Blob:
    """Where one blob's centre was over the last seconds, oldest first."""

    path: tuple[_Step, ...]

    def since(self, ns: int) -> _Blob:
        """The path from then on."""
        return _Blob(tuple(step for step in self.path if step[0] >= ns))

    def travelled(self, here: _Step) -> float:
        """The furthest that any place of the path lies from `here`, in blocks; 0 without a path."""
        return max((hypot(here[1] - row, here[2] - column) for _, row, column in self.path), default=0.0)


class Passing:
    """The blobs of motion in one camera's view, from one analysed frame to the next."""

    def __init__(self, body_blocks: float) -> None:
        """body_blocks: how far a blob must have travelled, one body height."""
        self._body_blocks = body_blocks
        self._labels: NDArray[np.int32] | None = None
        self._blobs: dict[int, _Blob] = {}

    def update(self, motion: BoolGrid, now_ns: int) -> BoolGrid:
        """Follow one frame's motion; return the blocks of blobs that are passing by, bool (rows, columns)."""
        labels, count = label(dilate(motion, 1))
        passing = np.zeros(motion.shape, np.bool_)
        if count > MOST_BLOBS:  # rain, noise: nothing is certain
            self._labels, self._blobs = None, {}
            return passing
        blobs: dict[int, _Blob] = {}
        for which, parents in self._parents(labels, count).items():
            rows, columns = np.nonzero(labels == which)
            here = (now_ns, float(rows.mean()), float(columns.mean()))
            paths = [self._blobs[parent].since(now_ns - REMEMBER_NS) for parent in parents]
            blob = min(paths, key=lambda path: path.travelled(here), default=_Blob(()))
            if blob.travelled(here) >= self._body_blocks:
                passing[rows, columns] = True
            blobs[which] = _Blob((*blob.path, here))
        self._labels, self._blobs = labels, blobs
        return passing & motion

    def _parents(self, labels: NDArray[np.int32], count: int) -> dict[int, list[int]]:
        """For each blob now, the blobs of the frame before that lie within reach of it."""
        if self._labels is None:
            return {which: [] for which in range(1, count + 1)}
        parents: dict[int, list[int]] = {}
        for which in range(1, count + 1):
            near = np.unique(self._labels[dilate(labels == which, REACH_BLOCKS)])
            parents[which] = [int(each) for each in near if each]
        return parents
