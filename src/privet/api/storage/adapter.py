"""`Stored` over the index, with what is being written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from privet.core.ids import CameraId
from privet.index.index import Index
from privet.index.rows import StoredRow
from privet.record.recording import OpenRecording


@dataclass(frozen=True, slots=True)
class IndexedStorage:
    """open_recordings: the recorder's."""

    index: Index
    open_recordings: Callable[[], Sequence[OpenRecording]]

    def stored(self) -> Sequence[StoredRow]:
        writing = Counter[CameraId]()
        for recording in self.open_recordings():
            writing[recording.info.camera] += recording.info.size_bytes + recording.info.summary_bytes
        return [replace(row, size_bytes=row.size_bytes + writing[row.camera]) for row in self.index.stored()]
