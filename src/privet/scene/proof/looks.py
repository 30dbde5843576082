"""Rule 2: looks at the live picture in different views, and what each block has been given as evidence that nobody is in it.

A detector has three answers per block. *Person* (a hit) restarts the proof. *Clear* is a view without a hit in which a person there
would have been seen: whole, at least 32 px tall in the detector's input, lit and sharp. Everything else is *unknown* and gives nothing.
Looking again at the same view finds nobody new, so views are counted once each: five different ones are asked for at every scale.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import Protocol

import numpy as np
from numba import njit
from numpy.typing import NDArray

from privet.core.frame import Frame
from privet.core.grid import BoolGrid, Grid
from privet.scene.proof.promote import VIEWS_WITHOUT_A_HIT
from privet.scene.proof.rules import ALL_RULES, Rules
from privet.scene.proof.views import Affine, RgbPicture, Tile, Transform, apply, input_to_picture, invert, sample
from privet.scene.statistics import GRADIENT, Y_MEAN, Statistics

TRANSFORMS = (
    Transform(),
    Transform(mirrored=True, zoom=0.97, shift_x=0.015, shift_y=-0.015),
    Transform(turn_degrees=5.0, zoom=0.9),
    Transform(mirrored=True, turn_degrees=-5.0, zoom=0.9),
    Transform(zoom=0.93, shift_x=-0.03, shift_y=0.03),
    Transform(mirrored=True, zoom=0.95, shift_x=0.02, shift_y=0.02),
    Transform(turn_degrees=-4.0, zoom=0.92, shift_x=0.02),
)
SMALLEST_ZOOM = min(transform.zoom for transform in TRANSFORMS)
LEAST_PERSON_PX = 32.0
WANTED_PERSON_PX = 56.0
MOST_TILES_ACROSS = 6
TILE_OVERLAP = 1.25
DARKEST = 32.0
BLUREST = 2.5
ABOVE_AND_BELOW = 0.6       # of a person's height: what belongs to a block's surroundings
ASIDE = 0.3
BOX_ERROR = 0.15            # of a box's longer side: how far an edge of it may lie beside the person's
NEARER = 1.3                # a block counts so many times as much for every view that it has
SAMPLED_BLOCKS = 160
MOST_SAMPLES = 8


class Detector(Protocol):
    """What looks asks of a detector."""

    @property
    def input_px(self) -> tuple[int, int]:
        """(height, width) of its input."""
        ...

    def find(self, pictures: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """People in uint8 (n, height, width, 3) RGB: per picture float32 (k, 4), left, top, right, bottom in fractions, whole bodies."""
        ...


@dataclass(frozen=True, slots=True)
class Look:
    """One view for one detector."""

    detector: int
    level: int
    tile: int
    transform: int


def levels(height_px: int, person_px: float, input_height_px: int) -> tuple[int, ...]:
    """How many tiles across each scale has: the whole picture, and one at which a person is `WANTED_PERSON_PX` tall in the input."""
    across = 1
    while across < MOST_TILES_ACROSS and person_px * input_height_px / _tile_side(height_px, across) < WANTED_PERSON_PX:
        across += 1
    return (1,) if across == 1 else (1, across)


def _tile_side(side_px: int, across: int) -> float:
    return float(side_px) if across == 1 else side_px / across * TILE_OVERLAP


def tiles(width_px: int, height_px: int, across: int, person_px: float, block_px: int) -> tuple[Tile, ...]:
    """Overlapping tiles that cover the picture: `across` a side, or more where that is too few for every block to lie in one of them
    with the surroundings that `blocks_seen` asks for.
    """
    width, height = _tile_side(width_px, across), _tile_side(height_px, across)
    lefts = _starts(width_px, width, across, 2 * ASIDE * person_px + block_px)
    tops = _starts(height_px, height, across, 2 * ABOVE_AND_BELOW * person_px + block_px)
    return tuple(Tile(left, top, width, height) for top in tops for left in lefts)


def _starts(side_px: int, tile_px: float, across: int, overlap_px: float) -> list[float]:
    if across == 1:
        return [0.0]
    furthest_step = max(tile_px - overlap_px, tile_px / 8)  # where a tile hardly holds a person, few blocks have their evidence
    count = max(across, ceil((side_px - tile_px) / furthest_step) + 1)
    return [i * (side_px - tile_px) / (count - 1) for i in range(count)]


def blocks_seen(grid: Grid, affine: Affine, input_px: tuple[int, int], person_px: float) -> BoolGrid:
    """Blocks whose surroundings, the size of a person and as far as the picture shows them, lie wholly inside the view.

    The surroundings reach 0.6 of a person up and down and 0.3 to either side. affine: from the input to the picture.
    """
    seen = np.empty(grid.blocks, np.bool_)
    blocks = np.arange(grid.blocks)
    _see(invert(affine), np.array([grid.height_px, grid.width_px, grid.block_px]), np.array(input_px), person_px, blocks, seen)
    return seen.reshape(grid.shape)


def blocks_seen_reference(grid: Grid, affine: Affine, input_px: tuple[int, int], person_px: float) -> BoolGrid:
    """As `blocks_seen`, plainly."""
    side = grid.block_px
    row, column = np.mgrid[0 : grid.rows, 0 : grid.columns]
    up, aside = ABOVE_AND_BELOW * person_px, ASIDE * person_px
    left = np.clip(column * side - aside, 0, grid.width_px)
    right = np.clip((column + 1) * side + aside, 0, grid.width_px)
    top = np.clip(row * side - up, 0, grid.height_px)
    bottom = np.clip((row + 1) * side + up, 0, grid.height_px)
    to_input = invert(affine)
    seen = np.ones(grid.shape, np.bool_)
    for x, y in ((left, top), (right, top), (left, bottom), (right, bottom)):
        mapped = apply(to_input, np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float64))
        inside = (mapped[:, 0] >= -0.5) & (mapped[:, 0] <= input_px[1] + 0.5)
        inside &= (mapped[:, 1] >= -0.5) & (mapped[:, 1] <= input_px[0] + 0.5)
        seen &= inside.reshape(grid.shape)
    return seen


@njit(cache=True, nogil=True)
def _sees(to_input: Affine, size: NDArray[np.int64], input_px: NDArray[np.int64], person_px: float, block: int) -> bool:
    """Whether one block, counted row by row, has its surroundings in the view. size: height, width and block, in pixels."""
    side = size[2]
    columns = -(-size[1] // side)
    row, column = block // columns, block % columns
    left = max(column * side - ASIDE * person_px, 0.0)
    right = min((column + 1) * side + ASIDE * person_px, float(size[1]))
    top = max(row * side - ABOVE_AND_BELOW * person_px, 0.0)
    bottom = min((row + 1) * side + ABOVE_AND_BELOW * person_px, float(size[0]))
    for corner in range(4):
        x = left if corner % 2 == 0 else right
        y = top if corner < 2 else bottom
        in_x = to_input[0, 0] * x + to_input[0, 1] * y + to_input[0, 2]
        in_y = to_input[1, 0] * x + to_input[1, 1] * y + to_input[1, 2]
        if in_x < -0.5 or in_y < -0.5 or in_x > input_px[1] + 0.5 or in_y > input_px[0] + 0.5:
            return False
    return True


@njit(cache=True, nogil=True)
def _see(
    to_input: Affine, size: NDArray[np.int64], input_px: NDArray[np.int64], person_px: float, blocks: NDArray[np.int64], seen: BoolGrid
) -> None:
    for i in range(blocks.size):
        seen[i] = _sees(to_input, size, input_px, person_px, blocks[i])


@njit(cache=True, nogil=True)
def _count(
    to_inputs: NDArray[np.float64], size: NDArray[np.int64], input_px: NDArray[np.int64], person_px: float,
    blocks: NDArray[np.int64], weights: NDArray[np.float64], views: NDArray[np.uint8], transforms: int, counts: NDArray[np.float64],
) -> None:
    """For every view, what those of `blocks` weigh that it sees and that have not been clear in its transform yet. weights, views: one a
    block."""
    for which in range(counts.size):
        counts[which] = 0
        bit = which % transforms
        for i in range(blocks.size):
            if (views[i] >> bit) & 1 == 0 and _sees(to_inputs[which], size, input_px, person_px, blocks[i]):
                counts[which] += weights[i]


@dataclass(frozen=True, eq=False)
class _Scale:
    """The views of one detector at one level: tile by tile, each under every transform. affines, to_inputs: float64 (n, 2, 3)."""

    detector: int
    level: int
    affines: NDArray[np.float64]
    to_inputs: NDArray[np.float64]


class Looks:
    """The evidence of one camera: which views of each block were clear, per detector and scale."""

    def __init__(self, grid: Grid, detectors: Sequence[Detector], person_px: float, rules: Rules = ALL_RULES) -> None:
        self._grid = grid
        self._size = np.array([grid.height_px, grid.width_px, grid.block_px])
        self._detectors = tuple(detectors)
        self._rules = rules
        self._transforms = TRANSFORMS if rules.varied_views else TRANSFORMS[:1] * len(TRANSFORMS)
        self._person_px = person_px
        self._levels = [levels(grid.height_px, person_px, detector.input_px[0]) for detector in self._detectors]
        self._scales = [
            self._scale(d, level, across) for d, each in enumerate(self._levels) for level, across in enumerate(each)
        ]
        most_levels = max((len(each) for each in self._levels), default=1)
        self._views: NDArray[np.uint8] = np.zeros((len(self._detectors), most_levels, *grid.shape), np.uint8)
        self._turn = 0
        self._taken: NDArray[np.int64] = np.zeros(sum(len(scale.affines) for scale in self._scales), np.int64)
        self.looked = 0
        self.hits = 0

    def _scale(self, detector: int, level: int, across: int) -> _Scale:
        affines = np.array(
            [
                input_to_picture(tile, transform, *self._detectors[detector].input_px)
                for tile in tiles(self._grid.width_px, self._grid.height_px, across, self._person_px, self._grid.block_px)
                for transform in self._transforms
            ]
        )
        return _Scale(detector, level, affines, np.array([invert(affine) for affine in affines]))

    def clear_views(self) -> NDArray[np.int32]:
        """Per detector, different clear views at the scale that has fewest: int32 (detectors, rows, columns).

        Every scale is looked at, for the sake of people nearer than expected; 0 if a person of the expected height is too small even in
        the closest.
        """
        out = np.zeros((len(self._detectors), *self._grid.shape), np.int32)
        for d, (detector, each) in enumerate(zip(self._detectors, self._levels, strict=True)):
            closest_px = self._person_px * detector.input_px[0] / _tile_side(self._grid.height_px, each[-1]) * SMALLEST_ZOOM
            if closest_px >= LEAST_PERSON_PX:
                out[d] = np.bitwise_count(self._views[d, : len(each)]).min(axis=0)
        return out

    def forget(self, blocks: BoolGrid) -> None:
        """A proof that restarts begins without evidence."""
        self._views *= ~blocks

    def next_look(self, waiting: BoolGrid, taken: Iterable[Look] = ()) -> Look | None:
        """The look that most waiting blocks lack, by a sample of them, times how long ago it was last taken; None when none would help.

        Blocks count the more, the more views they have: what is begun is finished before anything else is begun, for where proofs break
        off, views that are taken one after another are lost less often than views spread over minutes.

        taken: looks at the same picture: no detector is shown the same tile of it twice, for whom it did not find it will hardly find then.

        The time makes it fair: blocks that cannot get evidence (too dark, or found to hold somebody again and again) do not keep the
        looks from those that can.
        """
        self._turn += 1
        every = [self._lacking_in(scale, waiting) for scale in self._scales]
        counts = np.concatenate([np.zeros(0), *every])
        first = 0
        for scale in self._scales:
            for look in taken:
                if (look.detector, look.level) == (scale.detector, scale.level):
                    at = first + look.tile * len(TRANSFORMS)
                    counts[at : at + len(TRANSFORMS)] = 0
            first += len(scale.affines)
        if not counts.any():
            return None
        best = int((counts * (self._turn - self._taken)).argmax())
        self._taken[best] = self._turn
        for scale, those in zip(self._scales, every, strict=True):
            if best < those.size:
                return Look(scale.detector, scale.level, best // len(TRANSFORMS), best % len(TRANSFORMS))
            best -= those.size
        return None

    def _lacking_in(self, scale: _Scale, waiting: BoolGrid) -> NDArray[np.float64]:
        """About what the waiting blocks weigh that lack each view of a scale and would get it: float64 (views,).

        Every n-th block that lacks any is asked, so that the cost is the same whatever the picture's size; if none of those can be
        helped, others are asked.
        """
        views = self._views[scale.detector, scale.level].reshape(-1)
        lacking = np.flatnonzero(waiting.reshape(-1) & (np.bitwise_count(views) < VIEWS_WITHOUT_A_HIT))
        counts = np.zeros(len(scale.affines), np.float64)
        step = ceil(lacking.size / SAMPLED_BLOCKS)
        input_px = np.array(self._detectors[scale.detector].input_px)
        for first in range(min(step, MOST_SAMPLES)):
            asked = lacking[(first + self._turn) % step :: step]
            _count(
                scale.to_inputs, self._size, input_px, self._person_px, asked, self._weights(asked), views[asked], len(TRANSFORMS), counts
            )
            if counts.any():
                break
        return counts * step

    def _weights(self, blocks: NDArray[np.int64]) -> NDArray[np.float64]:
        """What each of some blocks, counted row by row, counts for: see `next_look`."""
        views = self._views.reshape(-1, self._grid.blocks)[:, blocks]
        weights: NDArray[np.float64] = NEARER ** np.minimum(np.bitwise_count(views), VIEWS_WITHOUT_A_HIT).sum(axis=0, dtype=np.float64)
        return weights

    def look(self, look: Look, frame: Frame, seen: Statistics) -> BoolGrid:
        """Look, note what was clear, and return the blocks with a hit.

        seen: the frame's block statistics, from which light and sharpness are judged.

        Raises:
            DetectorError: from the detector.
        """
        detector = self._detectors[look.detector]
        scale = next(each for each in self._scales if (each.detector, each.level) == (look.detector, look.level))
        affine = scale.affines[look.tile * len(TRANSFORMS) + look.transform]
        height, width = detector.input_px
        picture: RgbPicture = sample(frame, affine, height, width)
        boxes = detector.find(picture[None])[0]
        hit = blocks_hit(self._grid, affine, boxes, (height, width))
        self.looked += 1
        if hit.any():
            self.hits += 1
        in_view = blocks_seen(self._grid, affine, (height, width), self._person_px)
        clear = in_view & self._good_enough(in_view, seen) & ~hit
        self._views[look.detector, look.level, clear] |= np.uint8(1 << look.transform)
        return hit

    def _good_enough(self, in_view: BoolGrid, seen: Statistics) -> BoolGrid:
        """Blocks about which an empty answer says something: a sharp picture, and light enough around the block itself.

        Light is judged over a person's size around each block, because a dark doorway in a bright view hides somebody; sharpness by the
        sharpest tenth of the whole picture, because a bare wall has none of its own.
        """
        if not self._rules.clear_needs_light:
            return np.ones_like(in_view)
        if not in_view.any() or float(np.percentile(seen[GRADIENT], 90)) < BLUREST:
            return np.zeros(in_view.shape, np.bool_)
        up, aside = (ceil(share * self._person_px / self._grid.block_px) for share in (ABOVE_AND_BELOW, ASIDE))
        light: BoolGrid = mean_around(seen[Y_MEAN], up, aside) >= DARKEST
        return light


def mean_around(values: NDArray[np.float32], up: int, aside: int) -> NDArray[np.float64]:
    """Mean over a window of 2 up + 1 by 2 aside + 1 blocks around each, cut at the picture's edge. values: (rows, columns)."""
    rows, columns = values.shape
    sums = np.zeros((rows + 1, columns + 1))
    sums[1:, 1:] = values.astype(np.float64).cumsum(axis=0).cumsum(axis=1)
    top, bottom = np.maximum(np.arange(rows) - up, 0), np.minimum(np.arange(rows) + up + 1, rows)
    left, right = np.maximum(np.arange(columns) - aside, 0), np.minimum(np.arange(columns) + aside + 1, columns)
    total = sums[bottom][:, right] - sums[top][:, right] - sums[bottom][:, left] + sums[top][:, left]
    means: NDArray[np.float64] = total / np.outer(bottom - top, right - left)
    return means


def blocks_hit(grid: Grid, affine: Affine, boxes: NDArray[np.float32], input_px: tuple[int, int]) -> BoolGrid:
    """Blocks that detections touch, grown by what a detector's boxes are off by. boxes: float32 (k, 4), fractions of the input."""
    hit = np.zeros(grid.shape, np.bool_)
    height, width = input_px
    for left, top, right, bottom in boxes.astype(np.float64):
        corners = np.array([[left, top], [right, top], [left, bottom], [right, bottom]]) * np.array([width, height])
        mapped = apply(affine, corners) / grid.block_px
        margin = BOX_ERROR * float((mapped.max(axis=0) - mapped.min(axis=0)).max())
        first_column, first_row = (floor(value - margin) for value in mapped.min(axis=0))
        last_column, last_row = (ceil(value + margin) for value in mapped.max(axis=0))
        hit[max(first_row, 0) : max(last_row, 0), max(first_column, 0) : max(last_column, 0)] = True
    return hit
