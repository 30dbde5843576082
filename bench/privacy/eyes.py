"""Detectors on what is shown: somebody who is still to be made out there is a hit, unless the plate has it too.

The gate's own detectors are asked, at the threshold their makers use for pictures, over the whole picture and over overlapping quarters.
The silhouettes are drawn into the plate as well before it is asked: a flat grey shape is what Privet shows on purpose, and what counts
is whether anything but it was found.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bench.privacy.sequence import Plate
from bench.privacy.watch import Shown
from privet.core.frame import Frame, Matrix
from privet.scene.proof.looks import Detector
from privet.scene.proof.views import Tile, Transform, input_to_picture, sample

SAME_IOU = 0.3
ACROSS = 2
OVERLAP = 1.25


@dataclass(slots=True)
class Finder:
    """One detector, looking at pictures. `shapes` counts hits on the silhouettes themselves: hits that the plate has once the same
    silhouettes are drawn into it.
    """

    detector: Detector
    shapes: int = 0
    found: list[tuple[int, NDArray[np.float64]]] = field(default_factory=list)

    def new_hits(self, shown: Shown, plate: Plate) -> int:
        """Hits on the picture that neither the plate nor the plate behind the same silhouettes has."""
        picture = _as_frame(shown.picture)
        boxes = self._boxes(picture)
        if not len(boxes):
            return 0
        empty = _plate_frame(plate)
        on_plate = self._boxes(empty)
        masked = _masked(empty, picture, shown.hidden)
        on_masked = self._boxes(masked)
        new = 0
        for box in boxes:
            if _has(on_plate, box):
                continue
            if _has(on_masked, box):
                self.shapes += 1
                continue
            new += 1
            self.found.append((shown.number, box))
        return new

    def _boxes(self, frame: Frame) -> NDArray[np.float64]:
        """All boxes in pixels of the picture: (k, 4)."""
        height, width = frame.y.shape
        out = [np.zeros((0, 4))]
        for tile in _tiles(width, height):
            affine = input_to_picture(tile, Transform(), *self.detector.input_px)
            view = sample(frame, affine, *self.detector.input_px)
            found = self.detector.find(view[None])[0].astype(np.float64)
            if len(found):
                scale = np.array([tile.width, tile.height, tile.width, tile.height])
                out.append(found * scale + np.array([tile.left, tile.top, tile.left, tile.top]))
        return np.concatenate(out)


def _tiles(width: int, height: int) -> list[Tile]:
    w, h = width / ACROSS * OVERLAP, height / ACROSS * OVERLAP
    quarters = [Tile(left, top, w, h) for top in (0.0, height - h) for left in (0.0, width - w)]
    return [Tile(0.0, 0.0, float(width), float(height)), *quarters]


def _as_frame(picture: NDArray[np.uint8]) -> Frame:
    """sRGB to a frame, ITU-R BT.601 limited range, chroma from every second pixel."""
    rgb = picture.astype(np.float32)
    y = rgb @ (np.array([65.481, 128.553, 24.966], np.float32) / 255) + 16
    u = rgb[::2, ::2] @ (np.array([-37.797, -74.203, 112.0], np.float32) / 255) + 128
    v = rgb[::2, ::2] @ (np.array([112.0, -93.786, -18.214], np.float32) / 255) + 128
    planes = [np.rint(plane).clip(0, 255).astype(np.uint8) for plane in (y, u, v)]
    return Frame(planes[0], planes[1], planes[2], 0, 0, True, True, Matrix.BT601)


def _plate_frame(plate: Plate) -> Frame:
    return Frame(*plate.planes, 0, 0, True, True, Matrix.BT601)


def _masked(empty: Frame, picture: Frame, hidden: NDArray[np.bool_]) -> Frame:
    """The plate with the flat parts of the picture in it."""
    half = hidden[::2, ::2]
    return Frame(
        np.where(hidden, picture.y, empty.y), np.where(half, picture.u, empty.u), np.where(half, picture.v, empty.v), 0, 0, True, True,
        Matrix.BT601,
    )


def _has(boxes: NDArray[np.float64], box: NDArray[np.float64]) -> bool:
    for other in boxes:
        width = min(box[2], other[2]) - max(box[0], other[0])
        height = min(box[3], other[3]) - max(box[1], other[1])
        if width <= 0 or height <= 0:
            continue
        shared = width * height
        union = (box[2] - box[0]) * (box[3] - box[1]) + (other[2] - other[0]) * (other[3] - other[1]) - shared
        if shared >= SAME_IOU * union:
            return True
    return False
