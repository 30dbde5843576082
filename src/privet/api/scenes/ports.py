"""The recorded scene stream. Called from worker threads; blocks on files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from privet.core.ids import CameraId
from privet.core.pb import scene_pb2


class RecordedScenes(Protocol):
    """Reads recordings, open ones too."""

    def scenes(
        self, camera: CameraId, from_wall_ns: int, to_wall_ns: int, step_ns: int
    ) -> Iterator[scene_pb2.SceneMessage]:
        """What was in force at `from`, then all messages in [from, to); with step_ns at most one cover a step."""
        ...
