"""The recorder's announcements as rows of the index. Called from the recorder's thread, which asks again after a StoreError."""

from __future__ import annotations

from privet.core.ids import CameraId
from privet.core.pb import scene_pb2
from privet.index.index import Index
from privet.record.recording import Announce, RecordingInfo


class IndexAnnounce(Announce):
    """Implements record's `Announce` with the index."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def opened(self, recording: RecordingInfo) -> None:
        self._index.recording_opened(recording)

    def summarised(self, camera: CameraId, summary: scene_pb2.Summary) -> None:
        self._index.add_summary(camera, summary)

    def closed(self, recording: RecordingInfo) -> None:
        self._index.recording_closed(recording)
