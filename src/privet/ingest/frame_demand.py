"""The consumer of a stream's frames, as the decoder sees it: what is asked of the decoder, and what it tells back.

Belongs here: the protocol, and the one who always wants everything. Does not belong here: the demand itself (core.frame_demand), what makes
a place quiet (scene), when a camera sleeps (on_demand).
"""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from privet.core.frame import Frame
from privet.core.frame_demand import FrameDemand, Wanted


class DecoderState(Enum):
    """What comes out of a decoder now."""

    AWAKE = "awake"             # pictures, no older than they must be
    ASLEEP = "asleep"           # keyframes only
    CATCHING_UP = "catching_up"  # every picture again, from where it fell asleep or the place was last seen quiet: those are late


class FrameConsumer(Protocol):
    """Asked and told in the thread that asks for frames, but for `demand`, which is read from any."""

    @property
    def demand(self) -> FrameDemand:
        """What is asked of this stream, as of the last frame that was looked at."""
        ...

    def wants(self) -> Wanted:
        """Which pictures are to be decoded from now on; asked before every packet. Less than the demand if the machine is behind."""
        ...

    def differs(self, frame: Frame) -> bool:
        """Whether a keyframe shows anything that was not there before. It is asked before the frame is given out."""
        ...

    def note_decoder(self, state: DecoderState) -> None:
        """From now on the decoder is in this state; said with every change."""
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


class EveryFrame:
    """Wants every frame, as good as it gets. See `FrameConsumer`."""

    demand = FrameDemand(due_ns=0)

    def wants(self) -> Wanted:
        return Wanted.ALL

    def differs(self, frame: Frame) -> bool:
        return True

    def note_decoder(self, state: DecoderState) -> None:
        """It is always awake."""

    def cannot_skip(self) -> None:
        """Nobody asked it to."""

    def skipping(self, *, on: bool) -> None:
        """Never."""

    def took(self, arrived_ns: int) -> None:
        """It does not ask how late it is."""
