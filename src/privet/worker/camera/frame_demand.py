"""Keeps watch over how closely a camera is watched: what the analyst has seen, told to the one who decodes, and back.

Belongs here: the link between the two rooms, and whether a camera sleeps. Does not belong here: what makes a place quiet (scene), how
packets are put off (ingest.lazy).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Protocol

from privet.core.clock import Clock
from privet.core.frame import Frame
from privet.ingest.frame_demand import Wants
from privet.worker.camera.load_shedding import PICTURES, LoadShedding
from privet.worker.camera.overload import KEYFRAMES_ABOVE_NS


class Watched(Protocol):
    """What is asked of the analyst."""

    @property
    def proving(self) -> bool: ...

    @property
    def quiet(self) -> bool: ...

    @property
    def covered(self) -> bool: ...

    @property
    def sub_suffices(self) -> bool: ...

    @property
    def wants_keyframes(self) -> bool: ...

    @property
    def wants_whole(self) -> bool: ...

    @property
    def due_ns(self) -> int: ...

    @property
    def sub_due_ns(self) -> int: ...

    def differs(self, frame: Frame) -> bool: ...

    def sub_differs(self, frame: Frame) -> bool: ...

    def lose_sub(self) -> None: ...


class Vigil:
    """See `privet.ingest.frame_demand.Attention`. asleep: only keyframes come. late: what comes now was put off while asleep. sparse:
    because the machine is behind, what lay between the last two pictures that were looked at was not decoded. times_sparse: how often that
    began.
    """

    def __init__(
        self, observer: Watched, clock: Clock, sub_comes: Callable[[], bool] = lambda: False, asked: Callable[[], bool] = lambda: False
    ) -> None:
        """sub_comes: whether the sub-stream gives pictures now. asked: whether somebody waits for a picture of the main stream."""
        self._observer = observer
        self._sub_comes = sub_comes
        self._asked = asked
        self._clock = clock
        self._pictures = LoadShedding(PICTURES, random.random)    # spreads waits; keeps no secret
        self._taken_ns = -1
        self._left_out = False      # since the last picture that was looked at, or going on
        self._resumed = False       # it does not go on
        self.sparse = False
        self.times_sparse = 0
        self.asleep = False
        self.late = False
        self.skips = True           # whether the main stream's keyframes can be decoded alone

    @property
    def wants(self) -> Wants:
        if not self._observer.sub_suffices:
            return self._as_many_as_may_be()
        if not self.skips or not self._sub_comes():
            self._observer.lose_sub()
            return Wants.ALL
        if self._observer.wants_whole and not self._put_off():
            return Wants.ALL
        return Wants.KEYFRAMES if self._observer.wants_keyframes or self._asked() else Wants.SELDOM

    @property
    def proving(self) -> bool:
        return self._observer.proving

    @property
    def quiet(self) -> bool:
        return self._observer.quiet

    @property
    def covered(self) -> bool:
        return self._observer.covered

    @property
    def due_ns(self) -> int:
        return self._observer.due_ns

    def differs(self, frame: Frame) -> bool:
        return self._observer.differs(frame)

    def behind_ns(self, frame: Frame, now_ns: int) -> int:
        """How long ago what gave this frame arrived. What was put off while asleep is late, and the machine is not behind for that; nor
        for a decoder that keeps pictures back until others have come."""
        return 0 if self.late else now_ns - max(frame.monotonic_ns, self._taken_ns)

    def note(self, now_ns: int, behind_ns: int) -> None:
        """Take in how late a picture is that is due."""
        helps = not self.asleep and self.skips and self._wants_all
        self._pictures.note(now_ns, doing=True, hurried=helps and behind_ns > KEYFRAMES_ABOVE_NS)

    @property
    def leaves_out(self) -> bool:
        """Because the machine is behind, something was left out since a picture was looked at."""
        return self._left_out

    def look(self) -> bool:
        """A picture is looked at now. Returns whether something was left out since the last one that was."""
        self.sparse = self._left_out
        if self._resumed:
            self._left_out = self._resumed = False
        return self.sparse

    @property
    def _wants_all(self) -> bool:
        """All pictures, if the machine keeps up."""
        return not self._observer.sub_suffices or self._observer.wants_whole

    def _put_off(self) -> bool:
        return self._pictures.off(self._clock.monotonic_ns())

    def _as_many_as_may_be(self) -> Wants:
        """Everything, unless the machine is behind; asleep nothing is gained by that."""
        return Wants.KEYFRAMES if not self.asleep and self._put_off() else Wants.ALL

    def begin(self) -> None:
        """Another source: it is decoded from its first keyframe on, and its keyframes are another matter."""
        self.asleep = self.late = False
        self.skips = True
        self._resumed = True

    def fell_asleep(self) -> None:
        self.asleep = True

    def woke(self) -> None:
        self.asleep, self.late = False, True

    def caught_up(self) -> None:
        self.late = False

    def cannot_skip(self) -> None:
        self.skips = False

    def skipping(self, *, on: bool) -> None:
        # With a sub-stream that suffices, of the main stream keyframes alone are wanted: the analyst knows.
        if on and self._wants_all:
            self.times_sparse += not self._left_out or self._resumed
            self._left_out, self._resumed = True, False
        else:
            self._resumed = True

    def took(self, arrived_ns: int) -> None:
        self._taken_ns = arrived_ns


class SubVigil(Vigil):
    """The same for the sub-stream, of which blocks' means are looked at and nothing else."""

    @property
    def wants(self) -> Wants:
        return self._as_many_as_may_be()

    @property
    def _wants_all(self) -> bool:
        return True

    @property
    def proving(self) -> bool:
        return False

    @property
    def quiet(self) -> bool:
        return self._observer.quiet and self._observer.sub_suffices

    @property
    def due_ns(self) -> int:
        return self._observer.sub_due_ns

    def differs(self, frame: Frame) -> bool:
        return self._observer.sub_differs(frame)
