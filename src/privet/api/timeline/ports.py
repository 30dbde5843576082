"""What was going on when. `index.Index` is it. Called from worker threads; may block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from privet.core.ids import CameraId
from privet.core.intervals import Intervals


class Past(Protocol):
    """A camera's past at a glance."""

    def spans(self, camera: CameraId, from_wall_ns: int, to_wall_ns: int) -> Intervals:
        """What the camera was doing in [from, to); kinds are indexes into SPAN_KINDS. Not empty, and not asked beyond now."""
        ...

    def density(self, camera: CameraId, from_wall_ns: int, to_wall_ns: int, bins: int) -> Sequence[float | None]:
        """Share of the picture covered at all, per equal bin; None where nothing is known."""
        ...
