"""When the camera took a picture: from its own clock where that can be believed, else from how its packets arrive. Pure.

Belongs here: mapping media time to the monotonic and the wall clock. Does not belong here: reading clocks, PyAV, sockets.
"""

from __future__ import annotations

from dataclasses import dataclass

from privet.core.clock import NS_PER_S

BELIEVED_NS = 10 * NS_PER_S
"""How far a camera's wall clock may be from ours to be believed."""
DISBELIEVED_NS = 11 * NS_PER_S
"""From how far on one that was believed no longer is; the gap keeps a camera at the limit from flipping."""
DISCONTINUITY_NS = 10 * NS_PER_S
"""A media time that disagrees with the arrival by more than this has been set anew."""
SMALL_STEP_NS = NS_PER_S
"""A step back of the wall time smaller than this is jitter and is held; a larger one is a clock that was set."""
DRIFT_PPM = 200
"""How much slower than ours a camera's crystal may run."""


@dataclass(slots=True)
class MinimumDelay:
    """Media time to the monotonic clock: the packet that was delayed least tells the offset, which then drifts by DRIFT_PPM at most.

    The times given out are never after the arrival and never go back, and their spacing is that of the media time, not of
    the network. A constant delay cannot be known from arrivals and stays in.
    """

    offset_ns: int | None = None
    last_arrival_ns: int = 0
    last_taken_ns: int | None = None

    def taken_ns(self, media_ns: int | None, arrival_ns: int) -> int:
        """Monotonic time at which a picture was taken.

        media_ns: its presentation time; None where the camera did not give one.
        arrival_ns: monotonic; never before the last one's.
        """
        taken_ns = arrival_ns
        if media_ns is not None:
            least_ns = arrival_ns - media_ns
            if self.offset_ns is None or abs(least_ns - self.offset_ns) > DISCONTINUITY_NS:
                self.offset_ns = least_ns
            else:
                drift_ns = (arrival_ns - self.last_arrival_ns) * DRIFT_PPM // 1_000_000
                self.offset_ns = min(self.offset_ns + drift_ns, least_ns)
            self.last_arrival_ns = arrival_ns
            taken_ns = media_ns + self.offset_ns
        if self.last_taken_ns is not None:
            taken_ns = max(taken_ns, self.last_taken_ns)
        self.last_taken_ns = taken_ns
        return taken_ns


@dataclass(slots=True)
class WallTimes:
    """Media time to the wall clock, from the camera's sender reports if they are near our own time, else by `MinimumDelay`."""

    arrivals: MinimumDelay
    camera_offset_ns: int | None = None       # camera's wall time less media time
    reports: int = 0
    believed: bool = False
    last_wall_ns: int | None = None

    def taken_wall_ns(self, media_ns: int | None, arrival_ns: int, arrival_wall_ns: int, camera_wall_ns: int | None) -> int:
        """Wall time, ns UTC, at which a picture was taken.

        arrival_ns, arrival_wall_ns: both clocks when it arrived.
        camera_wall_ns: what the camera's sender reports say; None without one. The first is not used: FFmpeg hangs it on
        the picture before the one it belongs to.
        """
        own_wall_ns = arrival_wall_ns - (arrival_ns - self.arrivals.taken_ns(media_ns, arrival_ns))
        if camera_wall_ns is not None and media_ns is not None:
            self.reports += 1
            if self.reports > 1:
                self.camera_offset_ns = camera_wall_ns - media_ns
        wall_ns = own_wall_ns
        if self.camera_offset_ns is not None and media_ns is not None:
            camera_ns = media_ns + self.camera_offset_ns
            apart_ns = abs(camera_ns - own_wall_ns)
            self.believed = apart_ns <= (DISBELIEVED_NS if self.believed else BELIEVED_NS)
            if self.believed:
                wall_ns = camera_ns
        if self.last_wall_ns is not None and 0 < self.last_wall_ns - wall_ns < SMALL_STEP_NS:
            wall_ns = self.last_wall_ns
        self.last_wall_ns = wall_ns
        return wall_ns
