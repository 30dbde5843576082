"""Everything that is known of one camera's place while its picture has one size, geometry and colour coding: one value, replaced whole.

Belongs here: what an epoch consists of and how one begins. Does not belong here: how a frame advances it (main_stream, substream.step).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from privet.core.clock import NS_PER_S
from privet.core.frame import Frame, Matrix
from privet.core.geometry import Geometry
from privet.core.grid import BoolGrid, Grid
from privet.scene.block_model import BlockModel
from privet.scene.cover.blind import blind_blocks
from privet.scene.cover.changes import Changes, find_changes
from privet.scene.cover.step import Covering, uncovered
from privet.scene.fit import Fit
from privet.scene.light import LightSaid
from privet.scene.proof.promote import ProvenBackground, restore
from privet.scene.proof.step import Means, Proof, begin_proof
from privet.scene.rest import Rest
from privet.scene.state_format import StoredScene
from privet.scene.statistics import Statistics, block_statistics
from privet.scene.substream.state import SubState, begin_sub

REFINE_TIME_NS = 10 * NS_PER_S


@dataclass(frozen=True, slots=True)
class Taken:
    """When frames of the main stream are looked at (monotonic).

    next_whole_ns: when the next picture is due while the sub-stream is watched. granted: all pictures since the last keyframe were asked
    for. sharpness: of the last keyframe.
    """

    next_cover_ns: int = -1
    next_whole_ns: int = -1
    keyframe_ns: int = -1
    refined_ns: int = -1
    granted: bool = True
    sharpness: float = 0.0


@dataclass(slots=True, eq=False)
class Epoch:
    """What is small is frozen and replaced by each step; pixels, models and proofs are too large for that, and are advanced.

    blind: blocks in blind zones. geometry: of the last frame; None of what an earlier run left, where it is not known. last_seen: the last
    frame's block statistics. measured: a frame that was measured and not observed yet.
    """

    background: ProvenBackground
    blind: BoolGrid
    model: BlockModel
    proof: Proof
    covering: Covering
    sub: SubState
    taken: Taken
    fit: Fit = field(default_factory=Fit)
    rest: Rest = field(default_factory=Rest)
    light: LightSaid = field(default_factory=LightSaid)
    geometry: Geometry | None = None
    last_seen: Statistics | None = None
    measured: Changes | None = None

    @property
    def grid(self) -> Grid:
        return self.background.grid

    @property
    def sub_suffices(self) -> bool:
        """Whether the sub-stream shows whether anything is there, so that of the main stream keyframes are enough.

        What moves it shows from the first, and what stays only where it has learned what the place looks like; elsewhere keyframes tell.
        """
        return self.sub.aligned and self.fit.fits

    @property
    def sub_tells_all(self) -> bool:
        """Whether light, and whether the picture still fits, are told from the sub-stream: it knows what the place looks like."""
        return self.sub_suffices and self.sub.knows

    def measure(self, frame: Frame) -> Changes:
        """A frame against the background."""
        proven, block_px = self.background.proven, self.grid.block_px
        seen = block_statistics(frame.y, frame.u, frame.v, block_px)
        return find_changes(frame, seen, self.model, proven, proven & ~self.covering.found, self.background.planes[0], block_px)


def begin_epoch(grid: Grid, matrix: Matrix, means: Means, *, distrust: bool, next_cover_ns: int = -1) -> Epoch:
    """All unproven. distrust: everything in view is an arrival. next_cover_ns: covers keep their pace from one epoch to the next."""
    settings = means.settings
    blind, model, background = blind_blocks(grid, settings.blind), BlockModel(grid), ProvenBackground(grid, matrix)
    return Epoch(
        background, blind, model, begin_proof(background, blind, model, means, distrust=distrust), uncovered(grid.shape),
        begin_sub(grid.shape), Taken(next_cover_ns=next_cover_ns, keyframe_ns=-settings.slot_ns),
    )


def take_up(stored: StoredScene, means: Means, *, distrust: bool) -> Epoch:
    """Go on from an earlier run's background. It must be seen to fit before anything is promoted or shown as uncovered."""
    grid, block_px = stored.grid, means.settings.block_px
    if grid.block_px != block_px:
        return begin_epoch(Grid(grid.width_px, grid.height_px, block_px, grid.epoch + 1), stored.matrix, means, distrust=distrust)
    epoch = begin_epoch(grid, stored.matrix, means, distrust=distrust)
    background, proof = epoch.background, epoch.proof
    restore(background, stored.planes, stored.proven & ~epoch.blind, stored.proven_wall_ns, stored.layers)
    proof.expect(background.proven)
    proof.arrival = proof.arrival | stored.arrival
    if background.proven.any():
        epoch.fit = Fit(found=False)
        proof.given_up_before = stored.given_up
    return epoch


def stored_scene(epoch: Epoch) -> StoredScene:
    """What must outlive the worker, to be sealed."""
    background, proof = epoch.background, epoch.proof
    return StoredScene(
        background.grid, background.matrix, background.planes, background.proven, background.proven_wall_ns, proof.arrival,
        background.layers, proof.given_up,
    )


def nothing(epoch: Epoch) -> BoolGrid:
    """No block: bool (rows, columns)."""
    return np.zeros(epoch.grid.shape, np.bool_)
