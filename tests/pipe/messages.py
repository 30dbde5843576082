"""Messages for the tests of this room, as small as they can be."""

from __future__ import annotations

import numpy as np

from privet.core.grid import Grid
from privet.core.ids import CameraId
from privet.core.pb import pipe_pb2, scene_pb2
from privet.core.scene import Background, Condition, Cover, Head, ImageFormat, Reason, State
from privet.core.wire import to_message

CAMERA = CameraId("gate")
GRID = Grid(64, 48, 8, 1)


def background(sequence: int = 1, session: int = 7, wall_ns: int = 0) -> scene_pb2.SceneMessage:
    nothing = np.zeros(GRID.shape, np.bool_)
    return to_message(Background(Head(session, sequence, wall_ns), GRID, nothing, ImageFormat.WEBP, b"", 0, 0))


def cover(sequence: int, session: int = 7, covered: int = 3, wall_ns: int = 0) -> scene_pb2.SceneMessage:
    bits = np.zeros(GRID.blocks, np.bool_)
    bits[:covered] = True
    return to_message(Cover(Head(session, sequence, wall_ns), GRID.epoch, 200_000_000, bits.reshape(GRID.shape)))


def state(
    sequence: int,
    session: int = 7,
    condition: Condition = Condition.AWAKE,
    reason: Reason = Reason.NONE,
    grid: Grid | None = GRID,
    wall_ns: int = 0,
) -> scene_pb2.SceneMessage:
    return to_message(State(Head(session, sequence, wall_ns), condition, reason, 0, grid, 0, 0))


def worker_scene(message: scene_pb2.SceneMessage, camera: str = CAMERA) -> pipe_pb2.WorkerMessage:
    return pipe_pb2.WorkerMessage(camera=camera, scene=message)
