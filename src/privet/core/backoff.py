"""How long to wait before something is tried again: one rule for cameras, workers, pipelines, and what is shed under load. Pure.

Belongs here: the wait after so many failures, and when failures are forgotten. Does not belong here: waiting.
"""

from __future__ import annotations

from dataclasses import dataclass

from privet.core.clock import NS_PER_S


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that double. The first try after something that worked is made at once."""

    first_ns: int
    longest_ns: int

    def wait_ns(self, failures: int, random: float) -> int:
        """Nanoseconds to wait before the next try. failures: how many in a row came before the last one; 0 means at once.

        random: uniform in [0, 1). It spreads each wait over its upper half, so that what was lost together does not return together.

        Raises:
            ValueError: a negative number of failures, or a random number outside [0, 1).
        """
        if failures < 0:
            raise ValueError(f"{failures} failures: counted from 0")
        if not 0.0 <= random < 1.0:
            raise ValueError(f"random number {random}: take one from 0 up to, not including, 1")
        if failures == 0:
            return 0
        upper_ns = min(self.longest_ns, self.first_ns << min(failures - 1, 20))
        return upper_ns // 2 + int(random * (upper_ns - upper_ns // 2))


RECONNECT = Backoff(NS_PER_S, 6 * NS_PER_S)
"""A camera that is back is found within ten seconds, connecting included."""

REFUSED = Backoff(NS_PER_S, 60 * NS_PER_S)
"""A wrong password is tried again far more slowly: many cameras lock an account after a few wrong tries."""

RESTART = Backoff(NS_PER_S // 2, 30 * NS_PER_S)
"""A worker that was lost, a pipeline that crashed."""

SETTLED_NS = 60 * NS_PER_S


@dataclass(frozen=True, slots=True)
class Losses:
    """How often something was lost in a row."""

    in_a_row: int = 0

    def lost(self, lived_ns: int) -> Losses:
        """After one more loss, of something that lived so long: who lived a minute begins anew."""
        return Losses(1 if lived_ns >= SETTLED_NS else self.in_a_row + 1)

    def wait_ns(self, random: float) -> int:
        """How long to wait before the next start: nothing after the first loss, then as RESTART says."""
        return RESTART.wait_ns(max(self.in_a_row - 1, 0), random)
