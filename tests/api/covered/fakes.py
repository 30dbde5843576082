"""Covers in lists."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.api.intervals import ten_seconds_each

from privet.core.ids import CameraId
from privet.core.polygon import Polygon
from privet.record.covered import UNKNOWN, Answer


@dataclass
class ListedCovers:
    """kinds: of a camera, for ten seconds each, whatever the polygon; three quarters of every polygon are proven."""

    kinds: dict[CameraId, list[int]] = field(default_factory=dict)
    polygons: list[Polygon] = field(default_factory=list)

    def covered(self, camera: CameraId, polygon: Polygon, from_wall_ns: int, to_wall_ns: int) -> Answer:
        self.polygons.append(polygon)
        kinds = self.kinds.get(camera, [UNKNOWN])
        return Answer(ten_seconds_each(kinds, from_wall_ns, to_wall_ns), 0.75 if set(kinds) - {UNKNOWN} else None)
