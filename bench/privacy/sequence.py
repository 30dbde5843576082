"""Footage with ground truth: frames as ingest decodes them, the people in them, and the person-free plate they are held against.

Belongs here: making a sequence from a video file, and the plate. Does not belong here: transforms (scenarios), figures (measure).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from demo.clip import Clip, partial_of, read_clip
from demo.encode import CACHE, RECIPE, clip_frames, encode_clip
from numpy.typing import NDArray

from bench.truth import Box, Truth, read_truth
from privet.core.frame import Frame, Matrix, Plane

Planes = tuple[Plane, Plane, Plane]
PLATE_SAMPLES = 240         # frames that a plate's median is taken over
PLATE_GROWTH = 0.15         # truth boxes cut through elbows and shadows: left out a little larger
BITS_PER_PIXEL = 0.34       # what the demo's cameras send at 768x576 and 10 frames/s: 1.5 Mbit/s


@dataclass(frozen=True, slots=True, eq=False)
class Plate:
    """The place without people. planes: as in `core.frame.Frame`; known: bool (height, width), False where people were always."""

    planes: Planes
    known: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    """frames: every call decodes anew, so planes are valid until the next frame. plate: of a frame, as lit and as seen then."""

    name: str
    frames: Callable[[], Iterator[Frame]]
    truth: Truth
    count: int
    fps: float
    width_px: int
    height_px: int
    plate: Callable[[int], Plate]
    matrix: Matrix = Matrix.BT601


def from_video(video: Path, truth_file: Path, count: int | None = None) -> Sequence:
    """A public sequence. The clip is encoded once and kept below .cache/.

    Raises:
        FileNotFoundError, ValueError: the video or the truth cannot be read.
    """
    truth = read_truth(truth_file)
    clip = as_camera_sends(video, count)
    plate = _cached_plate(clip, truth, hashlib.sha256(truth_file.read_bytes()).hexdigest())
    return Sequence(
        video.stem, lambda: clip_frames(clip), truth, len(clip.units), float(clip.fps), clip.width_px, clip.height_px, lambda _: plate
    )


def as_camera_sends(video: Path, count: int | None = None) -> Clip:
    """The whole picture, H.264, 2 s a GOP, no B-frames; frame i is frame i of the file."""
    key = hashlib.sha256(video.read_bytes())
    key.update(repr((RECIPE, "bench", BITS_PER_PIXEL, count)).encode())
    destination = CACHE / f"bench-{video.stem}-{key.hexdigest()[:16]}.annexb"
    try:
        return read_clip(destination)
    except FileNotFoundError:
        return encode_clip(video, destination, bits_per_second=_rate(video), count=count)


def _rate(video: Path) -> int:
    import av

    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        return int(stream.width * stream.height * float(stream.average_rate or 10) * BITS_PER_PIXEL)


def _cached_plate(clip: Clip, truth: Truth, truth_hash: str) -> Plate:
    """The median takes longer than a run: kept by what it was made from."""
    path = clip.path.with_name(f"{clip.path.stem}-{truth_hash[:16]}-{PLATE_SAMPLES}-{PLATE_GROWTH}.npz")
    if path.is_file():
        with np.load(path, allow_pickle=False) as kept:
            return Plate((kept["y"], kept["u"], kept["v"]), kept["known"])
    plate = plate_of(lambda: clip_frames(clip), truth, len(clip.units))
    partial = partial_of(path, ".npz")
    np.savez_compressed(partial, y=plate.planes[0], u=plate.planes[1], v=plate.planes[2], known=plate.known)
    partial.rename(path)
    return plate


def plate_of(frames: Callable[[], Iterator[Frame]], truth: Truth, count: int) -> Plate:
    """Per pixel the median over time with the truth's boxes left out, in all three planes."""
    step = max(count // PLATE_SAMPLES, 1)
    numbers = list(range(0, count, step))
    wanted = set(numbers)
    kept = [
        tuple(np.array(plane) for plane in (frame.y, frame.u, frame.v)) for number, frame in enumerate(frames()) if number in wanted
    ]
    height, width = kept[0][0].shape
    masks = [people(truth.get(number, ()), height, width) for number in numbers]
    planes = []
    for which in range(3):
        stack = np.stack([planes_of_frame[which] for planes_of_frame in kept]).astype(np.float32)
        outside = np.stack([mask if which == 0 else mask[::2, ::2] for mask in masks])
        planes.append(_median_without(stack, outside))
    known: NDArray[np.bool_] = np.logical_not(np.stack(masks).all(axis=0))
    return Plate((planes[0], planes[1], planes[2]), known)


def people(boxes: tuple[Box, ...], height: int, width: int, growth: float = PLATE_GROWTH) -> NDArray[np.bool_]:
    """Pixels inside the boxes, each grown by a share of its size a side: bool (height, width)."""
    inside = np.zeros((height, width), np.bool_)
    for box in boxes:
        grown = box.shrunk(-growth)
        rows = slice(max(int(grown.top), 0), max(int(grown.top + grown.height) + 1, 0))
        inside[rows, max(int(grown.left), 0) : max(int(grown.left + grown.width) + 1, 0)] = True
    return inside


def _median_without(stack: NDArray[np.float32], outside: NDArray[np.bool_]) -> Plane:
    """Median over the first axis of what is not left out; 128 where nothing is left. uint8 (height, width)."""
    stack[outside] = np.nan
    out = np.full(stack.shape[1:], 128, np.uint8)
    for row in range(stack.shape[1]):  # a row at a time: the median copies what it sorts
        known = ~np.isnan(stack[:, row]).all(axis=0)
        if known.any():
            out[row, known] = np.rint(np.nanmedian(stack[:, row][:, known], axis=0)).astype(np.uint8)
    return out
