"""What the analysis of frames asks of their decoder: plain values, frozen, published anew after every picture that was looked at.

Belongs here: those values, which ingest and scene both speak. Does not belong here: what makes a place quiet (scene), what a decoder tells
back (ingest.frame_demand), when a machine that is behind asks for less (worker).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

NEVER_NS = 2**63 - 1


class Wanted(Enum):
    """Which pictures of a stream are wanted at all."""

    ALL = "all"
    KEYFRAMES = "keyframes"     # something else tells what happens between them
    SELDOM = "seldom"           # a keyframe now and then, to see that there is a picture


class Stream(Enum):
    """Which of a camera's two streams."""

    MAIN = "main"
    SUB = "sub"


@dataclass(frozen=True, slots=True)
class FrameDemand:
    """What is asked of one stream's decoder. Times are monotonic arrivals, ns.

    wanted: pictures, if the machine keeps up; wanted_if_behind: what will do if it does not. proving: pixels are looked at one by one; else
    the means of blocks will do. quiet: nothing has been there for a while and nothing is being proven: keyframes will do until something
    moves. covered: something is there now. due_ns: before it no picture between keyframes is looked at. keyframe_due_ns: from then on a
    keyframe is looked at for its own sake. damaged_due: what did not decode cleanly is looked at whenever it comes. begun: False: nothing
    of this stream is looked at yet.
    """

    wanted: Wanted = Wanted.ALL
    wanted_if_behind: Wanted = Wanted.KEYFRAMES
    proving: bool = True
    quiet: bool = False
    covered: bool = False
    due_ns: int = -1
    keyframe_due_ns: int = NEVER_NS
    damaged_due: bool = False
    begun: bool = True

    def due(self, at_ns: int, *, keyframe: bool, intact: bool = True) -> bool:
        """Whether a frame that arrived then is to be analysed."""
        if not self.begun:
            return False
        if self.wanted is Wanted.ALL and at_ns >= self.due_ns:
            return True
        return (keyframe and at_ns >= self.keyframe_due_ns) or (self.damaged_due and not intact)


@dataclass(frozen=True, slots=True)
class SceneDemand:
    """What one camera's analysis asks of both decoders.

    watched: the stream that covers are taken from now; with SUB, of the main stream keyframes are enough, or less. sub_refused: both
    streams were compared and do not show the same.
    """

    main: FrameDemand = FrameDemand()
    sub: FrameDemand = FrameDemand(proving=False, damaged_due=True, begun=False)
    watched: Stream = Stream.MAIN
    sub_refused: bool = False
