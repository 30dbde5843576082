"""A search in what was recorded. Called from worker threads; blocks on files."""

from __future__ import annotations

from typing import Protocol

from privet.core.ids import CameraId
from privet.core.polygon import Polygon
from privet.record.covered import Answer


class Covers(Protocol):
    """What was covered when."""

    def covered(self, camera: CameraId, polygon: Polygon, from_wall_ns: int, to_wall_ns: int) -> Answer:
        """When something was in `polygon`, when nothing, when nobody knows. Not asked beyond now."""
        ...
