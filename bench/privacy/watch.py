"""The product over a sequence: the analyst, its scene stream, and what a viewer of that stream sees at every frame.

Belongs here: wiring as a worker does it. Does not belong here: judging. The picture is drawn from the messages alone, decoded from the
images they carry, as a browser does; the records (when a block was promoted) are the analyst's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Sequence as Many
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bench.privacy.sequence import Sequence
from bench.privacy.substream import Smaller, SubStream
from privet.core.clock import NS_PER_S
from privet.core.frame import Frame
from privet.core.frame_demand import Stream, Wanted
from privet.core.grid import BoolGrid, Grid
from privet.core.reader import SceneView, follow
from privet.core.scene import Condition, Reason, Scene
from privet.core.wire import to_message
from privet.render.paint import Picture, render
from privet.render.picture import Pictures
from privet.scene.analyst import Analyst
from privet.scene.demand import is_due
from privet.scene.observation import Observation
from privet.scene.proof.looks import Detector
from privet.scene.proof.rules import ALL_RULES, Rules
from privet.scene.settings import AnalystSettings
from privet.worker.camera.scene_encoder import SceneEncoder, Seen

HEARTBEAT_NS = NS_PER_S
FIRST_NS = NS_PER_S  # a stream's time begins here, because 0 says "unknown"


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """One frame and what is shown of it.

    picture: uint8 (height, width, 3), sRGB. hidden: bool (height, width), pixels that are painted flat. cover, proven: bool (rows,
    columns), of the stream. promoted_at: int64 (rows, columns), frame number at which the block's pixels became background, -1 where
    they are not shown.
    """

    number: int
    live: Frame
    picture: Picture
    hidden: NDArray[np.bool_]
    grid: Grid
    cover: BoolGrid
    proven: BoolGrid
    promoted_at: NDArray[np.int64]
    condition: Condition
    reason: Reason


@dataclass(slots=True)
class Account:
    """What a run cost, filled while it is watched."""

    bytes_sent: int = 0
    seconds: float = 0.0
    looks: int = 0
    looks_with_hit: int = 0
    signed: int = 0
    restarted: list[int] = field(default_factory=list)
    sub_frames: int = 0         # during how many the sub-stream was watched


Between = Callable[[int, Analyst], Analyst]
"""Called before every frame with its number; what it returns goes on. A restart gives back another analyst."""


def watch(
    sequence: Sequence,
    settings: AnalystSettings,
    detectors: Many[Detector],
    account: Account,
    between: Between | None = None,
    smaller: Smaller | None = None,
    rules: Rules = ALL_RULES,
) -> Iterator[Shown]:
    """Yield what a viewer sees at every frame, from the first one that is analysed.

    Whatever lies between two covers is shown with the last one, as a player does. smaller: of a sub-stream, which is
    watched between the main stream's keyframes as soon as it has been learned. rules: those that hold.
    """
    analyst = Analyst(settings, detectors, rules=rules)
    encoder = SceneEncoder(1, round(NS_PER_S / settings.covers_per_second))
    viewer = _Viewer(account)
    promoted_at: NDArray[np.int64] | None = None
    said_ns = 0
    state = (Condition.STARTING, Reason.NONE)
    walls: list[int] = []
    sub: SubStream | None = None
    whole = True
    for number, frame in enumerate(_timed(sequence)):
        walls.append(frame.wall_ns)
        if between is not None and (after := between(number, analyst)) is not analyst:
            account.looks += analyst.counters.looks
            account.looks_with_hit += analyst.counters.looks_with_hit
            account.restarted.append(number)
            analyst = after
            encoder = SceneEncoder(2 + len(account.restarted), round(NS_PER_S / settings.covers_per_second))
            viewer.hear(encoder.begin(analyst.background, 0, frame.wall_ns, frame.monotonic_ns))
        told: list[tuple[Frame, Observation]] = []
        if smaller is not None:
            sub = sub or SubStream(smaller, sequence.fps, frame)
            account.sub_frames += analyst.demand.watched is Stream.SUB
            for small in sub.next(frame):
                if is_due(analyst.demand.sub, small) and (watched := analyst.sub.observe(small)) is not None:
                    told.append((small, watched))
        if frame.keyframe:                  # from one of these on everything is decoded, or nothing else
            whole = analyst.demand.main.wanted is Wanted.ALL
        wanted = whole or (frame.keyframe and analyst.demand.main.wanted_if_behind is Wanted.KEYFRAMES)
        if wanted and is_due(analyst.demand.main, frame):
            told.append((frame, analyst.observe(frame)))
        for at, seen in told:
            background = analyst.background
            assert background is not None
            promoted_at = np.searchsorted(np.array(walls), background.proven_wall_ns).astype(np.int64)
            viewer.hear(
                encoder.tell(
                    Seen(
                        at.wall_ns, at.monotonic_ns, seen.condition, seen.reason, seen.cover, seen.light, seen.painted,
                        seen.new_grid,
                    ),
                    background,
                    0,
                )
            )
            if frame.wall_ns - said_ns >= HEARTBEAT_NS:
                said_ns = frame.wall_ns
                viewer.hear([encoder.heartbeat(background, 0, frame.wall_ns)])
            state = (seen.condition, seen.reason)
        if promoted_at is None:
            continue
        yield viewer.look(number, frame, promoted_at, state)
    account.looks += analyst.counters.looks
    account.looks_with_hit += analyst.counters.looks_with_hit
    account.seconds = sequence.count / sequence.fps


def _timed(sequence: Sequence) -> Iterator[Frame]:
    """The frames with times that begin at FIRST_NS."""
    for frame in sequence.frames():
        yield Frame(
            frame.y, frame.u, frame.v, frame.wall_ns + FIRST_NS, frame.monotonic_ns + FIRST_NS, frame.keyframe, frame.intact, frame.matrix
        )


class _Viewer:
    """Draws the scene stream as it comes."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._view = SceneView()
        self._pictures = Pictures()

    def hear(self, scenes: Many[Scene]) -> None:
        for scene in scenes:
            self._account.bytes_sent += len(to_message(scene).SerializeToString())
            self._view = follow(self._view, scene)

    def look(self, number: int, frame: Frame, promoted_at: NDArray[np.int64], state: tuple[Condition, Reason]) -> Shown:
        view = self._view
        painted = self._pictures.decode_view(view)
        grid = painted.grid
        cover = np.zeros(grid.shape, np.bool_) if view.cover is None else view.cover.covered
        picture = render(painted.picture, painted.proven, cover, view.light, grid)
        flat = np.repeat(np.repeat(cover | ~painted.proven, grid.block_px, 0), grid.block_px, 1)
        hidden = flat[: grid.height_px, : grid.width_px]
        shown_since = np.where(painted.proven, promoted_at, -1)
        return Shown(number, frame, picture, hidden, grid, cover, painted.proven, shown_since, *state)
