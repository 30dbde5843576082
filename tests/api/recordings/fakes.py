"""Recordings in a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.api.names import GATE, HOUR_NS
from tests.live.places import START_WALL_NS

from privet.core.ids import CameraId
from privet.index.rows import RecordingRow
from privet.record.store import ReadStore, StoredFile


@dataclass
class ListedRecordings:
    """Rows as the index has them; their files in `store`."""

    store: ReadStore
    rows: list[RecordingRow] = field(default_factory=list)

    def recordings(self, camera: CameraId, from_wall_ns: int, to_wall_ns: int) -> Sequence[RecordingRow]:
        return [
            row
            for row in self.rows
            if row.camera == camera and row.from_wall_ns < to_wall_ns and (row.to_wall_ns or to_wall_ns) >= from_wall_ns
        ]

    def recording(self, recording_id: int) -> RecordingRow | None:
        return next((row for row in self.rows if row.id == recording_id), None)

    def open(self, path: str) -> StoredFile:
        return self.store.open(path)


def row(recording_id: int, path: str, camera: CameraId = GATE, *, closed: bool = True, size_bytes: int = 0) -> RecordingRow:
    """A recording of the hour from START_WALL_NS on."""
    return RecordingRow(recording_id, camera, path, START_WALL_NS, START_WALL_NS + HOUR_NS if closed else None, size_bytes, 0, 1)
