"""Every person-frame of a run as crops of one size, so that position and size of a box say nothing by themselves.

Belongs here: cutting and scaling. Does not belong here: what is made of the crops.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.privacy.sequence import Planes, Sequence
from bench.privacy.watch import Shown
from bench.truth import Box
from privet.core.frame import Plane

CROP_PX = (64, 32)      # height, width
EVERY_FRAME = 2         # of those shown; the ones between look the same
LEAST_PX = 8            # a box that is cut to less than that at the picture's edge shows nobody

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Crops:
    """n person-frames. live, shown, plate: uint8 (n, height, width, 3), Y, Cb and Cr. hidden: float32 (n, height, width), share of each
    pixel
    that is painted flat. track, number: int64 (n,). proven: float32 (n,), share of the box's pixels whose block is background.
    """

    track: NDArray[np.int64]
    number: NDArray[np.int64]
    live: Pixels
    shown: Pixels
    plate: Pixels
    hidden: NDArray[np.float32]
    proven: NDArray[np.float32]


def gather(sequence: Sequence, run: Iterable[Shown]) -> Crops:
    """Crops of everybody in every second frame.

    Raises:
        ValueError: nobody was in it.
    """
    track: list[int] = []
    number: list[int] = []
    live: list[Pixels] = []
    shown: list[Pixels] = []
    plate: list[Pixels] = []
    hidden: list[NDArray[np.float32]] = []
    proven: list[float] = []
    for each in run:
        if each.number % EVERY_FRAME:
            continue
        boxes = [inside for box in sequence.truth.get(each.number, ()) if (inside := _inside(box, each.live.y.shape)) is not None]
        if not boxes:
            continue
        output = planes_of(each.picture)
        empty = sequence.plate(each.number).planes
        side = each.grid.block_px
        background = np.repeat(np.repeat(each.proven, side, 0), side, 1)
        for box in boxes:
            track.append(box.track)
            number.append(each.number)
            live.append(crop((each.live.y, each.live.u, each.live.v), box))
            shown.append(crop(output, box))
            plate.append(crop(empty, box))
            hidden.append(crop_mask(each.hidden, box))
            rows = slice(int(box.top), int(box.top + box.height))
            proven.append(float(background[rows, int(box.left) : int(box.left + box.width)].mean()))
    if not track:
        raise ValueError(f"{sequence.name}: its truth has nobody in any frame that was shown")
    return Crops(
        np.array(track), np.array(number), np.stack(live), np.stack(shown), np.stack(plate), np.stack(hidden), np.array(proven, np.float32)
    )


def crop(planes: Planes, box: Box) -> Pixels:
    """uint8 (height, width, 3). planes: Y at full, Cb and Cr at half resolution. The box must lie inside the picture."""
    return np.stack([_scaled(planes[0], box, 1.0), _scaled(planes[1], box, 0.5), _scaled(planes[2], box, 0.5)], axis=-1)


def crop_mask(mask: NDArray[np.bool_], box: Box) -> NDArray[np.float32]:
    """float32 (height, width), 0 to 1."""
    return _scaled(mask.astype(np.uint8) * np.uint8(255), box, 1.0).astype(np.float32) / np.float32(255)


def planes_of(picture: NDArray[np.uint8]) -> Planes:
    """sRGB (height, width, 3) to planes as live frames have them: ITU-R BT.601, limited range, chroma of every second pixel."""
    rgb = picture.astype(np.float32)
    half = rgb[::2, ::2]
    y = rgb @ (np.array([65.481, 128.553, 24.966], np.float32) / 255) + 16
    u = half @ (np.array([-37.797, -74.203, 112.0], np.float32) / 255) + 128
    v = half @ (np.array([112.0, -93.786, -18.214], np.float32) / 255) + 128
    return _level(y), _level(u), _level(v)


def _level(values: NDArray[np.float32] | NDArray[np.float64]) -> Plane:
    return np.rint(values).clip(0, 255).astype(np.uint8)


def _inside(box: Box, shape: tuple[int, ...]) -> Box | None:
    left, top = max(box.left, 0.0), max(box.top, 0.0)
    right, bottom = min(box.left + box.width, float(shape[1])), min(box.top + box.height, float(shape[0]))
    if right - left < LEAST_PX or bottom - top < LEAST_PX:
        return None
    return Box(box.track, left, top, right - left, bottom - top)


def _scaled(plane: Plane, box: Box, scale: float) -> Plane:
    height, width = plane.shape
    left, top = min(box.left * scale, width - 2.0), min(box.top * scale, height - 2.0)
    right, bottom = min((box.left + box.width) * scale, float(width)), min((box.top + box.height) * scale, float(height))
    # Only the box is handed over: an image from the whole plane would be copied for every box.
    first_row, first_column = int(top), int(left)
    part = np.ascontiguousarray(plane[first_row : int(np.ceil(bottom)), first_column : int(np.ceil(right))])
    region = (left - first_column, top - first_row, right - first_column, bottom - first_row)
    image = Image.fromarray(part).resize((CROP_PX[1], CROP_PX[0]), Image.Resampling.BILINEAR, box=region)
    return np.asarray(image, np.uint8)
