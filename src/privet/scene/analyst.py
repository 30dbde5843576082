"""One camera's scene: frames in, cover, light and promoted blocks out. The shell around pure steps: it holds what is known, and publishes
what is asked for next.

Belongs here: the port of the scene room. Does not belong here: how a frame is analysed (main_stream, substream.step), what is known
(epoch). What comes out is `Observation`, which holds no live pixel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from privet.core.frame import Frame
from privet.core.frame_demand import SceneDemand
from privet.core.grid import Grid
from privet.scene.demand import demand_of
from privet.scene.epoch import Epoch, begin_epoch, stored_scene, take_up
from privet.scene.main_stream import observe_main, shows_anything
from privet.scene.observation import Observation
from privet.scene.proof.commissioning import Commissioning
from privet.scene.proof.looks import Detector
from privet.scene.proof.promote import ProvenBackground
from privet.scene.proof.rules import ALL_RULES, Rules
from privet.scene.proof.step import AS_USUAL, Circumstances, Means, Proof
from privet.scene.settings import AnalystSettings
from privet.scene.state_format import StoredScene
from privet.scene.substream.step import observe_sub


@dataclass(frozen=True, slots=True)
class Counters:
    """So far, of this grid; looks_starved: of all. blind_blocks: in blind zones."""

    looks: int = 0
    looks_with_hit: int = 0
    proofs_restarted: int = 0
    looks_starved: int = 0
    blind_blocks: int = 0


@dataclass(slots=True)
class _Current:
    """What both streams' frames advance, and what was published of it."""

    means: Means
    epoch: Epoch | None
    shed: bool = False
    demand: SceneDemand = field(default_factory=SceneDemand)

    def publish(self) -> None:
        """Say what is asked for next."""
        self.demand = demand_of(self.epoch, self.means.settings.slot_ns, shed=self.shed)

    def proof(self) -> Proof | None:
        return None if self.epoch is None else self.epoch.proof


class Analyst:
    """Follows the frames of one camera. Not safe for use from several threads at once, but for `demand`, which may be read from any.

    signing: rule 4, for whoever serves a signer. sub: the sub-stream's frames.
    """

    def __init__(
        self, settings: AnalystSettings, detectors: Sequence[Detector], stored: StoredScene | None = None, *, distrust: bool = False,
        may_look: Callable[[], bool] = lambda: True, rules: Rules = ALL_RULES,
    ) -> None:
        """stored: what an earlier run left. distrust: it left something that cannot be read, so everything in view is an arrival.

        may_look: asked before every look, for the detectors are shared. rules: for benches, which switch one off.
        """
        means = Means(settings, rules, tuple(detectors), may_look)
        self._distrust = distrust
        self._current = current = _Current(means, None if stored is None else take_up(stored, means, distrust=distrust))
        self.signing = Commissioning(means, current.proof)
        self.sub = SubStream(current)
        current.publish()

    @property
    def demand(self) -> SceneDemand:
        """What is asked of the decoders, as of the last frame that was looked at."""
        return self._current.demand

    @property
    def rules(self) -> Rules:
        """The rules of promotion that hold: all of them, but on a bench."""
        return self._current.means.rules

    @property
    def background(self) -> ProvenBackground | None:
        """The proven background; None before the first frame of a camera that has none stored."""
        epoch = self._current.epoch
        return None if epoch is None else epoch.background

    @property
    def counters(self) -> Counters:
        """What was counted so far."""
        epoch = self._current.epoch
        if epoch is None:
            return Counters()
        looks, restarts = epoch.proof.looks, epoch.proof.stillness.restarts
        blind_blocks = int(np.count_nonzero(epoch.blind))
        return Counters(looks.looked, looks.hits, restarts, self._current.means.looks_starved, blind_blocks)

    def differs(self, frame: Frame) -> bool:
        """Whether a frame shows anything that the last one did not; of a quiet place, where nothing is covered."""
        epoch = self._current.epoch
        return epoch is None or shows_anything(epoch, frame)

    def observe(self, frame: Frame, how: Circumstances = AS_USUAL) -> Observation:
        """Analyse a frame of the main stream that is due.

        Raises:
            DetectorError: a detector failed; the frame proves nothing, and from then on nothing is looked at. Covers go on.
        """
        current = self._current
        current.shed = how.shed
        epoch, new_grid = self._adopt(frame)
        try:
            return observe_main(epoch, current.means, frame, how, new_grid=new_grid)
        finally:
            current.publish()

    def snapshot(self) -> StoredScene | None:
        """What must outlive the worker, to be sealed; None while there is no background."""
        epoch = self._current.epoch
        return None if epoch is None else stored_scene(epoch)

    def _adopt(self, frame: Frame) -> tuple[Epoch, bool]:
        """The epoch that the frame belongs to: a new one, all unproven, when there is no background yet or the picture's size, geometry or
        colour coding is another."""
        epoch, means = self._current.epoch, self._current.means
        number, next_cover_ns = 0, -1
        if epoch is not None:
            grid = epoch.grid
            same_size = (grid.width_px, grid.height_px) == (frame.width_px, frame.height_px)
            same_geometry = epoch.geometry in (None, frame.stored)
            epoch.geometry = frame.stored
            if same_size and same_geometry and epoch.background.matrix is frame.matrix:
                return epoch, False
            number, next_cover_ns = grid.epoch + 1, epoch.taken.next_cover_ns
        grid = Grid(frame.width_px, frame.height_px, means.settings.block_px, number)
        self.signing.forget()
        self._current.epoch = epoch = begin_epoch(grid, frame.matrix, means, distrust=self._distrust, next_cover_ns=next_cover_ns)
        epoch.geometry = frame.stored
        return epoch, True


class SubStream:
    """The same camera's sub-stream, as far as it is analysed: what it shows of the blocks that the main stream has proven."""

    def __init__(self, current: _Current) -> None:
        self._current = current

    def differs(self, frame: Frame) -> bool:
        """As `Analyst.differs`."""
        epoch = self._current.epoch
        return epoch is None or epoch.sub.view is None or epoch.sub.view.differs(frame)

    def observe(self, frame: Frame, how: Circumstances = AS_USUAL) -> Observation | None:
        """Analyse a frame that is due; None while the main stream is analysed, too, and says what there is to say."""
        current = self._current
        assert current.epoch is not None
        current.shed = how.shed
        try:
            return observe_sub(current.epoch, current.means, frame, how)
        finally:
            current.publish()

    def lose(self) -> None:
        """It does not come any more: until it does, the main stream is all there is. From any thread."""
        if self._current.epoch is not None:
            self._current.epoch.sub.live = False
        self._current.publish()
