"""Words for pictures."""

from __future__ import annotations

from privet.core.reader import SceneView


class WordySnapshots:
    """Draws no picture, but says what it was to draw."""

    def thumbnail(self, view: SceneView, width_px: int, camera: str, at_wall_ns: int) -> bytes:
        assert view.head is not None
        return f"jpeg {width_px} {view.head.sequence} {camera} {at_wall_ns}".encode()
