"""What is known of a camera's sub-stream while its main stream's picture has one size, beside what it looks like (view).

Belongs here: that state, and what of the main stream's keyframes it asks for. Does not belong here: how a frame advances it (step).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from privet.core.clock import NS_PER_S
from privet.core.frame import Frame
from privet.core.geometry import Geometry
from privet.core.grid import BoolGrid, Grid
from privet.scene.cover.shape import dilate
from privet.scene.light import Cells
from privet.scene.substream.view import SubView

ASK_MAIN_NS = 10 * NS_PER_S     # what the sub-stream shows for so long, unmoved, is looked at in the main stream
ASK_LESS_NS = 2 * NS_PER_S      # later by so much, then twice that and so on, while the main stream's keyframes teach nothing
ASK_LEAST_NS = 16 * NS_PER_S


@dataclass(slots=True, eq=False)
class SubState:
    """Arrays (rows, columns) of the main stream's blocks; times monotonic. live: its frames come. geometry: of the last frame.
    covered_since_ns: int64, since when something has stood there, -1 where nothing does. main_settled: what came to stay, as the main
    stream saw it last. unsure: where something moved of which only the main stream can tell whether it stays. next_ns: when it is to be
    looked at next; seen_ns: when it was.
    ask_ns: before it, keyframes of the main stream are not asked for, for they teach nothing; ask_every_ns: for how much longer each time.
    """

    covered_since_ns: NDArray[np.int64]
    main_settled: BoolGrid
    unsure: BoolGrid
    view: SubView | None = None
    geometry: Geometry | None = None
    live: bool = False
    next_ns: int = -1
    seen_ns: int = -1
    ask_ns: int = -1
    ask_every_ns: int = 0
    learned: int = 0

    @property
    def aligned(self) -> bool:
        """Whether its frames come and it is known how the two pictures lie to each other."""
        return self.live and self.view is not None and self.view.aligned

    @property
    def knows(self) -> bool:
        """Whether it knows what the place looks like."""
        return self.view is not None and self.view.knows

    @property
    def refused(self) -> bool:
        """Whether sub- and main stream were compared and do not show the same."""
        return self.view is not None and self.view.refused

    def asks_keyframes(self) -> bool:
        """Whether the main stream's keyframes would tell what it does not: what came to stay, what to learn."""
        if self.view is None or not self.view.knows:
            return True
        if self.seen_ns < self.ask_ns:
            return False
        since = self.covered_since_ns
        return self.view.learning or bool(self.unsure.any() or ((since >= 0) & (self.seen_ns - since >= ASK_MAIN_NS)).any())


def begin_sub(shape: tuple[int, int]) -> SubState:
    """Nothing of it has been seen yet. shape: (rows, columns) of the main stream's blocks."""
    return SubState(np.full(shape, -1, np.int64), np.zeros(shape, np.bool_), np.zeros(shape, np.bool_))


def come(sub: SubState, grid: Grid, frame: Frame) -> SubView:
    """A frame has come; of another size or geometry than the last one it is another sub-stream. grid: the main stream's."""
    view = sub.view
    same_size = view is not None and (view.grid.width_px, view.grid.height_px) == (frame.width_px, frame.height_px)
    if view is None or not same_size or sub.geometry != frame.stored:
        sub.view = view = SubView(grid, frame)
        sub.geometry = frame.stored
        sub.covered_since_ns[:] = -1
        sub.unsure = np.zeros_like(sub.unsure)
        sub.learned = 0
    sub.live = True
    return view


def teach(sub: SubState, frame: Frame, proven: BoolGrid, blind: BoolGrid, raw: BoolGrid, cells: tuple[Cells, Cells]) -> None:
    """What a keyframe of the main stream tells of the sub-stream's picture. raw: proven blocks that differ. cells: the fitted light."""
    view = sub.view
    if view is None or not frame.keyframe:
        return
    view.compare(frame)
    view.teach(proven, proven & ~dilate(raw, 1), cells)
    sub.unsure = raw & view.unknown & ~blind
    # Somebody who always stands where something was to be learned must not keep the main stream's decoder busy.
    sub.ask_every_ns = 0 if view.learned > sub.learned else min(max(2 * sub.ask_every_ns, ASK_LESS_NS), ASK_LEAST_NS)
    sub.learned = view.learned
    sub.ask_ns = frame.monotonic_ns + sub.ask_every_ns
