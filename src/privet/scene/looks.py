"""Rule 2: looks at the live picture in different views, and what each block has been given as evidence that nobody is in it.

A detector has three answers per block. *Person* (a hit) restarts the proof. *Clear* is a view without a hit in which a person there
would have been seen: whole, at least 32 px tall in the detector's input, lit and sharp. Everything else is *unknown* and gives nothing.
Looking again at the same view finds nobody new, so views are counted once each: five different ones are asked for at every scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from privet.core.frame import Frame
from privet.core.grid import BoolGrid, Grid
from privet.scene.sample import Affine, RgbPicture, Tile, Transform, apply, input_to_picture, invert, sample
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
BLUREST = 1.2
VIEWS_WANTED = 5


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


@dataclass(frozen=True, eq=False)
class _Plan:
    """A look's geometry, worked out once."""

    affine: Affine
    seen: BoolGrid      # blocks around which a whole person would be in the view


def levels(height_px: int, person_px: float, input_height_px: int) -> tuple[int, ...]:
    """How many tiles across each scale has: the whole picture, and one at which a person is `WANTED_PERSON_PX` tall in the input."""
    across = 1
    while across < MOST_TILES_ACROSS and person_px * input_height_px / _tile_side(height_px, across) < WANTED_PERSON_PX:
        across += 1
    return (1,) if across == 1 else (1, across)


def _tile_side(side_px: int, across: int) -> float:
    return float(side_px) if across == 1 else side_px / across * TILE_OVERLAP


def tiles(width_px: int, height_px: int, across: int) -> tuple[Tile, ...]:
    """`across` x `across` overlapping tiles that cover the picture."""
    width, height = _tile_side(width_px, across), _tile_side(height_px, across)
    step_x = 0.0 if across == 1 else (width_px - width) / (across - 1)
    step_y = 0.0 if across == 1 else (height_px - height) / (across - 1)
    return tuple(Tile(i * step_x, j * step_y, width, height) for j in range(across) for i in range(across))


def blocks_seen(grid: Grid, affine: Affine, input_px: tuple[int, int], person_px: float) -> BoolGrid:
    """Blocks for which a person standing there, as far as the picture shows it, lies wholly inside the view."""
    side = grid.block_px
    row, column = np.mgrid[0 : grid.rows, 0 : grid.columns]
    up, aside = 0.6 * person_px, 0.3 * person_px
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


class Looks:
    """The evidence of one camera: which views of each block were clear, per detector and scale."""

    def __init__(self, grid: Grid, detectors: Sequence[Detector], person_px: float) -> None:
        self._grid = grid
        self._detectors = tuple(detectors)
        self._person_px = person_px
        self._levels = [levels(grid.height_px, person_px, detector.input_px[0]) for detector in self._detectors]
        self._plans: dict[Look, _Plan] = {}
        for d, detector in enumerate(self._detectors):
            for level, across in enumerate(self._levels[d]):
                for t, tile in enumerate(tiles(grid.width_px, grid.height_px, across)):
                    for k, transform in enumerate(TRANSFORMS):
                        affine = input_to_picture(tile, transform, *detector.input_px)
                        self._plans[Look(d, level, t, k)] = _Plan(affine, blocks_seen(grid, affine, detector.input_px, person_px))
        most_levels = max((len(each) for each in self._levels), default=1)
        self._views: NDArray[np.uint8] = np.zeros((len(self._detectors), most_levels, *grid.shape), np.uint8)
        self._turn = 0
        self.looked = 0
        self.hits = 0

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
        self._views[:, :, blocks] = 0

    def next_look(self, waiting: BoolGrid) -> Look | None:
        """The look that most waiting blocks lack; None when none would help. Ties go round in turn."""
        best, best_count = None, 0
        looks = list(self._plans)
        for index in range(len(looks)):
            look = looks[(index + self._turn) % len(looks)]
            views = self._views[look.detector, look.level]
            lacking = waiting & (np.bitwise_count(views) < VIEWS_WANTED) & ((views >> look.transform) & 1 == 0)
            count = int((lacking & self._plans[look].seen).sum())
            if count > best_count:
                best, best_count = look, count
        self._turn += 1
        return best

    def look(self, look: Look, frame: Frame, seen: Statistics) -> BoolGrid:
        """Look, note what was clear, and return the blocks with a hit.

        seen: the frame's block statistics, from which light and sharpness are judged.

        Raises:
            DetectorError: from the detector.
        """
        plan = self._plans[look]
        detector = self._detectors[look.detector]
        height, width = detector.input_px
        picture: RgbPicture = sample(frame, plan.affine, height, width)
        boxes = detector.find(picture[None])[0]
        hit = blocks_hit(self._grid, plan.affine, boxes, (height, width))
        self.looked += 1
        if hit.any():
            self.hits += 1
        if self._good_enough(plan.seen, seen):
            clear = plan.seen & ~hit
            self._views[look.detector, look.level, clear] |= np.uint8(1 << look.transform)
        return hit

    @staticmethod
    def _good_enough(blocks: BoolGrid, seen: Statistics) -> bool:
        if not blocks.any():
            return False
        return bool(seen[Y_MEAN][blocks].mean() >= DARKEST and seen[GRADIENT][blocks].mean() >= BLUREST)


def blocks_hit(grid: Grid, affine: Affine, boxes: NDArray[np.float32], input_px: tuple[int, int]) -> BoolGrid:
    """Blocks that detections touch, one block around them included. boxes: float32 (k, 4), fractions of the input."""
    hit = np.zeros(grid.shape, np.bool_)
    height, width = input_px
    for left, top, right, bottom in boxes.astype(np.float64):
        corners = np.array([[left, top], [right, top], [left, bottom], [right, bottom]]) * np.array([width, height])
        mapped = apply(affine, corners) / grid.block_px
        first_column, first_row = (int(value) - 1 for value in np.floor(mapped.min(axis=0)))
        last_column, last_row = (ceil(value) + 1 for value in mapped.max(axis=0))
        hit[max(first_row, 0) : max(last_row, 0), max(first_column, 0) : max(last_column, 0)] = True
    return hit
