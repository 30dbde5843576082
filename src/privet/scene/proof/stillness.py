"""Rule 1: for every block not yet proven, how long it and its neighbourhood have been still.

Noise is learned from keyframe to keyframe, because between keyframes a codec copies blocks that hardly change: a person who sways
half a pixel is bit-identical there. A proof begins with a keyframe, the *anchor*; every later keyframe is compared with it pixel by
pixel, by how much and by whether a shift of the block would explain it, and every analysed frame in between by block statistics. What
moves restarts the proof of its whole neighbourhood, one body height around it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numba import njit
from numpy.typing import NDArray

from privet.core.frame import Frame, Plane
from privet.core.grid import BoolGrid, Grid
from privet.scene import quantile
from privet.scene.cover.shape import dilate, drop_small, drop_specks
from privet.scene.proof.rules import ALL_RULES, Rules
from privet.scene.statistics import GRADIENT, Y_MEAN, Flat, Statistics, block_differences, block_shifts, flattened

TEXTURE_EDGES = np.array([2.0, 4.0, 8.0, 16.0, 32.0], np.float32)
FEWEST_BLOCKS_FOR_NOISE = 24
ROWS_ENOUGH_FOR_NOISE = 60
LARGEST_LIGHT_OFFSET = 12.0
LATELY_FRAMES = 3
FEWEST_MOVING_BLOCKS = 6
SHIFT_PERCENTILE = 50.0
SHIFT_CLASS_SHARE = 0.05     # fewer blocks of like texture might all be one crowd's
REFERENCE_NS = 60_000_000_000    # how old the anchor of a block that is not being proven gets: noise is learned from it


@dataclass(frozen=True, slots=True)
class StillnessLimits:
    """What counts as still. Distances in levels.

    keyframe_floor, keyframe_times: a block moved between anchor and keyframe if their mean absolute difference is above
    floor + times * noise; keyframe_most caps that, so that a noisy picture is not proven at all rather than laxly.
    shift_floor, shift_times: or if a shift of it explains more than floor, and than times the noise in that.
    motion_floors: per feature, what counts as motion between keyframes. neighbourhood_blocks: half a body height, so that the window
    of a block, 2 n + 1 blocks, is one body tall and wide.
    longest_gap_ns: a longer silence restarts every proof.
    """

    keyframe_floor: float = 1.5
    keyframe_times: float = 3.0
    keyframe_most: float = 14.0
    shift_floor: float = 8.0
    shift_times: float = 6.0
    motion_floors: tuple[float, float, float, float] = (4.0, 3.0, 3.0, 2.0)
    neighbourhood_blocks: int = 4
    longest_gap_ns: int = 5_000_000_000


def noise_by_texture(
    difference: NDArray[np.float32], gradient: NDArray[np.float32], usable: BoolGrid, percentile: float = 30.0, fewest_share: float = 0.0
) -> NDArray[np.float32]:
    """Expected difference of a still block, per block, from the blocks of like texture.

    By default the 30th percentile within a texture class, times 1.3 (the median of a clean half-normal over its 30th percentile is 1.75;
    codec noise is narrower): a third of the picture may move without loosening what counts as still. Of a class that is smaller than
    `fewest_share` of what is usable nothing is learned; it gets what all have. float32 (rows, columns), levels.
    """
    out = np.empty(difference.shape, np.float32)
    order, ends = _by_texture(gradient, usable)
    of_class = difference.reshape(-1)[order]
    overall = quantile.percentile(of_class, percentile)
    fewest = max(FEWEST_BLOCKS_FOR_NOISE, fewest_share * of_class.size)
    levels = [overall if end - begin < fewest else quantile.percentile(of_class[begin:end], percentile) for begin, end in pairwise(ends)]
    _spread_by_texture(gradient, 1.3 * np.array(levels, np.float32), out)
    return out


@njit(cache=True, nogil=True)
def _texture(gradient: np.float32) -> int:
    which = 0
    for edge in TEXTURE_EDGES:
        which += gradient >= edge
    return which


@njit(cache=True, nogil=True)
def _by_texture(gradient: NDArray[np.float32], usable: BoolGrid) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Usable blocks, counted row by row, sorted by texture class; and where each class begins, and the last ends."""
    those, flags = gradient.reshape(-1), usable.reshape(-1)
    ends = np.zeros(TEXTURE_EDGES.size + 2, np.int64)
    for i in range(those.size):
        if flags[i]:
            ends[_texture(those[i]) + 1] += 1
    for which in range(1, ends.size):
        ends[which] += ends[which - 1]
    at = ends.copy()
    order = np.empty(ends[-1], np.int32)
    for i in range(those.size):
        if flags[i]:
            which = _texture(those[i])
            order[at[which]] = i
            at[which] += 1
    return order, ends


@njit(cache=True, nogil=True)
def _spread_by_texture(gradient: NDArray[np.float32], levels: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    rows, columns = gradient.shape
    for row in range(rows):
        for column in range(columns):
            out[row, column] = levels[_texture(gradient[row, column])]


@njit(cache=True, nogil=True)
def moved_blocks(
    before: Statistics, brighter: NDArray[np.float32], seen: Statistics, floors: NDArray[np.float32], blocks: BoolGrid
) -> BoolGrid:
    """Of `blocks`, those of which a feature is further than its floor from before. Without a branch, so that it vectorises."""
    _, rows, _ = seen.shape
    out = np.zeros(blocks.shape, np.bool_)
    for row in range(rows):
        moved, wanted, light = out[row], blocks[row], brighter[row]
        for feature in range(4):
            here, there, floor = seen[feature, row], before[feature, row], floors[feature]
            lit, grows = np.float32(1.0 if feature == 0 else 0.0), np.float32(0.25 if feature == 3 else 0.0)
            for column in range(wanted.size):
                distance = abs(here[column] - there[column] - lit * light[column])
                moved[column] |= wanted[column] & (distance > floor + grows * there[column])
    return out


@njit(cache=True, nogil=True)
def anchor_blocks(
    flat: Flat, stride: int, anchor: Plane, mean: NDArray[np.uint16], side: int, restarted: BoolGrid, still: BoolGrid,
    keyframes: NDArray[np.int32],
) -> None:
    """Of one plane, copy restarted blocks into anchor and mean; move the mean of still blocks on. Means are in 1/128 levels.

    What to do with each pixel of a row of blocks is written out along the line, so that a line is worked on many pixels at a time.
    """
    rows, columns = restarted.shape
    height, width = anchor.shape
    fresh, weight = np.zeros(width, np.bool_), np.zeros(width, np.float32)
    for row in range(rows):
        anything = False
        for column in range(columns):
            begin, end = column * side, min((column + 1) * side, width)
            anything |= restarted[row, column] or still[row, column]
            fresh[begin:end] = restarted[row, column]
            weight[begin:end] = 1.0 / min(max(keyframes[row, column], 1), 16) if still[row, column] else 0.0
        if not anything:
            continue
        for i in range(row * side, min((row + 1) * side, height)):
            line, first, held = flat[i * stride : i * stride + width], anchor[i], mean[i]
            for j in range(width):
                value = np.float32(np.int32(line[j])) * np.float32(128)
                before = np.float32(np.int32(held[j]))
                moved = before + np.floor((value - before) * weight[j])
                held[j] = np.uint16(np.int32(value if fresh[j] else moved))
            for j in range(width):
                first[j] = line[j] if fresh[j] else first[j]


class Stillness:
    """The running proofs of one camera."""

    def __init__(self, grid: Grid, limits: StillnessLimits, rules: Rules = ALL_RULES) -> None:
        chroma = (-(-grid.height_px // 2), -(-grid.width_px // 2))
        self._grid = grid
        self._limits = limits
        self._rules = rules
        luma = (grid.height_px, grid.width_px)
        self._anchor: tuple[Plane, Plane, Plane] = (np.zeros(luma, np.uint8), np.zeros(chroma, np.uint8), np.zeros(chroma, np.uint8))
        self._mean = (np.zeros(luma, np.uint16), np.zeros(chroma, np.uint16), np.zeros(chroma, np.uint16))
        self._previous: tuple[Plane, Plane, Plane] | None = None
        self._previous_light = 0.0
        self._light = 0.0
        self._anchor_light: NDArray[np.float64] = np.zeros(grid.shape, np.float64)
        self._statistics: Statistics = np.zeros((4, *grid.shape), np.float32)
        self._running: BoolGrid = np.zeros(grid.shape, np.bool_)
        self._broke_off: BoolGrid = np.zeros(grid.shape, np.bool_)
        self._since_ns: NDArray[np.int64] = np.full(grid.shape, -REFERENCE_NS - 1, np.int64)
        self._keyframes: NDArray[np.int32] = np.zeros(grid.shape, np.int32)
        self._watched_ns = 0
        self._watched_before: NDArray[np.int64] = np.zeros(grid.shape, np.int64)
        self._last_ns = -1
        self._lately: deque[tuple[Statistics, float]] = deque(maxlen=LATELY_FRAMES)
        # Rows of blocks that noise is learned from; of a large picture not all are needed.
        self._sampled: BoolGrid = np.zeros(grid.shape, np.bool_)
        self._sampled[:: 1 + grid.rows // ROWS_ENOUGH_FOR_NOISE] = True
        self.restarts = 0

    @property
    def running(self) -> BoolGrid:
        """Blocks whose proof has begun."""
        return self._running

    @property
    def broke_off(self) -> BoolGrid:
        """Blocks of which an earlier proof ended before they were proven: it may well end again."""
        return self._broke_off

    @property
    def keyframes(self) -> NDArray[np.int32]:
        """Over how many keyframes each block has been still; 0 where no proof runs. int32 (rows, columns)."""
        return np.where(self._running, self._keyframes, 0).astype(np.int32)

    def still_ns(self, now_ns: int) -> NDArray[np.int64]:
        """How long each block has been still; 0 where no proof runs. int64 (rows, columns)."""
        return np.where(self._running, now_ns - self._since_ns, 0)

    def watched_ns(self) -> NDArray[np.int64]:
        """For how much of the time for which each block has been still all pictures were looked at. int64 (rows, columns)."""
        return np.where(self._running, self._watched_ns - self._watched_before, 0)

    def picture(self) -> tuple[Plane, Plane, Plane]:
        """The mean of each proof's keyframes."""
        y, u, v = (((plane.astype(np.uint32) + 64) // 128).astype(np.uint8) for plane in self._mean)
        return y, u, v

    def interrupted(self, now_ns: int) -> bool:
        """Whether the frame of this moment is the first, or nothing was seen for so long before it that no proof goes on."""
        return self._last_ns < 0 or not 0 <= now_ns - self._last_ns <= self._limits.longest_gap_ns

    def observe(
        self, frame: Frame, seen: Statistics, waiting: BoolGrid, covered: BoolGrid, tried: BoolGrid | None = None, *, whole: bool = True
    ) -> tuple[BoolGrid, BoolGrid]:
        """Follow one analysed frame that decoded cleanly.

        seen: its block statistics. waiting: blocks still to be proven. covered: proven blocks that something is in front of: whoever
        stands there may reach into what is not proven yet. tried: those of the waiting whose proofs are followed; all, if None. whole:
        whatever was due since the last frame was looked at, and not keyframes alone.

        Returns (moved, disturbed): waiting blocks that moved in this frame or, where no proof runs, since the last (if many did: there
        noise and what flutters are not told apart yet); and blocks at which no proof may go on, neighbourhood included.
        """
        tried = waiting if tried is None else tried & waiting
        disturbed = np.zeros(self._grid.shape, np.bool_)
        if self.interrupted(frame.monotonic_ns):
            self.restart_all()
            disturbed[:] = True
        elif whole:
            self._watched_ns += frame.monotonic_ns - self._last_ns
        self._last_ns = frame.monotonic_ns
        self.restart(waiting & ~tried)
        running = self._running & waiting
        if self._lately:
            self._light += _step_of_light(seen, self._lately[-1][0])
        moved = self._moved_from(self._statistics, _bounded(self._light - self._anchor_light), seen, running)
        shifted = np.zeros_like(running)
        keyframe = frame.keyframe and bool(tried.any())
        if keyframe:
            moved |= self._moved_since_anchor(frame, seen, running)
            shifted = self._shifted_since_anchor(frame, seen, running, waiting)
            self._previous, self._previous_light = (frame.y.copy(), frame.u.copy(), frame.v.copy()), self._light
        elif frame.keyframe:
            self._previous = None           # what it would be compared with is not from one keyframe before
        idle = waiting & ~running
        lately = self._moving_since(0, seen, idle)  # whoever is there must not be lost sight of
        just_now = drop_small(self._moving_since(-1, seen, idle), FEWEST_MOVING_BLOCKS)
        moving = moved | lately | covered
        self._lately.append((seen, self._light))
        disturbed |= self._neighbourhood(moved, moving) | dilate(shifted, self._limits.neighbourhood_blocks)
        self.restart(disturbed)
        if keyframe:
            self._begin_and_carry_on(frame, seen, tried)
        return moved | just_now, disturbed

    def restart(self, blocks: BoolGrid) -> BoolGrid:
        """End the proofs of `blocks`; they begin anew with the next keyframe. Returns those that ran."""
        ended = blocks & self._running
        self._running = self._running & ~blocks
        self._broke_off = self._broke_off | ended
        self.restarts += int(np.count_nonzero(ended))
        return ended

    def restart_all(self) -> BoolGrid:
        """End every proof: something happened to the picture as a whole."""
        return self.restart(np.ones(self._grid.shape, np.bool_))

    def _moving_since(self, which: int, seen: Statistics, idle: BoolGrid) -> BoolGrid:
        """Idle blocks that look different from one of the last frames. which: 0 is the oldest that is kept, -1 the last."""
        if not self._lately:
            return np.zeros_like(idle)
        before, light = self._lately[which]
        return self._moved_from(before, _bounded(np.full(idle.shape, self._light - light)), seen, idle)

    def _moved_from(self, before: Statistics, brighter: NDArray[np.float64], seen: Statistics, blocks: BoolGrid) -> BoolGrid:
        """Blocks that look different from `before`. brighter: by how much the picture as a whole is, in levels, per block."""
        if not self._rules.motion or not blocks.any():
            return np.zeros_like(blocks)
        floors = np.asarray(self._limits.motion_floors, np.float32)
        return moved_blocks(before, brighter.astype(np.float32), seen, floors, blocks)

    def _moved_since_anchor(self, frame: Frame, seen: Statistics, running: BoolGrid) -> BoolGrid:
        if not self._rules.keyframe_noise or self._previous is None or not running.any():
            return np.zeros_like(running)
        planes = (frame.y, frame.u, frame.v)
        block_px = self._grid.block_px
        # Without the light's step taken off, a cloud would pass for noise and loosen what counts as still.
        step = _bounded(np.full(running.shape, self._light - self._previous_light))
        between = block_differences(planes, self._previous, block_px, self._sampled, step)
        noise = noise_by_texture(between, seen[GRADIENT], self._sampled)
        brighter = _bounded(self._light - self._anchor_light)
        difference = block_differences(planes, self._anchor, block_px, running, brighter)
        allowed = np.minimum(self._limits.keyframe_floor + self._limits.keyframe_times * noise, self._limits.keyframe_most)
        moved: BoolGrid = np.logical_and(difference > allowed, running)
        return moved

    def _shifted_since_anchor(self, frame: Frame, seen: Statistics, running: BoolGrid, waiting: BoolGrid) -> BoolGrid:
        """Blocks that moved by parts of a pixel. Whoever stands still sways; at times nothing but the head shows it, in one block.

        Noise is learned over the same span as it is tested on: what a codec makes of the same picture twice varies more from minute to
        minute than from keyframe to keyframe. Blocks that wait for nothing have an anchor for this, so that a crowd in what is left to
        be proven is not taken for noise.
        """
        if not self._rules.small_shifts or not running.any():
            return np.zeros_like(running)
        anchored = running | (~waiting & self._sampled)
        shift = block_shifts(frame.y, self._anchor[0], self._grid.block_px, anchored)
        noise = noise_by_texture(shift, seen[GRADIENT], anchored, SHIFT_PERCENTILE, SHIFT_CLASS_SHARE)
        allowed = np.maximum(self._limits.shift_floor, self._limits.shift_times * noise)
        shifted: BoolGrid = np.logical_and(shift > allowed, running)
        return shifted

    def around(self, blocks: BoolGrid) -> BoolGrid:
        """`blocks` and half a body height around them; of a lone block nothing, for it may be noise."""
        return dilate(drop_specks(blocks), self._limits.neighbourhood_blocks)

    def _neighbourhood(self, moved: BoolGrid, moving: BoolGrid) -> BoolGrid:
        """Half a body height around whoever moves; a lone block may be noise and takes only its eight neighbours along."""
        return self.around(moving) | dilate(moved, 1) if self._rules.neighbourhood else moved

    def _begin_and_carry_on(self, frame: Frame, seen: Statistics, waiting: BoolGrid) -> None:
        carried = waiting & self._running
        fresh = ~carried & (waiting | (frame.monotonic_ns - self._since_ns > REFERENCE_NS))
        self._keyframes[carried] += 1
        self._keyframes[fresh] = 1
        self._since_ns[fresh] = frame.monotonic_ns
        self._watched_before[fresh] = self._watched_ns
        self._statistics[:, fresh] = seen[:, fresh]
        self._anchor_light[fresh] = self._light
        for plane, anchor, mean in zip((frame.y, frame.u, frame.v), self._anchor, self._mean, strict=True):
            side = self._grid.block_px if plane is frame.y else self._grid.block_px // 2
            anchor_blocks(*flattened(plane), anchor, mean, side, fresh, carried, self._keyframes)
        self._running = waiting.copy()


def _step_of_light(seen: Statistics, before: Statistics) -> float:
    """How much brighter the picture is as a whole than a frame before, in levels: a passing cloud is not motion.

    The median over the whole picture, of every fourth block. Over the blocks still to be proven it would be their own: where those are
    few and somebody is in them, their every movement would be taken for light.
    """
    return float(quantile.median((seen[Y_MEAN, ::2, ::2] - before[Y_MEAN, ::2, ::2]).ravel()))


def _bounded(brighter: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.clip(brighter, -LARGEST_LIGHT_OFFSET, LARGEST_LIGHT_OFFSET)
