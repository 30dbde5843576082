"""When one recording ends and the next begins: a pure function of what is known and what comes.

A recording covers one UTC hour plus a jitter that differs from camera to camera, so that a hundred cameras do not open a hundred
files in the same second. The wall clock may step: then the recording ends, so that within a file time (nearly) grows.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from privet.core.clock import NS_PER_S
from privet.core.ids import CameraId

HOUR_NS = 3600 * NS_PER_S
MAX_JITTER_NS = 30 * NS_PER_S
STEP_BACK_NS = 2 * NS_PER_S
SHORTEST_NS = 10 * NS_PER_S
IDLE_GRACE_NS = 5 * NS_PER_S


@dataclass(frozen=True, slots=True)
class Span:
    """An open recording's place in time. latest_wall_ns: of its heartbeats. end_wall_ns: the first wall time that is not its own."""

    opened_monotonic_ns: int
    latest_wall_ns: int
    end_wall_ns: int


def jitter_ns(camera: CameraId) -> int:
    """Return 0 to 30 s, always the same for a camera."""
    digest = hashlib.sha256(camera.encode()).digest()
    return int.from_bytes(digest[:8], "big") % (MAX_JITTER_NS + 1)


def begin(camera: CameraId, wall_ns: int, monotonic_ns: int) -> Span:
    """Return the span of a recording whose first message is from `wall_ns`."""
    return Span(monotonic_ns, wall_ns, (wall_ns // HOUR_NS + 1) * HOUR_NS + jitter_ns(camera))


def must_rotate(span: Span, wall_ns: int, monotonic_ns: int, *, heartbeat: bool = True) -> bool:
    """Return whether a message from `wall_ns` begins a new recording.

    heartbeat: whether it is one. Only a heartbeat tells that the clock stepped back: it is about now, while a cover is about its frame,
    which on a machine that is behind may be seconds old.

    A recording lasts ten seconds at least, whatever the wall clock does: a clock that jumps to and fro makes few files, not many.
    """
    if monotonic_ns - span.opened_monotonic_ns < SHORTEST_NS:
        return False
    return wall_ns >= span.end_wall_ns or (heartbeat and wall_ns < span.latest_wall_ns - STEP_BACK_NS)


def is_over(span: Span, now_wall_ns: int, monotonic_ns: int) -> bool:
    """Return whether a recording that no message comes for any more is to be closed."""
    if monotonic_ns - span.opened_monotonic_ns < SHORTEST_NS:
        return False
    return now_wall_ns >= span.end_wall_ns + IDLE_GRACE_NS


def heard(span: Span, wall_ns: int) -> Span:
    """Return the span after a message from `wall_ns` was taken into it."""
    return span if wall_ns <= span.latest_wall_ns else replace(span, latest_wall_ns=wall_ns)
