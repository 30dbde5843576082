"""How long publishing one cover takes, by how many listen, and what a viewer that stands still costs.

    python bench/live_fanout.py
"""

from __future__ import annotations

import time

import numpy as np

from privet.core.clock import SystemClock
from privet.core.grid import Grid
from privet.core.ids import CameraId
from privet.core.pb import scene_pb2 as pb
from privet.core.scene import Background, Cover, Head, ImageFormat
from privet.core.wire import to_message
from privet.live.hub import Hub

GATE = CameraId("gate")
GRID = Grid(1920, 1080, 8, 0)
COVERS = 500


def covers(begin: int) -> list[pb.SceneMessage]:
    """COVERS messages of a 1080p camera, a fifth of the picture covered."""
    random = np.random.default_rng(1)
    return [
        to_message(Cover(Head(1, begin + n, time.time_ns()), 0, 200_000_000, random.random(GRID.shape) < 0.2))
        for n in range(COVERS)
    ]


def measure(reading: int, standing: int) -> float:
    """Microseconds a published cover, reading of the readers included."""
    hub = Hub(SystemClock())
    background = Background(Head(1, 1, time.time_ns()), GRID, np.ones(GRID.shape, np.bool_), ImageFormat.PNG, b"x", 1, 1)
    hub.publish(GATE, to_message(background))
    readers = [hub.subscribe([GATE]) for _ in range(reading)]
    for subscription in [*readers, *(hub.subscribe([GATE]) for _ in range(standing))]:
        while subscription.take() is not None:
            pass
    messages = covers(2)
    begun_ns = time.perf_counter_ns()
    for message in messages:
        hub.publish(GATE, message)
        for reader in readers:
            reader.take()
    return (time.perf_counter_ns() - begun_ns) / COVERS / 1000


def main() -> None:
    print("readers  standing still  us a 1080p cover")
    for reading, standing in ((0, 0), (1, 0), (10, 0), (100, 0), (0, 100)):
        print(f"{reading:7}  {standing:14}  {measure(reading, standing):16.1f}")


if __name__ == "__main__":
    main()
