"""Scene streams in lists."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from google.protobuf.internal.decoder import _DecodeVarint32  # type: ignore[attr-defined]  # the other side's reader; not in the stubs

from privet.core.ids import CameraId
from privet.core.pb import scene_pb2 as pb


@dataclass
class ListedScenes:
    """`messages` are in stream order; what is in force at a time is those before it."""

    messages: dict[CameraId, list[pb.SceneMessage]] = field(default_factory=dict)
    fails: Exception | None = None
    threads: set[int] = field(default_factory=set)
    closed: threading.Event = field(default_factory=threading.Event)
    yielded: int = 0

    def scenes(self, camera: CameraId, from_wall_ns: int, to_wall_ns: int, step_ns: int) -> Iterator[pb.SceneMessage]:
        try:
            self.threads.add(threading.get_ident())
            if self.fails is not None:
                raise self.fails
            for message in self.messages.get(camera, []):
                if wall_ns(message) < to_wall_ns:
                    self.yielded += 1
                    yield message
        finally:
            self.closed.set()


def wall_ns(message: pb.SceneMessage) -> int:
    """The frame's time."""
    part = getattr(message, message.WhichOneof("kind") or "")
    found = part.head.wall_ns
    assert isinstance(found, int)
    return found


def read_delimited(data: bytes) -> list[pb.SceneMessage]:
    """As protobuf's own readers do."""
    messages, at = [], 0
    while at < len(data):
        length, at = _DecodeVarint32(data, at)
        messages.append(pb.SceneMessage.FromString(data[at : at + length]))
        at += length
    return messages
