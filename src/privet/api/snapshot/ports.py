"""What a snapshot is made of: views, live and recorded, and whoever draws them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from privet.core.ids import CameraId
from privet.core.pb import scene_pb2
from privet.core.reader import SceneView
from privet.live.hub import Heard


class LiveScenes(Protocol):
    """What is in force now. `live.hub.Hub` is it."""

    def view(self, camera: CameraId) -> SceneView: ...

    def heard(self, camera: CameraId) -> Heard: ...


class RecordedScenes(Protocol):
    """Reads recordings. Called from worker threads; blocks on files."""

    def scenes(
        self, camera: CameraId, from_wall_ns: int, to_wall_ns: int, step_ns: int
    ) -> Iterator[scene_pb2.SceneMessage]:
        """What was in force at `from`, then all messages in [from, to); with step_ns at most one cover a step."""
        ...


class Snapshots(Protocol):
    """Draws a view; the words "reconstruction, not video" stand in the picture. Called from worker threads."""

    def thumbnail(self, view: SceneView, width_px: int, camera: str, at_wall_ns: int) -> bytes:
        """JPEG, `width_px` wide if the picture is. camera: its name, for the caption. at_wall_ns: the moment it is to show.

        Raises:
            NotFoundError: no picture has come from this camera yet.
        """
        ...
