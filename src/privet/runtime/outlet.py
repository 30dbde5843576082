"""The worker's way out: one bounded queue that every camera's thread puts into, and one thread that writes the pipe.

Belongs here: what is dropped, what waits, and the counters of both. Does not belong here: framing (pipe), what is said (camera).

When the queue is full: the oldest covers are dropped first and counted; a camera's next health report replaces the one that
waits; everything else (background, patch, light, state, promotion, log) is never dropped: who puts it waits until there is room.
"""

from __future__ import annotations

from typing import Protocol

from privet.core.pb import pipe_pb2, scene_pb2

Outgoing = scene_pb2.SceneMessage | pipe_pb2.Promotion | pipe_pb2.Health | pipe_pb2.Log
"""What a pipeline may say: one of the kinds of `WorkerMessage`."""


class Emit(Protocol):
    """How a pipeline says something. Safe from several threads; may block while the queue is full of what is never dropped."""

    def __call__(self, message: Outgoing, arrived_monotonic_ns: int = 0) -> None:
        """arrived_monotonic_ns: when the frame arrived that the message is about, for the latency; 0: not about a frame."""
        ...
