"""What is stored, what bounds it, and what cannot be written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from privet.core.ids import CameraId
from privet.index.rows import StoredRow


@dataclass(frozen=True, slots=True)
class Retention:
    """When recordings go. quota_bytes: 0: none. reason: why longer than 72 hours; empty otherwise."""

    hours: int
    reason: str
    quota_bytes: int


class Stored(Protocol):
    """What is stored. Called from worker threads; may block."""

    def stored(self) -> Sequence[StoredRow]:
        """Of each camera that anything is stored of, what is being written included."""
        ...


class Disk(Protocol):
    """What is to be kept and cannot be written now."""

    def recording_error(self, camera: CameraId) -> str:
        """Why nothing is recorded of a camera, in the operating system's words; empty while all is well."""
        ...

    def index_fails(self) -> bool:
        """Whether the index takes no rows; the log says why."""
        ...
