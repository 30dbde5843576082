"""What the cameras of the throughput bench send: a busy and a quiet clip of one view, encoded as cameras do.

Belongs here: making the clips, once. Does not belong here: serving and measuring them.

*busy*: the demo's footage, people in every frame, enlarged to the camera's size and played at 15 frames a second. *quiet*: its place
without people (the median of the whole clip), under sensor noise, at the same quality: a camera with a variable bit rate. Enlarging
keeps the grain of a smaller picture, so that bits and motion are a camera's, but texture finer than the footage's is not there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Literal

import av
import numpy as np
from demo.clip import Clip, Codec, read_clip
from demo.encode import CACHE, RECIPE, encode_pictures, find_footage, yuv_picture
from numpy.typing import NDArray

Kind = Literal["busy", "quiet"]

FPS = Fraction(15)
SUB_HEIGHT_PX = 360
SIZES_PX = {720: (1280, 720), 1080: (1920, 1080), 2160: (3840, 2160), SUB_HEIGHT_PX: (640, 360)}
MAIN_HEIGHTS_PX = (720, 1080, 2160)
BITS_PER_SECOND = {SUB_HEIGHT_PX: 450_000, 720: 1_800_000, 1080: 3_000_000, 2160: 9_000_000}
PLATE_EVERY = 5             # frames that the empty place is the median of
QUIET_FRAMES = 450
QUALITY = 24                # the constant rate factor at which the busy clip takes about its 3 Mbit/s
NOISE = 1.1                 # levels of luma, half of it chroma: what the footage differs by where nothing moves, a second apart
SUB_NOISE = 0.4             # of a sub-stream: the means of nine pixels
SELDOM_BITS = 1.5           # a picture of the busy clip at a third of the frame rate, by one at FPS: more has changed since the one before
SELDOM_QUALITY = QUALITY + 4    # the same quality there: x264 takes a rate factor to be of pictures as long as these are seen
NOISES = 24                 # fields of noise that are shifted about: drawing one anew for every frame takes longer than encoding it


def clip(kind: Kind, height_px: int, codec: Codec = "h264", every: int = 1) -> Clip:
    """The clip, encoded once and kept below .cache/. A sub-stream's (`SUB_HEIGHT_PX`) shows at every moment what the main stream's shows.

    every: of the pictures, one in so many: a lower frame rate.

    Raises:
        FootageMissingError: the demo's footage is not installed.
    """
    footage = find_footage()
    seldom = (every, SELDOM_BITS, SELDOM_QUALITY) if every > 1 else ()
    told = (RECIPE, kind, height_px, codec, BITS_PER_SECOND[height_px], PLATE_EVERY, QUIET_FRAMES, QUALITY, NOISE, NOISES, *seldom)
    key = hashlib.sha256(footage.read_bytes() + repr(told).encode()).hexdigest()[:16]
    path = CACHE / f"throughput-{kind}-{height_px}-{codec}-{key}.annexb"
    try:
        return read_clip(path)
    except FileNotFoundError:
        pictures = _busy(footage, height_px) if kind == "busy" else _quiet(footage, height_px)
        bits = round(BITS_PER_SECOND[height_px] * (SELDOM_BITS / every if every > 1 else 1))
        quality = None if kind == "busy" else SELDOM_QUALITY if every > 1 else QUALITY
        return encode_pictures(islice(pictures, 0, None, every), path, FPS / every, codec, bits, quality=quality)


def quiet_pictures(height_px: int) -> Iterator[av.VideoFrame]:
    """The quiet clip's pictures, before they are encoded: QUIET_FRAMES of them.

    Raises:
        FootageMissingError: the demo's footage is not installed.
    """
    return _quiet(find_footage(), height_px)


def _frames(footage: Path) -> Iterator[av.VideoFrame]:
    with av.open(str(footage)) as container:
        yield from container.decode(container.streams.video[0])


def _busy(footage: Path, height_px: int) -> Iterator[av.VideoFrame]:
    return (_enlarged(frame, height_px) for frame in _frames(footage))


def _enlarged(frame: av.VideoFrame, height_px: int) -> av.VideoFrame:
    """The lower 3/4 of a 4:3 picture, which is 16:9, at the camera's size."""
    y, u, v = planes(frame.reformat(format="yuv420p"))
    top = y.shape[0] // 8 * 2
    cut = yuv_picture(y[top:], u[top // 2 :], v[top // 2 :])
    width, height = SIZES_PX[height_px]
    return cut.reformat(width=width, height=height, interpolation="BICUBIC")


def planes(frame: av.VideoFrame) -> tuple[NDArray[np.uint8], ...]:
    """Luma and both chroma planes of a yuv420p frame, each (rows, columns)."""
    stacked = np.asarray(frame.to_ndarray(), np.uint8)
    width, height = frame.width, frame.height
    quarter = width * height // 4
    flat = stacked.reshape(-1)
    return (
        flat[: width * height].reshape(height, width),
        flat[width * height : width * height + quarter].reshape(height // 2, width // 2),
        flat[width * height + quarter :].reshape(height // 2, width // 2),
    )


def _quiet(footage: Path, height_px: int) -> Iterator[av.VideoFrame]:
    sample = [planes(frame.reformat(format="yuv420p")) for number, frame in enumerate(_frames(footage)) if number % PLATE_EVERY == 0]
    empty = [np.median(np.stack(each), axis=0).astype(np.uint8) for each in zip(*sample, strict=True)]
    place = planes(_enlarged(yuv_picture(*empty), height_px))
    random = np.random.default_rng(1)
    level = SUB_NOISE if height_px == SUB_HEIGHT_PX else NOISE
    noise = [
        [np.rint(random.normal(0, level * share, plane.shape)).astype(np.int8) for plane, share in zip(place, (1.0, 0.5, 0.5), strict=True)]
        for _ in range(NOISES)
    ]
    for _ in range(QUIET_FRAMES):
        fields = noise[int(random.integers(NOISES))]
        by = tuple(int(each) for each in random.integers(0, 64, 2))
        yield yuv_picture(
            *(
                np.clip(plane.astype(np.int16) + np.roll(field, by, (0, 1)), 0, 255).astype(np.uint8)
                for plane, field in zip(place, fields, strict=True)
            )
        )
