"""Tells who passes by from who is there: motion that has travelled a body's height within seconds is not the fidgeting of somebody still.

Somebody who stands or sits still moves within their own outline, so the blobs of their motion stay within one body height. A blob that
went further came from elsewhere, and what it passes is not part of it; but it must never have been in both places at once: of several
who sit side by side now these move, now those, now all, and the middle of it wanders though nobody does. A new blob counts as somebody
who is there; so does one that two have become, unless both had travelled. When one parts in two, both keep its path, which is at most
four seconds long: for so long, and no longer, may somebody's fidgeting be taken for the end of somebody's passing. A blob is forgotten
when it no longer moves: nobody is followed.
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


@dataclass(frozen=True, slots=True)
class _Step:
    """Where a blob's first and last rows and columns were, and when."""

    at_ns: int
    top: int
    bottom: int
    left: int
    right: int

    @property
    def middle(self) -> tuple[float, float]:
        return (self.top + self.bottom) / 2, (self.left + self.right) / 2

    def distance(self, other: _Step) -> float:
        """Between the middles, in blocks."""
        return hypot(self.middle[0] - other.middle[0], self.middle[1] - other.middle[1])

    def holds(self, other: _Step) -> bool:
        """Whether the middle of `other` lies within."""
        row, column = other.middle
        return self.top <= row <= self.bottom and self.left <= column <= self.right


@dataclass(frozen=True, slots=True)
class _Blob:
    """Where one blob was over the last seconds, oldest first; the last is where it is."""

    path: tuple[_Step, ...]

    def go_on(self, here: _Step) -> _Blob:
        """The same blob a frame later; what is too long ago is forgotten."""
        return _Blob((*(step for step in self.path if step.at_ns >= here.at_ns - REMEMBER_NS), here))

    def has_travelled(self, blocks: float) -> bool:
        """Whether it came so far from some place of its path, without ever having been there and here at once."""
        here = self.path[-1]
        since: list[_Step] = []
        for step in reversed(self.path):
            since.append(step)
            if here.distance(step) >= blocks and not any(each.holds(here) and each.holds(step) for each in since):
                return True
        return False


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
            here = _Step(now_ns, int(rows.min()), int(rows.max()), int(columns.min()), int(columns.max()))
            paths = [self._blobs[parent].go_on(here) for parent in parents]
            standing = [path for path in paths if not path.has_travelled(self._body_blocks)]
            blobs[which] = min(standing or paths, key=lambda path: len(path.path), default=_Blob((here,)))
            if paths and not standing:
                passing[rows, columns] = True
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
