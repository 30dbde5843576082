"""Who makes films."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from privet.core.ids import CameraId


class Exporter(Protocol):
    """Writes a span as MP4, somewhere else than in this process."""

    async def export(self, camera: CameraId, from_wall_ns: int, to_wall_ns: int, path: Path) -> None:
        """Write `path`. Cancelling stops the work within seconds.

        Raises:
            NotFoundError: nothing is recorded in the span.
            StoreError: it could not be written in time.
        """
        ...
