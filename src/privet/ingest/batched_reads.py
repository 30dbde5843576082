"""When whoever receives need not listen to the network: packets that nothing is done with at once are read a few at a time. Pure.

Belongs here: for how long. Does not belong here: which packets can wait (size_motion, on_demand), sleeping, sockets.

A blocked read wakes a thread for each of the RTP packets that a picture is sent in, and each time the processor's caches hold something
else. Packets lie in the kernel's buffer as well as in ours, so a thread that sleeps until shortly before the last of a few is there finds
them together. That last one is read as it arrives, so arrivals still tell how long packets take (`times.MinimumDelay`); and so is
every keyframe, whose packets are many, as long as GOPs are equally long.
"""

from __future__ import annotations

from privet.core.clock import NS_PER_MS

BATCH_NS = 250 * NS_PER_MS
"""At most so late is a packet read that nothing waits for."""
EARLY_NS = 2 * NS_PER_MS
"""So long before the last packet is expected is it listened for."""
FEWEST = 2
"""Packets at a time, for less than that nothing is saved."""
HELD_BYTES = 32 * 1024
"""So much may lie in the kernel's buffer: half of what a connection has to begin with, for a camera whose own are full drops pictures."""


class BatchedReads:
    """Follows one stream's packets as they are read."""

    def __init__(self) -> None:
        self._media_ns: int | None = None
        self._apart_ns = 0          # the last packet and the one before
        self._interval_ns = 0       # 0: packets are not evenly spaced, or not in order
        self._position = 0          # packets since the last keyframe
        self._gop = self._gop_before = 0    # packets of a GOP; 0 while it is not known
        self._mean_bytes = 0.0

    def read(self, media_ns: int | None, size_bytes: int, keyframe: bool) -> None:
        """A packet was read. media_ns: its presentation time; None where the camera did not give one."""
        apart_ns = 0 if media_ns is None or self._media_ns is None else media_ns - self._media_ns
        self._interval_ns = max(min(apart_ns, self._apart_ns), 0)
        self._media_ns, self._apart_ns = media_ns, apart_ns
        self._position += 1
        if keyframe:
            self._gop = self._position if self._position == self._gop_before else 0
            self._gop_before, self._position = self._position, 0
        else:
            self._mean_bytes += (size_bytes - self._mean_bytes) / 8 if self._mean_bytes else size_bytes

    def wait_ns(self, offset_ns: int | None, now_ns: int) -> int:
        """For how long nothing need be read, if what comes meanwhile can wait; 0: listen.

        offset_ns: what `times.MinimumDelay` knows; arrival (monotonic) less presentation time. now_ns: monotonic.
        """
        interval_ns = self._interval_ns
        if interval_ns == 0 or offset_ns is None or self._media_ns is None:
            return 0
        expected_ns = self._media_ns + offset_ns
        if now_ns - expected_ns >= interval_ns // 2:
            return 0                # the next one is there, or about to be
        most = min(BATCH_NS // interval_ns, self._gop - self._position, int(HELD_BYTES // max(self._mean_bytes, 1.0)))
        if most < FEWEST:
            return 0
        return max(expected_ns + most * interval_ns - EARLY_NS - now_ns, 0)
