"""What is known of cameras besides the register."""

from __future__ import annotations

from typing import Protocol

from privet.core.grid import Grid
from privet.core.ids import CameraId
from privet.core.pb import pipe_pb2
from privet.core.reader import SceneView
from privet.live.hub import Heard


class LiveScenes(Protocol):
    """What is in force now. `live.hub.Hub` is it."""

    def view(self, camera: CameraId) -> SceneView: ...

    def heard(self, camera: CameraId) -> Heard: ...


class Counters(Protocol):
    """What workers say of themselves."""

    def health(self, camera: CameraId) -> pipe_pb2.Health | None:
        """The camera's last health message; None before the first."""
        ...


class Capacity(Protocol):
    """The most that can leave a worker, from the running configuration."""

    def __call__(self, grid: Grid) -> int:
        """Bits a second of one camera with this grid: the sum of docs/ref/what-leaves.md, a bound and no mean."""
        ...
