"""Keeps watch over how closely a camera is watched: what the analyst has seen, told to the one who decodes, and back.

Belongs here: the link between the two rooms, and whether a camera sleeps. Does not belong here: what makes a place quiet (scene), how
packets are put off (ingest.lazy).
"""

from __future__ import annotations

from typing import Protocol

from privet.core.frame import Frame


class Watched(Protocol):
    """What is asked of the analyst."""

    @property
    def proving(self) -> bool: ...

    @property
    def quiet(self) -> bool: ...

    @property
    def covered(self) -> bool: ...

    def differs(self, frame: Frame) -> bool: ...


class Vigil:
    """See `privet.ingest.attention.Attention`. asleep: only keyframes come. late: what comes now was put off while asleep."""

    def __init__(self, observer: Watched) -> None:
        self._observer = observer
        self.asleep = False
        self.late = False

    @property
    def proving(self) -> bool:
        return self._observer.proving

    @property
    def quiet(self) -> bool:
        return self._observer.quiet

    @property
    def covered(self) -> bool:
        return self._observer.covered

    def differs(self, frame: Frame) -> bool:
        return self._observer.differs(frame)

    def begin(self) -> None:
        """Another source: it is decoded from its first keyframe on."""
        self.asleep = self.late = False

    def fell_asleep(self) -> None:
        self.asleep = True

    def woke(self) -> None:
        self.asleep, self.late = False, True

    def caught_up(self) -> None:
        self.late = False
