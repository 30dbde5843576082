"""`Covers` over the index and the summaries' files."""

from __future__ import annotations

from dataclasses import dataclass

from privet.core.ids import CameraId
from privet.core.polygon import Polygon
from privet.index.index import Index
from privet.record.archive import Archive
from privet.record.covered import Answer
from privet.record.summary import SLOT_NS


@dataclass(frozen=True, slots=True)
class ArchivedCovers:
    """index: knows which summaries there are; archive: reads them."""

    index: Index
    archive: Archive

    def covered(self, camera: CameraId, polygon: Polygon, from_wall_ns: int, to_wall_ns: int) -> Answer:
        # A slot of ten seconds reaches beyond the recording that it is written beside.
        summaries = self.index.summaries(camera, from_wall_ns - SLOT_NS, to_wall_ns + SLOT_NS)
        return self.archive.covered(summaries, polygon, from_wall_ns, to_wall_ns)
