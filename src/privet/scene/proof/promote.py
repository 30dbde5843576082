"""How a block becomes background. All privacy risk sits in `promote`: the only writer of a proven background.

Belongs here: `ProvenBackground`, the evidence that promotion asks for, and `promote` itself. Does not belong here: how evidence is
gathered (stillness.py, looks.py). tests/arch holds that nothing else writes a `ProvenBackground`. The rules and why they hold:
docs/design/promotion.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from privet.core.frame import Matrix, Plane
from privet.core.grid import BoolGrid, Grid
from privet.core.scene import MOST_LAYERS

FLAT_Y = 56
FLAT_CHROMA = 128
VIEWS_WITHOUT_A_HIT = 5


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """What some blocks looked like before: proven then, and not in force now. Arrays are read-only; planes are flat elsewhere.

    blocks: bool (rows, columns). proven_wall_ns: int64 (rows, columns).
    """

    planes: tuple[Plane, Plane, Plane]
    blocks: BoolGrid
    proven_wall_ns: NDArray[np.int64]


class ProvenBackground:
    """The picture of the place and which of its blocks are proven. Planes as in `core.frame.Frame`; read-only outside this file.

    A block whose background was replaced, by signature alone, keeps what it looked like before in one of a few layers.
    """

    def __init__(self, grid: Grid, matrix: Matrix) -> None:
        chroma = (-(-grid.height_px // 2), -(-grid.width_px // 2))
        self.grid = grid
        self.matrix = matrix
        self._y: Plane = np.full((grid.height_px, grid.width_px), FLAT_Y, np.uint8)
        self._u: Plane = np.full(chroma, FLAT_CHROMA, np.uint8)
        self._v: Plane = np.full(chroma, FLAT_CHROMA, np.uint8)
        self._proven: BoolGrid = np.zeros(grid.shape, np.bool_)
        self._proven_wall_ns: NDArray[np.int64] = np.zeros(grid.shape, np.int64)
        self._layers: list[ProvenBackground] = []  # each of them a background whose proven blocks are the layer's

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Earlier pictures, at most `MOST_LAYERS`."""
        return tuple(Layer(layer.planes, layer.proven, layer.proven_wall_ns) for layer in self._layers)

    @property
    def planes(self) -> tuple[Plane, Plane, Plane]:
        return _read_only(self._y), _read_only(self._u), _read_only(self._v)

    @property
    def proven(self) -> BoolGrid:
        view = self._proven.view()
        view.flags.writeable = False
        return view

    @property
    def proven_wall_ns(self) -> NDArray[np.int64]:
        """When each block was proven, ns UTC; 0 where it is not."""
        view = self._proven_wall_ns.view()
        view.flags.writeable = False
        return view


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What is known of every block; arrays of shape (rows, columns) unless said otherwise.

    still_ns: how long it and its neighbourhood have been still, without a gap, while every picture was looked at that was due; keyframes:
    over how many of them.
    clear_views: per detector, the number of different views without a hit since then that qualified as evidence (shape (n, rows,
    columns)); a detector that has not answered, or could not have seen a person, has given none.
    closed: never to be promoted: a blind zone. arrival: came after the place was known, so neither time nor detectors will do.
    signed: a person has signed that nobody is in it. picture: the planes to be written, proven still themselves.
    """

    still_ns: NDArray[np.int64]
    keyframes: NDArray[np.int32]
    clear_views: NDArray[np.int32]
    closed: BoolGrid
    arrival: BoolGrid
    signed: BoolGrid
    picture: tuple[Plane, Plane, Plane]


@dataclass(frozen=True, slots=True)
class Policy:
    """The site's policy. At least two detectors of different kinds must be loaded, or nothing is promoted."""

    prove_ns: int
    prove_keyframes: int
    commissioning: Literal["signature", "automatic"]
    detectors: int


def promote(background: ProvenBackground, evidence: Evidence, policy: Policy, wall_ns: int) -> tuple[BoolGrid, BoolGrid]:
    """Write the blocks that are proven now into `background`; return (promoted, candidates), bool (rows, columns).

    A candidate has passed rules 1 and 2 and waits for a signature. A block that is proven already is an arrival by itself: what came to
    stand in front of it is written by signature alone, and what was there before becomes a layer.
    """
    still = (evidence.still_ns >= policy.prove_ns) & (evidence.keyframes >= policy.prove_keyframes)          # rule 1
    nobody = np.all(evidence.clear_views >= VIEWS_WITHOUT_A_HIT, axis=0)                                   # rule 2
    if policy.detectors < 2 or evidence.clear_views.shape[0] != policy.detectors:
        nobody = np.zeros_like(still)
    candidates = still & nobody & ~evidence.closed
    arrival = evidence.arrival | background.proven
    allowed = evidence.signed.copy()
    if policy.commissioning == "automatic":                                                                 # rule 4
        allowed |= ~arrival                                                                                # rule 3
    promoted = candidates & allowed
    _keep(background, promoted & background.proven)
    _write(background, promoted, evidence.picture, wall_ns)
    return promoted, candidates & ~promoted


def recall(background: ProvenBackground, blocks: BoolGrid, layer: int) -> BoolGrid:
    """Put an earlier layer's pixels back into force; what was in force takes its place. Returns the blocks for which that was done.

    Raises:
        IndexError: there is no such layer.
    """
    earlier = background._layers[layer]
    done: BoolGrid = blocks & earlier._proven & background._proven
    planes, times = tuple(plane.copy() for plane in background.planes), background._proven_wall_ns.copy()
    _write(background, done, earlier.planes, 0)
    background._proven_wall_ns[done] = earlier._proven_wall_ns[done]
    _write(earlier, done, (planes[0], planes[1], planes[2]), 0)
    earlier._proven_wall_ns[done] = times[done]
    return done


def _keep(background: ProvenBackground, blocks: BoolGrid) -> None:
    """Put what is in force aside before it is replaced: into the first layer that is free there, else into the oldest there."""
    left = blocks.copy()
    while left.any():
        free = next((layer for layer in background._layers if (left & ~layer._proven).any()), None)
        if free is None and len(background._layers) < MOST_LAYERS:
            free = ProvenBackground(background.grid, background.matrix)
            background._layers.append(free)
        if free is None:
            ages = np.stack([layer._proven_wall_ns for layer in background._layers])
            for which, layer in enumerate(background._layers):
                _write_aside(layer, background, left & (ages.argmin(axis=0) == which))
            return
        here = left & ~free._proven
        _write_aside(free, background, here)
        left &= ~here


def _write_aside(layer: ProvenBackground, background: ProvenBackground, blocks: BoolGrid) -> None:
    _write(layer, blocks, background.planes, 0)
    layer._proven_wall_ns[blocks] = background._proven_wall_ns[blocks]


def restore(
    background: ProvenBackground,
    planes: tuple[Plane, Plane, Plane],
    proven: BoolGrid,
    proven_wall_ns: NDArray[np.int64],
    layers: Sequence[Layer] = (),
) -> None:
    """Put back what an earlier run of this camera had promoted (its sealed state).

    Raises:
        ValueError: the arrays do not fit the background's grid.
    """
    fits = all(new.shape == old.shape for new, old in zip(planes, background.planes, strict=True))
    if not fits or proven.shape != background.grid.shape or proven_wall_ns.shape != background.grid.shape:
        raise ValueError("stored background does not fit the grid")
    _write(background, proven, planes, 0)
    background._proven_wall_ns[proven] = proven_wall_ns[proven]
    for kept in layers[:MOST_LAYERS]:
        layer = ProvenBackground(background.grid, background.matrix)
        restore(layer, kept.planes, kept.blocks & proven, kept.proven_wall_ns)
        background._layers.append(layer)


def _write(background: ProvenBackground, blocks: BoolGrid, picture: tuple[Plane, Plane, Plane], wall_ns: int) -> None:
    side = background.grid.block_px
    half = side // 2
    for row, column in zip(*np.nonzero(blocks), strict=True):
        luma = (slice(row * side, (row + 1) * side), slice(column * side, (column + 1) * side))
        chroma = (slice(row * half, (row + 1) * half), slice(column * half, (column + 1) * half))
        background._y[luma] = picture[0][luma]
        background._u[chroma] = picture[1][chroma]
        background._v[chroma] = picture[2][chroma]
        background._proven[row, column] = True
        background._proven_wall_ns[row, column] = wall_ns


def _read_only(plane: Plane) -> Plane:
    view = plane.view()
    view.flags.writeable = False
    return view
