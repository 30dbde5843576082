"""The bounded queue between the thread that receives packets and the one that decodes them.

When it is full the newest packets are dropped up to the next keyframe: a camera does not wait, and frames that can be decoded are
worth more than all of them late. A keyframe that finds the queue full replaces everything in it. So whoever is too slow sees less,
and what is seen is never much older than the capacity's time and a GOP.

Waking a thread for every packet costs more than looking at the packet, for by then nothing of what that takes is in the processor's
caches. So packets that nobody need be told of at once are gathered: with the first that counts, or after GATHER_NS, whoever waits is
woken for all of them.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

from privet.core.clock import NS_PER_MS
from privet.core.errors import SourceError
from privet.core.wake_up import WakeUp

T = TypeVar("T")

GATHER_NS = 400 * NS_PER_MS
"""By then whoever waits is told of packets that could wait."""


@dataclass(slots=True)
class QueueStatistics:
    """Counters of a queue."""

    depth: int = 0
    deepest: int = 0
    dropped: int = 0


class PacketQueue(Generic[T]):
    """One thread puts, one gets; either may close it."""

    def __init__(self, capacity: int, capacity_bytes: int, capacity_ns: int) -> None:
        """It is full with so many packets, so many bytes, or once the oldest has waited for so long."""
        if capacity < 1 or capacity_bytes < 1 or capacity_ns < 1:
            raise ValueError(f"capacity of {capacity} packets, {capacity_bytes} bytes, {capacity_ns} ns: all must be positive")
        self._capacity = capacity
        self._capacity_bytes = capacity_bytes
        self._capacity_ns = capacity_ns
        self._items: deque[tuple[T, int, int]] = deque()
        self._bytes = 0
        self._skipping = False
        self._ended = False
        self._failure: SourceError | None = None
        self._lock = Lock()
        self._arrivals = WakeUp()                     # for who waits in `get`
        self._statistics = QueueStatistics()

    def put(
        self, item: T, size_bytes: int, keyframe: bool, now_ns: int, *, can_wait: bool = False, capacity_ns: int | None = None
    ) -> int:
        """Never blocks. now_ns: monotonic. Returns how many packets were dropped: this one, or those it replaced.

        can_wait: nobody need be woken for it before GATHER_NS, or before a packet that cannot. capacity_ns: for how long the oldest may
        have waited now, if not for as long as usual.
        """
        with self._lock:
            if self._ended:
                return 1
            dropped = 0
            full = bool(self._items) and (
                len(self._items) >= self._capacity
                or self._bytes + size_bytes > self._capacity_bytes
                or now_ns - self._items[0][2] > (self._capacity_ns if capacity_ns is None else capacity_ns)
            )
            if full and keyframe:
                dropped = len(self._items)
                self._items.clear()
                self._bytes = 0
            elif full or (self._skipping and not keyframe):
                self._skipping = True
                self._statistics.dropped += 1
                return 1
            self._skipping = False
            self._items.append((item, size_bytes, now_ns))
            self._bytes += size_bytes
            self._statistics.dropped += dropped
            self._statistics.deepest = max(self._statistics.deepest, len(self._items))
            if not can_wait or now_ns - self._items[0][2] >= GATHER_NS:
                self._arrivals.notify()
            return dropped

    def finish(self, failure: SourceError | None) -> None:
        """No more packets come: after those that are in it, `get` raises `failure` or returns None. The first call counts."""
        with self._lock:
            if not self._ended:
                self._ended = True
                self._failure = failure
                self._arrivals.notify()

    def abandon(self) -> None:
        """Nobody wants the packets any more: `get` returns None at once."""
        with self._lock:
            self._ended = True
            self._failure = None
            self._items.clear()
            self._bytes = 0
            self._arrivals.notify()

    def get(self) -> T | None:
        """Wait for the next packet; None when there will be none.

        Raises:
            SourceError: the one given to `finish`.
        """
        while True:
            with self._lock:
                if self._items:
                    item, size_bytes, _ = self._items.popleft()
                    self._bytes -= size_bytes
                    return item
                if self._ended:
                    if self._failure is not None:
                        raise self._failure
                    return None
                self._arrivals.listen()
            self._arrivals.wait()

    @property
    def awaited(self) -> bool:
        """Whether somebody waits in `get` and was not woken yet."""
        return self._arrivals.awaited

    @property
    def dropped(self) -> int:
        """Packets dropped so far."""
        return self._statistics.dropped

    def statistics(self) -> QueueStatistics:
        """Depth now, deepest ever, packets dropped."""
        with self._lock:
            return QueueStatistics(len(self._items), self._statistics.deepest, self._statistics.dropped)
