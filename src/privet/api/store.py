"""The ports over the real index, archive and renderer.

Belongs here: translation between their words and the API's. Does not belong here: anything a slice could do itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Protocol

from privet.api.ports import RegisterEntry
from privet.config.models import Config
from privet.core.ids import CameraId
from privet.core.intervals import Intervals
from privet.core.pb import scene_pb2
from privet.core.polygon import Polygon
from privet.core.reader import SceneView
from privet.index.rows import RecordingRow, StoredRow
from privet.record.archive import Archive, recording_files
from privet.record.covered import Answer
from privet.record.recording import OpenRecording
from privet.record.store import ReadStore, StoredFile
from privet.record.summary import SLOT_NS
from privet.render.thumbnail import thumbnail

OpenRecordings = Callable[[], Sequence[OpenRecording]]
"""The recorder's `open_recordings`."""


def register_of(config: Config) -> tuple[RegisterEntry, ...]:
    """The enabled cameras as people know them."""
    return tuple(
        RegisterEntry(
            id=CameraId(key),
            name=camera.name or key,
            place=camera.place,
            purpose=camera.purpose,
            controller=camera.controller or config.site.controller,
        )
        for key, camera in config.cameras.items()
        if camera.enabled
    )


class Rows(Protocol):
    """What is asked of the index: `index.Index` fits. Every method may raise StoreError."""

    def recordings(self, camera: CameraId | None, from_wall_ns: int, to_wall_ns: int) -> Sequence[RecordingRow]: ...

    def recording(self, recording_id: int) -> RecordingRow | None: ...

    def stored(self) -> Sequence[StoredRow]: ...

    def spans(self, camera: CameraId, from_wall_ns: int, to_wall_ns: int) -> Intervals: ...

    def density(self, camera: CameraId, from_wall_ns: int, to_wall_ns: int, bins: int) -> Sequence[float | None]: ...

    def summaries(self, camera: CameraId, from_wall_ns: int, to_wall_ns: int) -> Sequence[tuple[str, int]]: ...


@dataclass(frozen=True, slots=True)
class RecordedPast:
    """`ports.Past` over the index's rows and the archive's files."""

    index: Rows
    archive: Archive
    store: ReadStore
    open_recordings: OpenRecordings

    def recordings(self, camera: CameraId, from_wall_ns: int, to_wall_ns: int) -> Sequence[RecordingRow]:
        sizes = {recording.info.path: recording.info.size_bytes for recording in self.open_recordings()}
        rows = self.index.recordings(camera, from_wall_ns, to_wall_ns)
        return [row if row.closed else replace(row, size_bytes=sizes.get(row.path, row.size_bytes)) for row in rows]

    def recording(self, recording_id: int) -> RecordingRow | None:
        return self.index.recording(recording_id)

    def stored(self) -> Sequence[StoredRow]:
        writing = Counter[CameraId]()
        for recording in self.open_recordings():
            writing[recording.info.camera] += recording.info.size_bytes + recording.info.summary_bytes
        return [replace(row, size_bytes=row.size_bytes + writing[row.camera]) for row in self.index.stored()]

    def spans(self, camera: CameraId, from_wall_ns: int, to_wall_ns: int) -> Intervals:
        return self.index.spans(camera, from_wall_ns, to_wall_ns)

    def density(self, camera: CameraId, from_wall_ns: int, to_wall_ns: int, bins: int) -> Sequence[float | None]:
        return self.index.density(camera, from_wall_ns, to_wall_ns, bins)

    def covered(self, camera: CameraId, polygon: Polygon, from_wall_ns: int, to_wall_ns: int) -> Answer:
        # A slot of ten seconds reaches beyond the recording that it is written beside.
        summaries = self.index.summaries(camera, from_wall_ns - SLOT_NS, to_wall_ns + SLOT_NS)
        return self.archive.covered(summaries, polygon, from_wall_ns, to_wall_ns)

    def scenes(
        self, camera: CameraId, from_wall_ns: int, to_wall_ns: int, step_ns: int
    ) -> Iterator[scene_pb2.SceneMessage]:
        rows = self.index.recordings(camera, from_wall_ns, to_wall_ns)
        # Rows first: a file that is closed between the two is read by its own index.
        files = recording_files(rows, self.open_recordings())
        yield from self.archive.scenes(files, from_wall_ns, to_wall_ns, step_ns)

    def open(self, path: str) -> StoredFile:
        return self.store.open(path)


@dataclass(frozen=True, slots=True)
class DrawnSnapshots:
    """`ports.Snapshots` over the renderer. zone: the site's now, for the caption."""

    zone: Callable[[], tzinfo]

    def thumbnail(self, view: SceneView, width_px: int, camera: str, at_wall_ns: int) -> bytes:
        return thumbnail(view, width_px, camera=camera, at_wall_ns=at_wall_ns, zone=self.zone())
