"""`RecordedScenes` over the index's rows and the archive's files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from privet.core.ids import CameraId
from privet.core.pb import scene_pb2
from privet.index.index import Index
from privet.record.archive import Archive, recording_files
from privet.record.recording import OpenRecording


@dataclass(frozen=True, slots=True)
class ArchivedScenes:
    """open_recordings: the recorder's."""

    index: Index
    archive: Archive
    open_recordings: Callable[[], Sequence[OpenRecording]]

    def scenes(
        self, camera: CameraId, from_wall_ns: int, to_wall_ns: int, step_ns: int
    ) -> Iterator[scene_pb2.SceneMessage]:
        rows = self.index.recordings(camera, from_wall_ns, to_wall_ns)
        # Rows first: a file that is closed between the two is read by its own index.
        files = recording_files(rows, self.open_recordings())
        yield from self.archive.scenes(files, from_wall_ns, to_wall_ns, step_ns)
