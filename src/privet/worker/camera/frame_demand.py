"""What of one stream is decoded: the analysis' demand on its way to the decoder, and what the decoder tells on its way back.

Belongs here: the link between the two rooms, for one stream. Does not belong here: what makes a place quiet (scene), how packets are held
back (ingest.on_demand), for how long less is asked for on a machine that is behind (load_shedding).
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Protocol

from privet.core.clock import Clock
from privet.core.frame import Frame
from privet.core.frame_demand import FrameDemand, SceneDemand, Stream, Wanted
from privet.ingest.frame_demand import DecoderState
from privet.scene.demand import is_due
from privet.worker.camera.load_shedding import KEYFRAMES_ABOVE_NS, PICTURES, LoadShedding


class SubDemander(Protocol):
    """What is asked of the analysis of a sub-stream."""

    def differs(self, frame: Frame) -> bool: ...

    def lose(self) -> None: ...


class Demander(Protocol):
    """What is asked of a camera's analysis."""

    @property
    def demand(self) -> SceneDemand: ...

    @property
    def sub(self) -> SubDemander: ...

    def differs(self, frame: Frame) -> bool: ...


class StreamDemand(ABC):
    """See `privet.ingest.frame_demand.FrameConsumer`. state: the decoder's. gap: because the machine is behind, what lay between the last
    two pictures that were looked at was not decoded. times_shed: how often that began. skips: the stream's keyframes can be decoded alone.
    """

    def __init__(self, observer: Demander, clock: Clock) -> None:
        self._observer = observer
        self._clock = clock
        self._pictures = LoadShedding(PICTURES, random.random)    # spreads waits; keeps no secret
        self._taken_ns = -1
        self._left_out = False      # since the last picture that was looked at, or going on
        self._resumed = False       # it does not go on
        self.gap = False
        self.times_shed = 0
        self.state = DecoderState.AWAKE
        self.skips = True

    @property
    @abstractmethod
    def demand(self) -> FrameDemand:
        """As of the last frame that was looked at, of either stream."""

    @abstractmethod
    def differs(self, frame: Frame) -> bool:
        """Whether a frame of this stream shows anything that the last one did not."""

    def wants(self) -> Wanted:
        """What is asked for, unless the machine is behind; asleep nothing is gained by that."""
        demand = self.demand
        return demand.wanted_if_behind if not self.asleep and self._shed() else demand.wanted

    @property
    def asleep(self) -> bool:
        """Only keyframes come."""
        return self.state is DecoderState.ASLEEP

    def due(self, frame: Frame) -> bool:
        """Whether a frame is to be analysed."""
        return is_due(self.demand, frame)

    def behind_ns(self, frame: Frame, now_ns: int) -> int:
        """How long ago the packet of this frame arrived. What was held back while asleep is late, but the machine is not behind for that.
        Nor is it when the decoder keeps pictures back until others have come."""
        return 0 if self.state is DecoderState.CATCHING_UP else now_ns - max(frame.monotonic_ns, self._taken_ns)

    def note(self, now_ns: int, behind_ns: int) -> None:
        """Take in how late a picture is that is due."""
        helps = not self.asleep and self.skips and self._wants_all
        self._pictures.note(now_ns, doing=True, hurried=helps and behind_ns > KEYFRAMES_ABOVE_NS)

    @property
    def leaves_out(self) -> bool:
        """Because the machine is behind, something was left out since a picture was looked at."""
        return self._left_out

    def take_gap(self) -> bool:
        """A picture is looked at now. Returns whether something was left out since the last one that was."""
        self.gap = self._left_out
        if self._resumed:
            self._left_out = self._resumed = False
        return self.gap

    def begin(self) -> None:
        """Another source: it is decoded from its first keyframe on, and whether its keyframes stand alone is not known yet."""
        self.state = DecoderState.AWAKE
        self.skips = True
        self._resumed = True

    # -- what the decoder tells

    def note_decoder(self, state: DecoderState) -> None:
        """See `FrameConsumer`."""
        self.state = state

    def cannot_skip(self) -> None:
        """See `FrameConsumer`."""
        self.skips = False

    def skipping(self, *, on: bool) -> None:
        """See `FrameConsumer`."""
        # With a sub-stream that suffices, of the main stream keyframes alone are wanted: the analyst knows.
        if on and self._wants_all:
            self.times_shed += not self._left_out or self._resumed
            self._left_out, self._resumed = True, False
        else:
            self._resumed = True

    def took(self, arrived_ns: int) -> None:
        """See `FrameConsumer`."""
        self._taken_ns = arrived_ns

    @property
    def _wants_all(self) -> bool:
        """All pictures, if the machine keeps up."""
        return self.demand.wanted is Wanted.ALL

    def _shed(self) -> bool:
        return self._pictures.off(self._clock.monotonic_ns())


class MainDemand(StreamDemand):
    """Of the main stream, which may be watched beside a sub-stream."""

    def __init__(
        self, observer: Demander, clock: Clock, sub_comes: Callable[[], bool] = lambda: False, asked: Callable[[], bool] = lambda: False
    ) -> None:
        """sub_comes: whether the sub-stream gives pictures now. asked: whether somebody waits for a picture of the main stream."""
        super().__init__(observer, clock)
        self._sub_comes = sub_comes
        self._asked = asked

    @property
    def demand(self) -> FrameDemand:
        """See `StreamDemand`."""
        return self._observer.demand.main

    @property
    def watched(self) -> Stream:
        """The stream that covers are taken from."""
        return self._observer.demand.watched

    def differs(self, frame: Frame) -> bool:
        """See `StreamDemand`."""
        return self._observer.differs(frame)

    def wants(self) -> Wanted:
        """See `StreamDemand`. While the sub-stream is watched, as little as will do; everything if it does not come."""
        if self.watched is Stream.MAIN:
            return super().wants()
        if not self.skips or not self._sub_comes():
            self._observer.sub.lose()
            return Wanted.ALL
        demand = self.demand
        if demand.wanted is Wanted.ALL and not self._shed():
            return Wanted.ALL
        return Wanted.KEYFRAMES if self._asked() else demand.wanted_if_behind


class SubDemand(StreamDemand):
    """Of the sub-stream, of which blocks' means are looked at and nothing else."""

    @property
    def demand(self) -> FrameDemand:
        """See `StreamDemand`."""
        return self._observer.demand.sub

    def differs(self, frame: Frame) -> bool:
        """See `StreamDemand`."""
        return self._observer.sub.differs(frame)
