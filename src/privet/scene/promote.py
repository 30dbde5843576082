"""How a block becomes background. All privacy risk sits in `promote`: the only writer of a proven background.

Belongs here: `ProvenBackground`, the evidence that promotion asks for, and `promote` itself. Does not belong here: how evidence is
gathered (stillness.py, looks.py). tests/arch holds that nothing else writes a `ProvenBackground`. The rules and why they hold:
docs/design/promotion.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from privet.core.frame import Matrix, Plane
from privet.core.grid import BoolGrid, Grid

FLAT_Y = 56
FLAT_CHROMA = 128
VIEWS_WITHOUT_A_HIT = 5


class ProvenBackground:
    """The picture of the place and which of its blocks are proven. Planes as in `core.frame.Frame`; read-only outside this file."""

    def __init__(self, grid: Grid, matrix: Matrix) -> None:
        chroma = (-(-grid.height_px // 2), -(-grid.width_px // 2))
        self.grid = grid
        self.matrix = matrix
        self._y: Plane = np.full((grid.height_px, grid.width_px), FLAT_Y, np.uint8)
        self._u: Plane = np.full(chroma, FLAT_CHROMA, np.uint8)
        self._v: Plane = np.full(chroma, FLAT_CHROMA, np.uint8)
        self._proven: BoolGrid = np.zeros(grid.shape, np.bool_)
        self._proven_wall_ns: NDArray[np.int64] = np.zeros(grid.shape, np.int64)

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

    still_ns: how long it and its neighbourhood have been still, without a gap; keyframes: over how many of them.
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
class Rules:
    """The site's policy. At least two detectors of different kinds must be loaded, or nothing is promoted."""

    prove_ns: int
    prove_keyframes: int
    commissioning: Literal["signature", "automatic"]
    detectors: int


def promote(background: ProvenBackground, evidence: Evidence, rules: Rules, wall_ns: int) -> tuple[BoolGrid, BoolGrid]:
    """Write the blocks that are proven now into `background`; return (promoted, candidates), bool (rows, columns).

    A candidate has passed rules 1 and 2 and waits for a signature.
    """
    still = (evidence.still_ns >= rules.prove_ns) & (evidence.keyframes >= rules.prove_keyframes)          # rule 1
    nobody = np.all(evidence.clear_views >= VIEWS_WITHOUT_A_HIT, axis=0)                                   # rule 2
    if rules.detectors < 2 or evidence.clear_views.shape[0] != rules.detectors:
        nobody = np.zeros_like(still)
    candidates = still & nobody & ~background.proven & ~evidence.closed
    allowed = evidence.signed.copy()
    if rules.commissioning == "automatic":                                                                 # rule 4
        allowed |= ~evidence.arrival                                                                       # rule 3
    promoted = candidates & allowed
    _write(background, promoted, evidence.picture, wall_ns)
    return promoted, candidates & ~promoted


def restore(
    background: ProvenBackground, planes: tuple[Plane, Plane, Plane], proven: BoolGrid, proven_wall_ns: NDArray[np.int64]
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
