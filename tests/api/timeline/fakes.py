"""A past in lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.api.intervals import ten_seconds_each

from privet.core.ids import CameraId
from privet.core.intervals import Intervals
from privet.index.rows import SPAN_KINDS


@dataclass
class ListedPast:
    """conditions: of a camera, for ten seconds each. densities: from when to when something is known, and what."""

    conditions: dict[CameraId, list[str]] = field(default_factory=dict)
    densities: dict[CameraId, tuple[int, int, float]] = field(default_factory=dict)

    def spans(self, camera: CameraId, from_wall_ns: int, to_wall_ns: int) -> Intervals:
        return ten_seconds_each([SPAN_KINDS.index(kind) for kind in self.conditions.get(camera, ["gap"])], from_wall_ns, to_wall_ns)

    def density(self, camera: CameraId, from_wall_ns: int, to_wall_ns: int, bins: int) -> Sequence[float | None]:
        known_from_ns, known_to_ns, share = self.densities.get(camera, (0, 0, 0.0))
        step_ns = (to_wall_ns - from_wall_ns) // bins
        starts_ns = [from_wall_ns + number * step_ns for number in range(bins)]
        return [share if start_ns < known_to_ns and start_ns + step_ns > known_from_ns else None for start_ns in starts_ns]
