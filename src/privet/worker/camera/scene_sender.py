"""Hands what was seen to the scene encoder, and its messages to the send queue: whoever speaks, one at a time.

Belongs here: the lock between the camera's threads and the heartbeat, and which words the state is said in. Does not belong here: numbering
and rates (scene_encoder), the queue (worker.send_queue). No live pixel comes here: an `Observation` holds none.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from privet.core.clock import Clock
from privet.core.grid import BoolGrid, Grid, pack_bits
from privet.core.pb import pipe_pb2, scene_pb2
from privet.core.scene import Condition, Reason, Scene
from privet.core.wire import to_message
from privet.scene.analyst import Counters
from privet.scene.observation import Observation
from privet.scene.proof.promote import ProvenBackground
from privet.worker.camera.scene_encoder import SceneEncoder, Seen
from privet.worker.send_queue import Emit

INFO = 20


class Known(Protocol):
    """What is known of the place."""

    @property
    def background(self) -> ProvenBackground | None: ...

    @property
    def counters(self) -> Counters: ...


class SceneSender:
    """One camera's. lock: held while something is said; `heartbeat` is called with it held. runs: from the first thing said to the last."""

    def __init__(self, encoder: SceneEncoder, emit: Emit, clock: Clock, known: Known) -> None:
        self._encoder = encoder
        self._emit = emit
        self._clock = clock
        self._known = known
        self._resend = False
        self.lock = threading.Lock()
        self.runs = False
        self.promoted_blocks = 0

    @property
    def condition(self) -> Condition:
        """As it was said last."""
        return self._encoder.condition[0]

    def begin(self) -> None:
        """Say the first messages. Encoding a whole background takes a while, and nobody else speaks yet."""
        wall_ns, now_ns = self._clock.wall_ns(), self._clock.monotonic_ns()
        self._say(self._encoder.begin(self._known.background, self._blind_blocks(), wall_ns, now_ns))
        with self.lock:
            self.runs = True

    def end(self) -> None:
        """Nothing is said any more."""
        with self.lock:
            self.runs = False

    def resend(self) -> None:
        """Say background and light again with the next heartbeat. From any thread."""
        self._resend = True

    def tell(self, seen: Observation, monotonic_ns: int, condition: Condition, reason: Reason) -> None:
        """Say what a frame showed. monotonic_ns: the frame's. condition, reason: of the camera, which may sleep, or leave something out."""
        background = self._known.background
        assert background is not None
        outgoing = Seen(seen.wall_ns, monotonic_ns, condition, reason, seen.cover, seen.light, seen.painted, seen.new_grid)
        with self.lock:
            self._say(self._encoder.tell(outgoing, background, self._blind_blocks()), monotonic_ns)
        if seen.new_grid:
            self._emit(pipe_pb2.Log(level=INFO, code=pipe_pb2.LOG_CODE_EPOCH, number=background.grid.epoch))
        if seen.promoted is not None:
            self.promoted_blocks += int(seen.promoted.sum())
        for message in promotion_messages(seen, background.grid):
            self._emit(message)

    def offline(self, reason: Reason) -> None:
        """The camera does not deliver."""
        with self.lock:
            self.heartbeat(offline=reason)

    def heartbeat(self, *, offline: Reason | None = None) -> None:
        """Say how the camera is: once a second, and when it goes. The caller holds the lock. offline: it does not deliver, and why."""
        if offline is not None:
            self._encoder.offline(Condition.OFFLINE, offline)
        self._say([self._encoder.heartbeat(self._known.background, self._blind_blocks(), self._clock.wall_ns())])

    def say_again_if_asked(self) -> None:
        """Background and light, for readers that lost the thread. The caller holds the lock."""
        background = self._known.background
        if not self._resend:
            return
        self._resend = False
        if background is not None:
            wall_ns = self._clock.wall_ns()
            self._say([self._encoder.whole(background, wall_ns, self._clock.monotonic_ns())])
            self._say(self._encoder.light_again(background.grid.epoch, wall_ns))

    def _say(self, scenes: Sequence[Scene], arrived_monotonic_ns: int = 0) -> None:
        for scene in scenes:
            self._emit(to_message(scene), arrived_monotonic_ns)

    def _blind_blocks(self) -> int:
        return self._known.counters.blind_blocks


def promotion_messages(seen: Observation, grid: Grid) -> list[pipe_pb2.Promotion]:
    """What the index and the audit keep of each change of the background; the pixels travel in a patch."""
    made = []
    if seen.promoted is not None:
        by = pipe_pb2.COMMISSIONING_SIGNATURE if seen.by_signature else pipe_pb2.COMMISSIONING_AUTOMATIC
        made.append(_promotion(seen.wall_ns, grid, seen.promoted, by))
    made += [_promotion(seen.wall_ns, grid, blocks, pipe_pb2.COMMISSIONING_LAYER, layer) for layer, blocks in seen.returned]
    return made


def _promotion(
    wall_ns: int, grid: Grid, blocks: BoolGrid, by: pipe_pb2.Commissioning.ValueType, layer: int = 0
) -> pipe_pb2.Promotion:
    return pipe_pb2.Promotion(
        wall_ns=wall_ns,
        epoch=grid.epoch,
        blocks=int(np.count_nonzero(blocks)),
        promoted=pack_bits(blocks),
        grid=scene_pb2.Grid(width_px=grid.width_px, height_px=grid.height_px, block_px=grid.block_px, epoch=grid.epoch),
        layer=layer,
        by=by,
    )
