"""What is stored, in a list, and a disk that a test spoils."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from privet.core.ids import CameraId
from privet.index.rows import StoredRow


@dataclass
class ListedStorage:
    """A row for each camera that anything is stored of."""

    rows: list[StoredRow] = field(default_factory=list)

    def stored(self) -> Sequence[StoredRow]:
        return self.rows


@dataclass
class SpoiledDisk:
    """In order, until a test spoils it."""

    errors: dict[CameraId, str] = field(default_factory=dict)
    index: bool = False

    def recording_error(self, camera: CameraId) -> str:
        return self.errors.get(camera, "")

    def index_fails(self) -> bool:
        return self.index
