"""Figures of the live path: a histogram of how late messages are, and bytes a second over the last ten.

Belongs here: counting. Does not belong here: the text of `/metrics` (main.metrics).
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from dataclasses import dataclass, field

from privet.core.clock import NS_PER_S

BOUNDS_MS = (5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)
"""Upper bounds of the buckets, inclusive; one more bucket takes the rest."""

WINDOW_S = 10


@dataclass(frozen=True, slots=True)
class LatencyStatistics:
    """counts[i]: messages at most BOUNDS_MS[i] late and later than the bound before; the last entry takes the rest."""

    counts: tuple[int, ...]
    sum_us: int

    @property
    def count(self) -> int:
        return sum(self.counts)


@dataclass(slots=True)
class LatencyHistogram:
    """Counts latencies."""

    _counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_MS) + 1))
    _sum_us: int = 0

    def note(self, latency_ns: int) -> None:
        """Count one message. A negative latency (the wall clock was set back) counts as none."""
        latency_us = max(0, latency_ns) // 1000
        self._counts[bisect_left(BOUNDS_MS, -(-latency_us // 1000))] += 1
        self._sum_us += latency_us

    def statistics(self) -> LatencyStatistics:
        return LatencyStatistics(tuple(self._counts), self._sum_us)


@dataclass(slots=True)
class ByteRate:
    """Bytes a second over the last WINDOW_S whole seconds, by the monotonic clock."""

    _seconds: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=WINDOW_S + 1))

    def note(self, now_ns: int, size_bytes: int) -> None:
        second = now_ns // NS_PER_S
        if self._seconds and self._seconds[-1][0] == second:
            self._seconds[-1] = (second, self._seconds[-1][1] + size_bytes)
        else:
            self._seconds.append((second, size_bytes))

    def bits_per_second(self, now_ns: int) -> int:
        """The second that has just begun is left out: it is not whole."""
        second = now_ns // NS_PER_S
        return sum(size for at, size in self._seconds if second - WINDOW_S <= at < second) * 8 // WINDOW_S
