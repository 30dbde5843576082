"""Time, as a port: the wall clock in ns UTC (may step) and the monotonic clock in ns (never does)."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000
LAST_NAMEABLE_NS = 253_402_300_799 * NS_PER_S
"""The last second of the year 9999: later moments have no name."""


class Clock(Protocol):
    """Where every part that needs the time gets it from."""

    def wall_ns(self) -> int:
        """Nanoseconds since 1970, UTC; may jump."""
        ...

    def monotonic_ns(self) -> int:
        """Nanoseconds since an arbitrary point; never goes back."""
        ...

    def sleep(self, duration_ns: int) -> None:
        """Block the calling thread."""
        ...


class SystemClock:
    """The machine's clock."""

    def wall_ns(self) -> int:
        return time.time_ns()

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()

    def sleep(self, duration_ns: int) -> None:
        time.sleep(max(0, duration_ns) / NS_PER_S)


@dataclass
class FakeClock:
    """A clock that a test moves: sleeping advances it at once, `step_wall` moves the wall alone."""

    wall: int = 1_700_000_000 * NS_PER_S
    monotonic: int = 0

    def wall_ns(self) -> int:
        return self.wall

    def monotonic_ns(self) -> int:
        return self.monotonic

    def sleep(self, duration_ns: int) -> None:
        self.advance(max(0, duration_ns))

    def advance(self, duration_ns: int) -> None:
        """Move both clocks forward."""
        self.wall += duration_ns
        self.monotonic += duration_ns

    def step_wall(self, offset_ns: int) -> None:
        """Move the wall clock alone, as NTP or an operator does."""
        self.wall += offset_ns
