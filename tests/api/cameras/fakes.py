"""Counters that stand still."""

from __future__ import annotations

from dataclasses import dataclass, field

from privet.core.ids import CameraId
from privet.core.pb import pipe_pb2


@dataclass
class FixedCounters:
    """The same health whatever the time."""

    healths: dict[CameraId, pipe_pb2.Health] = field(default_factory=dict)

    def health(self, camera: CameraId) -> pipe_pb2.Health | None:
        return self.healths.get(camera)
