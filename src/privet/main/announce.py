"""The recorder's announcements as rows of the index. Called from the recorder's thread, which asks again after a StoreError."""

from __future__ import annotations

from typing import Protocol

from privet.core.ids import CameraId
from privet.core.pb import scene_pb2
from privet.record.recording import Announce, RecordingInfo


class Rows(Protocol):
    """What the index is told: `index.Index` fits. Every method may raise StoreError."""

    def recording_opened(self, recording: RecordingInfo) -> None: ...

    def add_summary(self, camera: CameraId, summary: scene_pb2.Summary) -> None: ...

    def recording_closed(self, recording: RecordingInfo) -> None: ...


class IndexAnnounce(Announce):
    """Implements record's `Announce` with the index."""

    def __init__(self, index: Rows) -> None:
        self._index = index

    def opened(self, recording: RecordingInfo) -> None:
        self._index.recording_opened(recording)

    def summarised(self, camera: CameraId, summary: scene_pb2.Summary) -> None:
        self._index.add_summary(camera, summary)

    def closed(self, recording: RecordingInfo) -> None:
        self._index.recording_closed(recording)
