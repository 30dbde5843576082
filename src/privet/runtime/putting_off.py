"""When a camera's proofs are put off, because the machine is behind: pure.

A proof needs looks, and whoever is behind takes none. Proofs would go on all the same, and cost every keyframe a comparison of all its
pixels: enough cameras that are proven at once keep a machine behind for good, and then not one of them is ever proven. So whoever could
not look for a while leaves its proofs be, for a minute or two and each time for twice as long, until there is room. Nobody need know of
other cameras, or of other workers, for that; it is how stations share a wire (Metcalfe and Boggs, "Ethernet", 1976).
"""

from __future__ import annotations

from collections.abc import Callable

from privet.core.clock import NS_PER_S

HURRIED_FOR_NS = 60 * NS_PER_S
SHORTEST_NS = 120 * NS_PER_S
LONGEST_NS = 16 * SHORTEST_NS
FORGIVEN_AFTER_NS = 60 * NS_PER_S       # of proving without being behind


class PuttingOff:
    """One camera's. Times are monotonic, ns."""

    def __init__(self, random: Callable[[], float]) -> None:
        """random: uniform in [0, 1); spreads each wait over its upper half, so that cameras do not come back together."""
        self._random = random
        self._until_ns = self._hurried_ns = self._easy_ns = -1
        self._wait_ns = SHORTEST_NS
        self.times = 0

    def off(self, now_ns: int) -> bool:
        """Whether proofs are put off now."""
        return now_ns < self._until_ns

    def note(self, now_ns: int, *, proving: bool, hurried: bool) -> bool:
        """Take in that a picture was looked at, of which something is being proven or not, by a machine that is behind or not; as `off`."""
        if self.off(now_ns):
            return True
        if not (proving and hurried):
            self._hurried_ns = -1
            if self._easy_ns < 0 or not proving:
                self._easy_ns = now_ns
            elif now_ns - self._easy_ns >= FORGIVEN_AFTER_NS:
                self._wait_ns = SHORTEST_NS
            return False
        self._easy_ns = -1
        if self._hurried_ns < 0:
            self._hurried_ns = now_ns
        if now_ns - self._hurried_ns < HURRIED_FOR_NS:
            return False
        self._until_ns = now_ns + self._wait_ns // 2 + int(self._wait_ns // 2 * self._random())
        self._wait_ns = min(2 * self._wait_ns, LONGEST_NS)
        self._hurried_ns = -1
        self.times += 1
        return True
