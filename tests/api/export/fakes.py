"""Words for films."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from privet.core.errors import NotFoundError
from privet.core.ids import CameraId


@dataclass
class WordyExporter:
    """Writes words for a film; waits for `go` first if there is one, and says whether it was cancelled."""

    go: asyncio.Event | None = None
    started: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    empty: bool = False

    async def export(self, camera: CameraId, from_wall_ns: int, to_wall_ns: int, path: Path) -> None:
        self.started.set()
        if self.empty:
            raise NotFoundError("nothing is recorded of this camera in this span")
        try:
            if self.go is not None:
                path.with_name(".film.part.mp4").touch()  # what a killed child leaves
                await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        path.write_bytes(f"film {camera} {from_wall_ns} {to_wall_ns}".encode())
