"""The wake test: whether the size of a packet says that something moves. Learned for each camera; pure.

A coded picture in which nothing moves is small, but how small depends on the camera, its noise and its settings, and a camera with a
constant bit rate spends what nobody needs on noise. So the sizes of pictures that were decoded and seen to be quiet are learned, and
whether those in which something was are told from them. Where they are not, a camera does not sleep. A small picture is never evidence
that nobody is there: whoever does not move has no size at all, and is in the keyframes.
"""

from __future__ import annotations

import statistics
from collections import deque

FEWEST_QUIET = 100
MOST_REMEMBERED = 400
FEWEST_BUSY = 30
TOLD_APART = 0.8            # of busy pictures must be larger than what wakes
SMALL_BESIDE_KEYFRAME = 0.05    # what a quiet picture may take where no busy one was seen yet: more is padding, or noise that is coded
SINGLE_TIMES = 6.0
RUN = 4
RUN_TIMES = 3.0
LEAST_SPREAD = 0.02         # of the median: sizes that hardly vary at all are not known better than this
LEAST_SPREAD_BYTES = 8.0


class PacketSizes:
    """What is known of one camera's packets between keyframes, in bytes."""

    def __init__(self) -> None:
        self._quiet: deque[int] = deque(maxlen=MOST_REMEMBERED)
        self._busy: deque[int] = deque(maxlen=MOST_REMEMBERED)
        self._keyframe = 0
        self._run: deque[int] = deque(maxlen=RUN)
        self._single = self._mean = 0.0

    def saw_keyframe(self, size: int) -> None:
        """A keyframe of this size came; a run of packets ends with it."""
        self._keyframe = size
        self._run.clear()

    def learn(self, size: int, *, busy: bool) -> None:
        """A packet of this size was decoded; busy: something was there, else all was quiet."""
        (self._busy if busy else self._quiet).append(size)

    def tells(self) -> bool:
        """Whether sizes tell something moving from nothing. Then, and only then, `wakes` may be asked."""
        if len(self._quiet) < FEWEST_QUIET:
            return False
        median = statistics.median(self._quiet)
        deviation = 1.4826 * statistics.median(abs(size - median) for size in self._quiet)
        spread = max(deviation, LEAST_SPREAD * median, LEAST_SPREAD_BYTES)
        self._single = median + SINGLE_TIMES * spread
        self._mean = median + RUN_TIMES * spread
        if len(self._busy) < FEWEST_BUSY:
            return median <= SMALL_BESIDE_KEYFRAME * self._keyframe
        return sum(size > self._mean for size in self._busy) >= TOLD_APART * len(self._busy)

    def wakes(self, size: int) -> bool:
        """Whether this packet, or the last few together, are larger than when all is quiet."""
        self._run.append(size)
        return size > self._single or (len(self._run) == RUN and sum(self._run) > RUN * self._mean)
