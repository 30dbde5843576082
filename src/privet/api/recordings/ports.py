"""What is recorded. Called from worker threads; may block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from privet.core.ids import CameraId
from privet.index.rows import RecordingRow
from privet.record.store import StoredFile


class Recordings(Protocol):
    """The recordings there are."""

    def recordings(self, camera: CameraId, from_wall_ns: int, to_wall_ns: int) -> Sequence[RecordingRow]:
        """Those that overlap [from, to), oldest first; one that is being written with the size it has so far."""
        ...

    def recording(self, recording_id: int) -> RecordingRow | None: ...

    def open(self, path: str) -> StoredFile:
        """A recording's file, by the path of its row; whoever calls closes it. Raises OSError, FileNotFoundError if it is gone."""
        ...
