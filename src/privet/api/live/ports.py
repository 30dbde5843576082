"""The scene stream as it comes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from privet.core.ids import CameraId
from privet.core.reader import SceneView
from privet.live.hub import Subscription


class LiveScenes(Protocol):
    """What is in force now, and what comes. `live.hub.Hub` is it."""

    def view(self, camera: CameraId) -> SceneView: ...

    def subscribe(self, cameras: Collection[CameraId]) -> Subscription: ...
