"""How often something may be done in the long run, and how much of that at once."""

from __future__ import annotations

from privet.core.clock import NS_PER_S


class Allowance:
    """`per_second` in the long run, `most` at once: within any t seconds no more than per_second * t + most."""

    def __init__(self, per_second: float, most: float, now_ns: int) -> None:
        """most: at least 1. now_ns: monotonic."""
        self._per_second = per_second
        self._most = self._left = most
        self._at_ns = now_ns

    def take(self, now_ns: int) -> bool:
        """Use one, if there is one left."""
        self._left = min(self._most, self._left + (now_ns - self._at_ns) / NS_PER_S * self._per_second)
        self._at_ns = now_ns
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
