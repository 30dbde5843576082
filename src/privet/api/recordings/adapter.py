"""`Recordings` over the index and the store, with what is being written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from privet.core.ids import CameraId
from privet.index.index import Index
from privet.index.rows import RecordingRow
from privet.record.recording import OpenRecording
from privet.record.store import ReadStore, StoredFile


@dataclass(frozen=True, slots=True)
class IndexedRecordings:
    """open_recordings: the recorder's."""

    index: Index
    store: ReadStore
    open_recordings: Callable[[], Sequence[OpenRecording]]

    def recordings(self, camera: CameraId, from_wall_ns: int, to_wall_ns: int) -> Sequence[RecordingRow]:
        sizes = {recording.info.path: recording.info.size_bytes for recording in self.open_recordings()}
        rows = self.index.recordings(camera, from_wall_ns, to_wall_ns)
        return [row if row.closed else replace(row, size_bytes=sizes.get(row.path, row.size_bytes)) for row in rows]

    def recording(self, recording_id: int) -> RecordingRow | None:
        return self.index.recording(recording_id)

    def open(self, path: str) -> StoredFile:
        return self.store.open(path)
