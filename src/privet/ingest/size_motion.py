"""The wake test: whether the sizes of packets say that something moves. Learned for each camera; pure.

A coded picture in which nothing moves is small, but how small depends on the camera, its noise, its settings and on how many pictures
before the keyframe lies; and a camera with a constant bit rate spends what nobody needs on noise. So the sizes of pictures that were
seen to be quiet are learned, and whether times at which something was there would have been told from them. Where they would not, a
camera does not sleep. A small picture is never evidence that nobody is there: whoever does not move has no size at all, and is in the
keyframes.
"""

from __future__ import annotations

import math
import statistics
from collections import deque

FEWEST_QUIET = 8                # pictures of like distance from their keyframe
MOST_QUIET = 120
EPISODES = 20
LONGEST_EPISODE = 30            # pictures; of what is there for longer, the beginning counts
TOLD_APART = 0.9                # of the times at which something was there
SMALL_BESIDE_KEYFRAME = 0.05    # what a quiet picture may take where nothing was seen yet: more is padding, or noise that is coded
SINGLE_TIMES = 6.0              # spreads above the median, for one picture
RUN = 4
RUN_TIMES = 3.0                 # and for so many on end
LEAST_SPREAD = 0.02             # of the median: sizes that hardly vary at all are not known better than this
LEAST_SPREAD_BYTES = 8.0


def distance(position: int) -> int:
    """Pictures whose position after the keyframe (1, 2, ...) is alike are learned from together: 1, 2, 3 to 4, 5 to 8 and so on."""
    return (position - 1).bit_length()


class PacketSizes:
    """What is known of one camera's packets between keyframes, in bytes."""

    def __init__(self) -> None:
        self._quiet: dict[int, deque[int]] = {}
        self._known: dict[int, tuple[float, float]] = {}    # median and spread, by distance
        self._keyframe = 0
        self._position = 0
        self._run: deque[float] = deque(maxlen=RUN)
        self._unconfirmed: list[tuple[int, int]] = []       # distance and size
        self._episodes: deque[bool] = deque(maxlen=EPISODES)
        self._episode: bool | None = None                   # the one that goes on: whether it would have woken
        self._episode_length = 0

    def saw_keyframe(self, size: int) -> None:
        """A keyframe of this size came; a run of packets ends with it."""
        self._keyframe = size
        self._position = 0
        self._run.clear()

    def learn(self, size: int, *, busy: bool, quiet: bool) -> None:
        """A packet of this size was decoded. busy: something was there; quiet: nothing was, for a while; or neither is certain."""
        excess = self._excess(size)
        if quiet:
            self._quiet.setdefault(distance(self._position), deque(maxlen=MOST_QUIET)).append(size)
        if busy and excess is not None and self._episode_length < LONGEST_EPISODE:
            self._episode = bool(self._episode) or self._stands_out(excess)
            self._episode_length += 1
        if self._episode is not None and (not busy or self._episode_length >= LONGEST_EPISODE):
            self._episodes.append(self._episode)
            self._episode = None
        if not busy:
            self._episode_length = 0

    def tells(self) -> bool:
        """Whether sizes tell something moving from nothing. Then, and only then, `wakes` may be asked."""
        for which, sizes in self._quiet.items():
            if len(sizes) >= FEWEST_QUIET:
                median = statistics.median(sizes)
                deviation = 1.4826 * statistics.median(abs(size - median) for size in sizes)
                self._known[which] = median, max(deviation, LEAST_SPREAD * median, LEAST_SPREAD_BYTES)
        if not self._quiet or len(self._known) < len(self._quiet):
            return False
        if not self._episodes:
            return max(median for median, _ in self._known.values()) <= SMALL_BESIDE_KEYFRAME * self._keyframe
        return sum(self._episodes) >= TOLD_APART * len(self._episodes)

    def wakes(self, size: int) -> bool:
        """Whether this packet, or the last few together, are larger than when all is quiet."""
        excess = self._excess(size)
        self._unconfirmed.append((distance(self._position), size))
        return excess is None or self._stands_out(excess)

    def calm_bytes(self) -> tuple[int, ...]:
        """Up to which size packets cannot wake if the `RUN` - 1 before them could not either; by distance, up to the first unknown one."""
        limits: list[int] = []
        while (known := self._known.get(len(limits))) is not None:
            limits.append(math.floor(known[0] + RUN_TIMES * known[1]))
        return tuple(limits)

    def confirm(self) -> None:
        """The packets that did not wake were quiet indeed, as the keyframe after them shows."""
        for which, size in self._unconfirmed:
            self._quiet.setdefault(which, deque(maxlen=MOST_QUIET)).append(size)
        self._unconfirmed.clear()

    def forget(self) -> None:
        """The packets that were asked about were not quiet, or nobody knows."""
        self._unconfirmed.clear()

    def _excess(self, size: int) -> float | None:
        """By how many spreads the next packet is larger than the median; None where nothing is known of its like."""
        self._position += 1
        known = self._known.get(distance(self._position))
        return None if known is None else (size - known[0]) / known[1]

    def _stands_out(self, excess: float) -> bool:
        self._run.append(excess)
        return excess > SINGLE_TIMES or (len(self._run) == RUN and sum(self._run) > RUN * RUN_TIMES)


class Calm:
    """Follows packets as they arrive and says which of them cannot wake, so that nobody need be told of them at once.

    It says so only where `PacketSizes.wakes` would surely say no: of any `RUN` packets together more than `RUN_TIMES` spreads each above
    the median, one at least is by itself.
    """

    def __init__(self) -> None:
        self._position = 0
        self._restless = 0          # packets that follow one which was not calm, and make a run with it

    def keyframe(self) -> None:
        """A keyframe came; a run of packets ends with it."""
        self._position = self._restless = 0

    def cannot_wake(self, size: int, calm_bytes: tuple[int, ...]) -> bool:
        """Whether this packet, the next one between keyframes, cannot wake. calm_bytes: of `PacketSizes`; () while every packet counts."""
        which = self._position.bit_length()     # `distance` of the next position
        self._position += 1
        if which >= len(calm_bytes) or size > calm_bytes[which]:
            self._restless = RUN - 1
            return False
        if self._restless:
            self._restless -= 1
            return False
        return True
