"""People cut out of the footage, and the person-free place they are put back into.

Belongs here: cutting, scaling, turning, moving by parts of a pixel. Does not belong here: who stands where and when (actors, cases).
Pictures are float32 (height, width, 3), Y, U and V in levels, chroma at full size; alphas are float32 (height, width), 0 to 1.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import av
import numpy as np
from demo.encode import VIEWS, find_footage, look
from numpy.typing import NDArray

from bench.privacy.sequence import Planes, from_video
from bench.truth import Box, Truth, read_truth
from privet.ingest.decode import planes

Picture = NDArray[np.float32]
Alpha = NDArray[np.float32]

TRUTH_FILE = Path(__file__).resolve().parents[4] / "shared" / "data" / "PETS09-S2L1-gt.txt"
CUT_GROWTH = 0.12           # elbows and shoes stick out of truth boxes
NOBODY_BELOW, SOMEBODY_ABOVE = 26.0, 52.0       # levels off the plate, luma and chromas added: above what exposure and shadows do
VISIBLE = 0.3               # of alpha: what a truth box goes around


@dataclass(frozen=True, slots=True, eq=False)
class Cutout:
    """Somebody (or something) without a background. left, top: where in the footage it was, in its pixels."""

    colour: Picture
    alpha: Alpha
    left: float
    top: float

    @property
    def height_px(self) -> int:
        return int(self.alpha.shape[0])

    @property
    def width_px(self) -> int:
        return int(self.alpha.shape[1])


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A cutout on its place in a picture of its own: `alpha` of colour belongs at (left, top)."""

    colour: Picture
    alpha: Alpha
    left: int
    top: int


def full(y: NDArray[np.uint8], u: NDArray[np.uint8], v: NDArray[np.uint8]) -> Picture:
    """4:2:0 planes as a picture."""
    height, width = y.shape
    chroma = [np.repeat(np.repeat(plane, 2, 0), 2, 1)[:height, :width] for plane in (u, v)]
    return np.stack([y, *chroma], axis=2).astype(np.float32)


def halved(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means of 2 x 2 pixels; an odd last row or column is left out."""
    even = values[: values.shape[0] // 2 * 2, : values.shape[1] // 2 * 2]
    out: NDArray[np.float32] = (0.25 * (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2])).astype(np.float32)
    return out


@cache
def footage_truth() -> Truth:
    """Raises: FileNotFoundError: the truth lies outside the project and is not on this machine."""
    if not TRUTH_FILE.is_file():
        raise FileNotFoundError(f"ground truth: {TRUTH_FILE.name} is not in ../shared/data, and scenarios are made from it")
    return read_truth(TRUTH_FILE)


@cache
def footage_key() -> str:
    """Of what all scenarios are made."""
    footage_truth()
    return hashlib.sha256(find_footage().read_bytes() + TRUTH_FILE.read_bytes()).hexdigest()


@cache
def place() -> Picture:
    """The footage's place without people."""
    footage_truth()
    empty: Planes = from_video(find_footage(), TRUTH_FILE).plate(0).planes
    return full(*empty)


@cache
def pictures(first: int, last: int, step: int = 1) -> tuple[Picture, ...]:
    """Pictures of the footage from `first` to `last`, both included."""
    out = []
    with av.open(str(find_footage())) as container:
        for number, picture in enumerate(container.decode(container.streams.video[0])):
            if number > last:
                break
            if number >= first and (number - first) % step == 0:
                out.append(full(*(np.array(plane) for plane in planes(look(picture, VIEWS["gate"])))))
    return tuple(out)


@cache
def person(track: int, number: int) -> Cutout:
    """One person of the footage in one of its frames."""
    return _cut(pictures(number, number)[0], _box(track, number))


@cache
def walk(track: int, first: int, last: int, step: int) -> tuple[Cutout, ...]:
    """One person walking, every `step` frames of the footage."""
    numbers = range(first, last + 1, step)
    return tuple(_cut(picture, _box(track, number)) for picture, number in zip(pictures(first, last, step), numbers, strict=True))


def _box(track: int, number: int) -> Box:
    return next(box for box in footage_truth()[number] if box.track == track)


def _cut(picture: Picture, box: Box) -> Cutout:
    """What is not the place, inside a box. Softly: half-covered pixels at the edge carry half the person."""
    grown = box.shrunk(-CUT_GROWTH)
    top, left = max(int(grown.top), 0), max(int(grown.left), 0)
    rows, columns = slice(top, int(grown.top + grown.height) + 1), slice(left, int(grown.left + grown.width) + 1)
    colour = picture[rows, columns]
    off = colour - place()[rows, columns]
    sides = np.concatenate([off[:, :4], off[:, -4:]], axis=1)       # the exposure of this picture, not of the median of all
    away = _smoothed(np.abs(off - np.median(sides, axis=(0, 1))).sum(axis=2).astype(np.float32))
    inside = np.clip((away - NOBODY_BELOW) / (SOMEBODY_ABOVE - NOBODY_BELOW), 0, 1).astype(np.float32)
    closed = _spread(_spread(inside, 2, np.maximum), 2, np.minimum)     # clothes as grey as the road leave holes
    return Cutout(colour.copy(), _smoothed(closed), left, top)


def piece(picture: Picture, left: int, top: int, width_px: int, height_px: int, soft_px: int = 4) -> Cutout:
    """A rectangle with rounded, soft edges: things, not people."""
    y = np.abs(np.arange(height_px) - (height_px - 1) / 2) / (height_px / 2)
    x = np.abs(np.arange(width_px) - (width_px - 1) / 2) / (width_px / 2)
    outside = (y[:, None] ** 6 + x[None] ** 6) ** (1 / 6)
    alpha = np.clip((1 - outside) * min(width_px, height_px) / 2 / soft_px, 0, 1).astype(np.float32)
    return Cutout(picture[top : top + height_px, left : left + width_px].copy(), alpha, left, top)


def _smoothed(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean of 3 x 3."""
    padded = np.pad(values, 1, mode="edge")
    height, width = values.shape
    total = sum((padded[i : i + height, j : j + width] for i in range(3) for j in range(3)), np.zeros_like(values))
    return (total / 9).astype(np.float32)


def _spread(values: NDArray[np.float32], reach: int, extreme: np.ufunc) -> NDArray[np.float32]:
    """The largest (or smallest) of each pixel's neighbours."""
    padded = np.pad(values, reach, mode="edge")
    height, width = values.shape
    out = values
    for i in range(2 * reach + 1):
        for j in range(2 * reach + 1):
            out = extreme(out, padded[i : i + height, j : j + width])
    return out.astype(np.float32)


def lying(cutout: Cutout) -> Cutout:
    """Turned by a quarter."""
    return replace(cutout, colour=np.rot90(cutout.colour).copy(), alpha=np.rot90(cutout.alpha).copy())


def seated(cutout: Cutout) -> Cutout:
    """Sitting, seen from the front: thighs (48 to 75 % of the height) point at the camera and are a quarter as tall."""
    rows = np.arange(cutout.height_px)
    share = rows / cutout.height_px
    thighs = (share >= 0.48) & (share < 0.75)
    kept = np.concatenate([rows[share < 0.48], rows[thighs][::4], rows[share >= 0.75]])
    return replace(cutout, colour=cutout.colour[kept], alpha=cutout.alpha[kept])


def upper(cutout: Cutout, share: float) -> Cutout:
    """What is seen of somebody behind a counter."""
    kept = round(cutout.height_px * share)
    return replace(cutout, colour=cutout.colour[:kept], alpha=cutout.alpha[:kept])


def put(cutout: Cutout, left: float, top: float, scale: float = 1.0, sway_px: float = 0.0) -> Placed:
    """Resample a cutout so that its corner lies at (left, top) of the picture and it is `scale` as large.

    sway_px: how far the head is moved to the right, the feet staying where they are.
    """
    weighted = np.concatenate([cutout.colour * cutout.alpha[:, :, None], cutout.alpha[:, :, None]], axis=2)
    while scale <= 0.6:
        weighted, scale = halved(weighted), scale * 2
    height, width = weighted.shape[:2]
    first_row, first_column = int(np.floor(top)), int(np.floor(left - 1))
    rows = np.arange(first_row, int(np.ceil(top + height * scale)) + 1)
    columns = np.arange(first_column, int(np.ceil(left + 1 + width * scale)) + 1)
    y = (rows + 0.5 - top) / scale - 0.5
    lean = sway_px * (1 - np.clip((rows + 0.5 - top) / (height * scale), 0, 1))
    x = (columns[None] + 0.5 - left - lean[:, None]) / scale - 0.5
    mixed = _bilinear(np.pad(weighted, ((1, 1), (1, 1), (0, 0))), y[:, None] + 1, x + 1)
    alpha = mixed[:, :, 3]
    colour = mixed[:, :, :3] / np.maximum(alpha, 1e-3)[:, :, None]
    return Placed(colour.astype(np.float32), alpha.astype(np.float32), first_column, first_row)


def _bilinear(source: NDArray[np.float32], y: NDArray[np.floating], x: NDArray[np.floating]) -> NDArray[np.float32]:
    """Samples at (y, x), which broadcast to (height, width); beyond the edges what is at the edge."""
    y, x = np.clip(y, 0, source.shape[0] - 1.001), np.clip(x, 0, source.shape[1] - 1.001)
    row, column = y.astype(np.int64), x.astype(np.int64)
    down, right = (y - row)[:, :, None], (x - column)[:, :, None]
    upper_row = source[row, column] * (1 - right) + source[row, column + 1] * right
    lower_row = source[row + 1, column] * (1 - right) + source[row + 1, column + 1] * right
    mixed: NDArray[np.float32] = (upper_row * (1 - down) + lower_row * down).astype(np.float32)
    return mixed


def paste(picture: Picture, placed: Placed, behind: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
    """Put it into `picture`, in place; what sticks out is cut off. behind: bool (height, width), where something stands before it.

    Returns where it is to be seen: bool (height, width).
    """
    height, width = picture.shape[:2]
    visible = np.zeros((height, width), np.bool_)
    top, left = max(placed.top, 0), max(placed.left, 0)
    bottom, right = min(placed.top + placed.alpha.shape[0], height), min(placed.left + placed.alpha.shape[1], width)
    if bottom <= top or right <= left:
        return visible
    window = (slice(top, bottom), slice(left, right))
    inner = (slice(top - placed.top, bottom - placed.top), slice(left - placed.left, right - placed.left))
    alpha = placed.alpha[inner]
    if behind is not None:
        alpha = np.where(behind[window], 0, alpha).astype(np.float32)
    picture[window] += alpha[:, :, None] * (placed.colour[inner] - picture[window])
    visible[window] = alpha > VISIBLE
    return visible
