"""When something that was lost is started again: pure, for workers (supervisor) and for pipelines inside a worker (host)."""

from __future__ import annotations

from dataclasses import dataclass

from privet.core.clock import NS_PER_S

LONGEST_NS = 30 * NS_PER_S
SHORTEST_NS = NS_PER_S // 2
SETTLED_NS = 60 * NS_PER_S


@dataclass(frozen=True, slots=True)
class Backoff:
    """How often something was lost in a row."""

    losses: int = 0

    def lost(self, lived_ns: int) -> Backoff:
        """After one more loss, of something that lived so long: who lived a minute begins anew."""
        return Backoff(1 if lived_ns >= SETTLED_NS else self.losses + 1)

    def delay_ns(self, random: float) -> int:
        """How long to wait before the next start: nothing after the first loss, then 0.5 s doubling to 30 s.

        random: uniform in [0, 1); spreads each wait over its upper half, so that what was lost together does not return together.
        """
        if self.losses <= 1:
            return 0
        whole_ns = min(LONGEST_NS, SHORTEST_NS << min(self.losses - 2, 16))
        return whole_ns // 2 + int(whole_ns // 2 * random)
