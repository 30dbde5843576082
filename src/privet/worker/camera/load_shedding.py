"""What a camera leaves out, in which order and for how long, when its machine is behind: pure.

By how long after its arrival a picture is looked at: first the detectors' looks (proofs take longer, and then wait). Then covers: two a
second, then one. Then pictures between keyframes are not even decoded (frame_demand), which the state says. Recording goes on in any case,
and nothing live is shown.

Proofs need looks, and whoever is behind takes none. They would go on all the same, and cost every keyframe a comparison of all its
pixels: enough cameras that are proven at once keep a machine behind for good, and then not one of them is ever proven. A camera that
decodes all pictures between keyframes without the time for it has packets thrown away, and then sees no more and knows less. So a camera
that stays behind stops this work for a while, and for twice as long each time. Cameras need not coordinate: it is how stations share a
wire (Metcalfe and Boggs, "Ethernet", 1976).

Belongs here: that order and those waits. Does not belong here: when packets are thrown away because even that is too much (ingest.queue).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from privet.core.backoff import Backoff
from privet.core.clock import NS_PER_MS, NS_PER_S

NO_LOOKS_ABOVE_NS = 300 * NS_PER_MS
FEWER_COVERS = ((NS_PER_S, NS_PER_S), (400 * NS_PER_MS, 500 * NS_PER_MS))
"""Behind by more than the first of a pair, pictures are looked at so far apart at least: whoever is behind by a second has one left before
packets are thrown away, so the first step comes earlier."""
KEYFRAMES_ABOVE_NS = 400 * NS_PER_MS
"""For a second on end: packets are thrown away at two seconds, and until the next keyframe, two seconds more or so, everything is decoded.
A machine that keeps up is behind by a tenth of a second or less."""


def covers_apart_ns(behind_ns: int) -> int:
    """For how long at least no other picture is looked at, on a machine that is so far behind; 0: for no longer than covers are apart."""
    return next((apart_ns for above_ns, apart_ns in FEWER_COVERS if behind_ns > above_ns), 0)


@dataclass(frozen=True, slots=True)
class Periods:
    """hurried_for: the work pauses after the camera was behind for so long. forgiven_after: after so long of work without being behind, the
    next pause is the shortest again.
    """

    hurried_for_ns: int
    waits: Backoff
    forgiven_after_ns: int


PROOFS = Periods(60 * NS_PER_S, Backoff(120 * NS_PER_S, 32 * 60 * NS_PER_S), 60 * NS_PER_S)
PICTURES = Periods(NS_PER_S, Backoff(20 * NS_PER_S, 320 * NS_PER_S), 600 * NS_PER_S)
"""Forgiven late: with a minute, cameras came back as soon as there was room, all of the machine stayed busy, and packets were lost."""


class LoadShedding:
    """One camera's. Times are monotonic, ns."""

    def __init__(self, periods: Periods, random: Callable[[], float]) -> None:
        """random: uniform in [0, 1); spreads each wait over its upper half, so that cameras do not come back together."""
        self._periods = periods
        self._random = random
        self._until_ns = self._hurried_ns = self._easy_ns = -1
        self._in_a_row = 0
        self.times = 0

    def off(self, now_ns: int) -> bool:
        """Whether the work is paused now."""
        return now_ns < self._until_ns

    def note(self, now_ns: int, *, doing: bool, hurried: bool) -> bool:
        """Record one analysed picture. doing: the work is going on. hurried: the machine is behind. Returns whether the work is paused."""
        if self.off(now_ns):
            return True
        if not (doing and hurried):
            self._hurried_ns = -1
            if self._easy_ns < 0 or not doing:
                self._easy_ns = now_ns
            elif now_ns - self._easy_ns >= self._periods.forgiven_after_ns:
                self._in_a_row = 0
            return False
        self._easy_ns = -1
        if self._hurried_ns < 0:
            self._hurried_ns = now_ns
        if now_ns - self._hurried_ns < self._periods.hurried_for_ns:
            return False
        self._in_a_row += 1
        self._until_ns = now_ns + self._periods.waits.wait_ns(self._in_a_row, self._random())
        self._hurried_ns = -1
        self.times += 1
        return True
