"""What whoever looks at the frames tells the one who decodes them: how good they must be, and whether most may be left undecoded.

Belongs here: the protocol, and the one who always wants everything. Does not belong here: what makes a place quiet (scene), when a
camera sleeps (lazy).
"""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from privet.core.frame import Frame


class Wants(Enum):
    """Which pictures of a stream are wanted at all."""

    ALL = "all"
    KEYFRAMES = "keyframes"     # something else tells what happens between them
    SELDOM = "seldom"           # a keyframe now and then, to see that there is a picture


class Attention(Protocol):
    """Asked in the thread that asks for frames."""

    @property
    def wants(self) -> Wants:
        """Asked before every packet."""
        ...

    @property
    def proving(self) -> bool:
        """Pixels are looked at one by one; else the means of blocks will do."""
        ...

    @property
    def quiet(self) -> bool:
        """Nothing has been there for a while, and nothing is being proven: keyframes will do until something moves."""
        ...

    @property
    def covered(self) -> bool:
        """Something is there now."""
        ...

    @property
    def due_ns(self) -> int:
        """Arrival of a packet (monotonic) before which no picture between keyframes is looked at. From any thread."""
        ...

    def differs(self, frame: Frame) -> bool:
        """Whether a keyframe shows anything that was not there before. It is asked before the frame is given out."""
        ...

    def fell_asleep(self) -> None:
        """From now on there are keyframes only."""
        ...

    def woke(self) -> None:
        """Every picture is decoded again, from where the camera fell asleep or was last seen quiet: those are late."""
        ...

    def caught_up(self) -> None:
        """What comes now is no older than it must be."""
        ...

    def cannot_skip(self) -> None:
        """This stream's keyframes do not stand alone, or are too far apart: every picture is decoded whatever is wanted."""
        ...

    def skipping(self, *, on: bool) -> None:
        """From this keyframe on, before it is given out: on: what follows it is left undecoded, for no more is wanted; said with each such
        keyframe. Off: every picture again."""
        ...

    def took(self, arrived_ns: int) -> None:
        """A packet is dealt with that arrived then (monotonic); pictures of earlier ones may come out with it."""
        ...


class Restless:
    """Wants every frame, as good as it gets. See `Attention`."""

    wants = Wants.ALL
    proving = True
    quiet = False
    covered = False
    due_ns = 0

    def differs(self, frame: Frame) -> bool:
        return True

    def fell_asleep(self) -> None:
        """Never."""

    def woke(self) -> None:
        """Never."""

    def caught_up(self) -> None:
        """Never."""

    def cannot_skip(self) -> None:
        """Nobody asked it to."""

    def skipping(self, *, on: bool) -> None:
        """Never."""

    def took(self, arrived_ns: int) -> None:
        """It does not ask how late it is."""
