"""How often something may be done in the long run, and how much of that at once.

The rates of what a worker may send are not here: each message of proto/privet/v1/pipe.proto declares its own.
"""

from __future__ import annotations

from privet.core.clock import NS_PER_S


class Allowance:
    """`per_second` in the long run, `most` at once: within any t seconds no more than per_second * t + most."""

    def __init__(self, per_second: float, most: float, now_ns: int) -> None:
        """most: at least 1. now_ns: monotonic."""
        self._per_second = per_second
        self._most = self._left = most
        self._at_ns = now_ns

    def change(self, per_second: float, most: float, now_ns: int) -> None:
        """Go on at another rate. What was saved up stays, as far as `most` lets it; a higher rate brings as much more as it may save."""
        self._save_up(now_ns)
        self._left = min(most, self._left + max(0.0, most - self._most))
        self._per_second, self._most = per_second, most

    def take(self, now_ns: int) -> bool:
        """Use one, if there is one left."""
        self._save_up(now_ns)
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True

    @property
    def per_second(self) -> float:
        return self._per_second

    def _save_up(self, now_ns: int) -> None:
        self._left = min(self._most, self._left + (now_ns - self._at_ns) / NS_PER_S * self._per_second)
        self._at_ns = now_ns
