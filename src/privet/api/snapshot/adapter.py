"""`Snapshots` over the renderer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo

from privet.core.reader import SceneView
from privet.render.thumbnail import thumbnail


@dataclass(frozen=True, slots=True)
class DrawnSnapshots:
    """zone: the site's now, for the caption."""

    zone: Callable[[], tzinfo]

    def thumbnail(self, view: SceneView, width_px: int, camera: str, at_wall_ns: int) -> bytes:
        return thumbnail(view, width_px, camera=camera, at_wall_ns=at_wall_ns, zone=self.zone())
