"""Makes scene messages as a worker would, for tests of what is behind the pipe."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from privet.core.grid import Grid
from privet.core.pb import scene_pb2 as pb
from privet.core.scene import Background, Condition, Cover, Head, ImageFormat, Light, Patch, Reason, Scene, State
from privet.core.wire import to_message

START_WALL_NS = 1_700_000_000_000_000_000


@dataclass
class Place:
    """One camera's stream: every method returns the next message. The image bytes are not a picture: nothing here decodes them."""

    grid: Grid = field(default_factory=lambda: Grid(64, 40, 8, 0))
    session: int = 1
    sequence: int = 0
    wall_ns: int = START_WALL_NS

    def head(self) -> Head:
        self.sequence += 1
        self.wall_ns += 1_000_000
        return Head(self.session, self.sequence, self.wall_ns)

    def restart(self) -> None:
        self.session += 1
        self.sequence = 0

    def resize(self, width_px: int) -> None:
        self.grid = replace(self.grid, width_px=width_px, epoch=self.grid.epoch + 1)

    def background(self, image: bytes = b"picture") -> pb.SceneMessage:
        proven = np.ones(self.grid.shape, np.bool_)
        return self._message(Background(self.head(), self.grid, proven, ImageFormat.PNG, image, START_WALL_NS, self.wall_ns))

    def empty_background(self) -> pb.SceneMessage:
        return self._message(Background(self.head(), self.grid, np.zeros(self.grid.shape, np.bool_), ImageFormat.PNG, b"", 0, 0))

    def patch(self) -> pb.SceneMessage:
        return self._message(Patch(self.head(), self.grid.epoch, 1, 1, np.ones((1, 2), np.bool_), ImageFormat.PNG, b"patch"))

    def cover(self, block: int = 0) -> pb.SceneMessage:
        covered = np.zeros(self.grid.shape, np.bool_)
        covered.reshape(-1)[block % self.grid.blocks] = True
        return self._message(Cover(self.head(), self.grid.epoch, 200_000_000, covered))

    def light(self) -> pb.SceneMessage:
        cells = np.full((2, 3), 128, np.uint8)
        return self._message(Light(self.head(), self.grid.epoch, cells, cells))

    def state(
        self, condition: Condition = Condition.AWAKE, reason: Reason = Reason.NONE, *, named: bool = True
    ) -> pb.SceneMessage:
        return self._message(State(self.head(), condition, reason, 0, self.grid if named else None, 0, 0))

    def _message(self, scene: Scene) -> pb.SceneMessage:
        return to_message(scene)
