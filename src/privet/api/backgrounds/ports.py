"""The backgrounds in force."""

from __future__ import annotations

from typing import Protocol

from privet.core.ids import CameraId
from privet.core.reader import SceneView


class LiveScenes(Protocol):
    """What is in force now. `live.hub.Hub` is it."""

    def view(self, camera: CameraId) -> SceneView: ...
