"""When a camera leaves something be, because the machine is behind: pure.

Proofs: they need looks, and whoever is behind takes none. They would go on all the same, and cost every keyframe a comparison of all its
pixels: enough cameras that are proven at once keep a machine behind for good, and then not one of them is ever proven. Pictures between
keyframes: whoever decodes all of them although there is no time for it has packets thrown away, and then sees no more and knows less.

So whoever is behind for a while leaves it be, for some time and each time for twice as long, until there is room. Nobody need know of
other cameras, or of other workers, for that; it is how stations share a wire (Metcalfe and Boggs, "Ethernet", 1976).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from privet.core.clock import NS_PER_S


@dataclass(frozen=True, slots=True)
class Periods:
    """Nanoseconds. hurried_for: who was behind for so long on end waits, first for shortest (or from half of it on), at last for longest.
    forgiven_after: so long of doing it without being behind, and the first wait is the shortest again.
    """

    hurried_for_ns: int
    shortest_ns: int
    longest_ns: int
    forgiven_after_ns: int


PROOFS = Periods(60 * NS_PER_S, 120 * NS_PER_S, 32 * 60 * NS_PER_S, 60 * NS_PER_S)
PICTURES = Periods(NS_PER_S, 20 * NS_PER_S, 320 * NS_PER_S, 600 * NS_PER_S)
"""Forgiven late: with a minute, cameras came back as soon as there was room, all of the machine stayed busy, and packets were lost."""


class LoadShedding:
    """One camera's. Times are monotonic, ns."""

    def __init__(self, periods: Periods, random: Callable[[], float]) -> None:
        """random: uniform in [0, 1); spreads each wait over its upper half, so that cameras do not come back together."""
        self._periods = periods
        self._random = random
        self._until_ns = self._hurried_ns = self._easy_ns = -1
        self._wait_ns = periods.shortest_ns
        self.times = 0

    def off(self, now_ns: int) -> bool:
        """Whether it is put off now."""
        return now_ns < self._until_ns

    def note(self, now_ns: int, *, doing: bool, hurried: bool) -> bool:
        """Take in that a picture was looked at, by a machine that is behind or not, while what may be put off is done or not; as `off`."""
        if self.off(now_ns):
            return True
        if not (doing and hurried):
            self._hurried_ns = -1
            if self._easy_ns < 0 or not doing:
                self._easy_ns = now_ns
            elif now_ns - self._easy_ns >= self._periods.forgiven_after_ns:
                self._wait_ns = self._periods.shortest_ns
            return False
        self._easy_ns = -1
        if self._hurried_ns < 0:
            self._hurried_ns = now_ns
        if now_ns - self._hurried_ns < self._periods.hurried_for_ns:
            return False
        self._until_ns = now_ns + self._wait_ns // 2 + int(self._wait_ns // 2 * self._random())
        self._wait_ns = min(2 * self._wait_ns, self._periods.longest_ns)
        self._hurried_ns = -1
        self.times += 1
        return True
