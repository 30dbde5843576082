"""The same place in a smaller picture: what a camera's sub-stream shows of the blocks that the main stream has proven.

A block of the sub-stream is learned at keyframes of the main stream that show nothing but background there, three on end that agree. So
the main stream says what the place looks like, and the sub-stream only whether it still does. What it misses can cost a cover and never a
pixel: nothing that is shown or kept comes from here.

Belongs here: learning the sub-stream's blocks, and what differs in them. Does not belong here: the alignment's arithmetic (alignment,
mapping), holds and conditions (step).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from privet.core.clock import NS_PER_S
from privet.core.frame import Frame, Plane
from privet.core.grid import BoolGrid, Grid
from privet.scene.block_model import BlockModel
from privet.scene.cover.changes import Changes, find_changes
from privet.scene.cover.difference import differs
from privet.scene.cover.shape import dilate, drop_small, drop_specks
from privet.scene.light import BLACK, Cells
from privet.scene.quantile import median
from privet.scene.statistics import GRADIENT, Y_MEAN, Statistics, block_statistics
from privet.scene.substream.alignment import Picture, align, reduced
from privet.scene.substream.mapping import Mapping

SUB_BLOCK_PX = 8
AGREEING = 3                # keyframes of the main stream
KNOWN_SHARE = 0.98          # of what can be known; what is not is watched by the main stream's keyframes
ALIGN_EVERY_NS = 10 * NS_PER_S
GIVE_UP_AFTER = 6           # attempts; then more rarely
ALIGN_SELDOM_NS = 300 * NS_PER_S
TOGETHER_NS = NS_PER_S      # two pictures no further apart show the same scene, but for what moves
LATELY_FRAMES = 3
FEWEST_MOVING_BLOCKS = 2    # of the sub-stream; about as much of the picture as six of the main stream's
FEWEST_UNKNOWN_BLOCKS = 4   # side by side
MOTION_FLOORS = np.array([4.0, 3.0, 3.0, 2.0], np.float32)
REFINE_TIME_NS = 10 * NS_PER_S
FIT_EVERY_NS = NS_PER_S     # the light: as often as it is said
MORE_DIFFERS = 1 / 64       # of the picture, than when it was fitted: then it is fitted anew at once


@dataclass(frozen=True, slots=True, eq=False)
class SubSeen:
    """What one frame of the sub-stream says, in the main stream's blocks: bool (rows, columns).

    differs: proven blocks that look different. moved: blocks in which something moved, whether proven or not. stirred: the same without
    what either picture may be off by. unsure: of the blocks in which something moved, those that are proven but not known here, so that
    only the main stream can say whether anybody stays. share: of the known blocks, how many differ. light: fitted (gain, offset) in the
    main stream's cells.
    """

    differs: BoolGrid
    moved: BoolGrid
    stirred: BoolGrid
    unsure: BoolGrid
    share: float
    light: tuple[Cells, Cells]
    luma: float
    gradient: float


class SubView:
    """What is known of one sub-stream. Made for one grid of the main stream and one size of the sub-stream's picture."""

    def __init__(self, main: Grid, frame: Frame) -> None:
        self._main = main
        self.grid = grid = Grid(frame.width_px, frame.height_px, SUB_BLOCK_PX)
        self._mapping: Mapping | None = None
        self._attempts = 0
        self._next_attempt_ns = -1
        self._small: tuple[Picture, int] | None = None       # the last frame's, while an alignment is looked for
        self._model = BlockModel(grid)
        self._picture: Plane = np.zeros((grid.height_px, grid.width_px), np.uint8)
        self._known: BoolGrid = np.zeros(grid.shape, np.bool_)
        self._wanted: BoolGrid = np.zeros(grid.shape, np.bool_)
        self._differing: BoolGrid = np.zeros(grid.shape, np.bool_)
        self._agreed: NDArray[np.int8] = np.zeros(grid.shape, np.int8)
        self._first = np.zeros((4, *grid.shape), np.float32)
        self._clear: tuple[BoolGrid, Cells, Cells] | None = None    # said at the last keyframe, not used yet
        self._lately: deque[Statistics] = deque(maxlen=LATELY_FRAMES)
        self._refined_ns = -1
        self._light: tuple[Cells, Cells] | None = None      # as it was fitted last
        self._fitted_ns, self._differed = -1, 0             # then, and how many blocks differed
        self._measured: tuple[Changes, BoolGrid] | None = None     # and where something moved
        self._knows, self._learning = False, True
        self._unknown: BoolGrid = np.zeros(main.shape, np.bool_)
        self.learned = 0            # blocks, so far

    @property
    def aligned(self) -> bool:
        """Whether it is known how the two pictures lie to each other."""
        return self._mapping is not None

    @property
    def refused(self) -> bool:
        """Whether the two pictures were compared often enough to say that they do not show the same."""
        return self._mapping is None and self._attempts >= GIVE_UP_AFTER

    @property
    def knows(self) -> bool:
        """Whether nearly all that is proven is known here, too, and there is any."""
        return self._knows

    @property
    def learning(self) -> bool:
        """Whether the main stream's keyframes would still teach something, but for blocks here and there: whoever is in one of those is in
        others, too."""
        return self._learning

    @property
    def unknown(self) -> BoolGrid:
        """The main stream's blocks, proven ones among them, of which this stream does not know what they look like."""
        return self._unknown

    def _recount(self) -> None:
        """What is wanted or known is another: both are asked for with every frame."""
        unknown = self._wanted & ~self._known
        wanted, missing = int(np.count_nonzero(self._wanted)), int(np.count_nonzero(unknown))
        self._knows = self.aligned and wanted > 0 and missing <= (1.0 - KNOWN_SHARE) * wanted
        self._learning = not self.aligned or bool(drop_small(unknown, FEWEST_UNKNOWN_BLOCKS).any())
        if self._mapping is not None:
            self._unknown = self._mapping.on_main(unknown)

    # -- the main stream's keyframes

    def compare(self, frame: Frame) -> None:
        """Look for the alignment, when that is due. frame: a keyframe of the main stream."""
        if self._mapping is not None or self._small is None or frame.monotonic_ns < self._next_attempt_ns:
            return
        small, at_ns = self._small
        if abs(frame.monotonic_ns - at_ns) > TOGETHER_NS:
            return
        self._attempts += 1
        self._next_attempt_ns = frame.monotonic_ns + (ALIGN_EVERY_NS if self._attempts < GIVE_UP_AFTER else ALIGN_SELDOM_NS)
        found = align(reduced(frame.y), small)
        if found is not None:
            self._mapping = Mapping(self._main, self.grid, found)
            self._recount()
            self._small = None

    def teach(self, proven: BoolGrid, clear: BoolGrid, light: tuple[Cells, Cells]) -> None:
        """What the main stream's keyframe showed. proven, clear: its blocks that are proven, and of those the ones that nothing covers."""
        if self._mapping is None:
            return
        there = self._mapping.on_sub(proven)
        self._measured = None
        self._wanted = there
        self._known &= there
        self._recount()
        self._clear = there & ~self._mapping.on_sub(proven & ~clear), *light

    # -- the sub-stream's frames

    def wants_pictures(self, frame: Frame) -> None:
        """Keep a small picture for the next comparison. frame: the sub-stream's."""
        if self._mapping is None and frame.intact and frame.monotonic_ns >= self._next_attempt_ns:
            self._small = reduced(frame.y), frame.monotonic_ns

    def observe(self, frame: Frame) -> SubSeen | None:
        """Take in an intact frame of the sub-stream; None before the alignment is known."""
        self.wants_pictures(frame)
        mapping = self._mapping
        if mapping is None:
            return None
        just, self._measured = self._measured, None
        changes, moved = just if just is not None and just[0].frame is frame else self._measure(frame)
        seen, raw, cells = changes.seen, changes.raw, changes.cells
        if self._fitted_ns == frame.monotonic_ns:           # else the light's own way since then would be taken for the place's
            elapsed_ns = max(frame.monotonic_ns - self._refined_ns, 0) if self._refined_ns >= 0 else 0
            self._refined_ns = frame.monotonic_ns
            quiet = self._known & ~self._differing & ~dilate(raw, 1)
            self._model.refine(seen, changes.expected, quiet, min(elapsed_ns / REFINE_TIME_NS, 0.1))
        self._learn(frame, seen, raw)                       # afterwards: of what is new, nothing was expected yet
        self._lately.append(seen)
        self._differing = raw
        known = np.count_nonzero(self._known)
        nothing = np.zeros(self._main.shape, np.bool_)
        unsure = moved & self._wanted & ~self._known
        return SubSeen(
            mapping.on_main(raw) if raw.any() else nothing,
            mapping.on_main(moved) if moved.any() else nothing,
            mapping.in_main(moved) if moved.any() else nothing,
            mapping.on_main(unsure) if unsure.any() else nothing,
            np.count_nonzero(raw) / known if known else 0.0,
            (mapping.light_on_main(cells[0]), mapping.light_on_main(cells[1])),
            float(seen[Y_MEAN].mean()),
            float(seen[GRADIENT].mean()),
        )

    def differs(self, frame: Frame) -> bool:
        """Whether a frame shows anything that the last one did not. Changes nothing but that the light may be fitted, and that the same
        frame, if it is observed next, is not measured again."""
        if self._mapping is None or not frame.intact or not self._lately or (frame.width_px, frame.height_px) != self._size():
            return True
        self._measured = changes, moved = self._measure(frame)
        return bool(drop_specks(changes.raw).any() or moved.any())

    def _size(self) -> tuple[int, int]:
        return self.grid.width_px, self.grid.height_px

    def _measure(self, frame: Frame) -> tuple[Changes, BoolGrid]:
        seen, known, now_ns = block_statistics(frame.y, frame.u, frame.v, SUB_BLOCK_PX), self._known, frame.monotonic_ns
        uncovered = known & ~dilate(self._differing, 1)
        light = self._light if 0 <= now_ns - self._fitted_ns < FIT_EVERY_NS else None
        changes = find_changes(frame, seen, self._model, known, uncovered, self._picture, SUB_BLOCK_PX, light)
        if light is not None and np.count_nonzero(changes.raw) > self._differed + MORE_DIFFERS * known.size:
            light = None
            changes = find_changes(frame, seen, self._model, known, uncovered, self._picture, SUB_BLOCK_PX)
        if light is None:
            self._light, self._fitted_ns, self._differed = changes.cells, now_ns, int(np.count_nonzero(changes.raw))
        return changes, self._moved(seen)

    def _moved(self, seen: Statistics) -> BoolGrid:
        """Blocks that look different from the last frame or from one a little older."""
        out = np.zeros(self.grid.shape, np.bool_)
        for before in {id(each): each for each in (self._lately[0], self._lately[-1])}.values() if self._lately else ():
            light = np.zeros((4, 1, 1), np.float32)
            light[Y_MEAN] = median((seen[Y_MEAN] - before[Y_MEAN]).ravel())
            out |= differs(seen, before + light, np.zeros_like(seen), MOTION_FLOORS, 0.0)
        return drop_small(out, FEWEST_MOVING_BLOCKS)

    def _learn(self, frame: Frame, seen: Statistics, raw: BoolGrid) -> None:
        """Take in what the main stream's last keyframe said about this moment, or about one a little earlier."""
        said, self._clear = self._clear, None
        if said is None or self._mapping is None:
            return
        clear, gains, offsets = said
        asked = clear & (~self._known | raw)
        same = ~differs(seen, self._first, np.zeros_like(seen), MOTION_FLOORS, 0.0) & (self._agreed > 0)
        fresh = asked & ~same
        self._first[:, fresh] = seen[:, fresh]
        self._agreed = np.where(asked, np.where(same, self._agreed + 1, 1), 0).astype(np.int8)
        ready = self._agreed >= AGREEING
        if not ready.any():
            return
        gain, offset = self._mapping.light_on_sub(gains), self._mapping.light_on_sub(offsets)
        plain = seen.copy()
        plain[Y_MEAN] = (seen[Y_MEAN] - offset - BLACK) / gain + BLACK
        plain[1:3] = (seen[1:3] - 128.0) / gain + 128.0
        plain[GRADIENT] = seen[GRADIENT] / gain
        self._model.start(ready, plain)
        pixels = np.repeat(np.repeat(ready, SUB_BLOCK_PX, axis=0), SUB_BLOCK_PX, axis=1)[: frame.height_px, : frame.width_px]
        np.copyto(self._picture, frame.y, where=pixels)
        self.learned += int(np.count_nonzero(ready & ~self._known))
        self._known |= ready
        self._light = None                  # it was fitted on fewer
        self._recount()
        self._agreed[ready] = 0
