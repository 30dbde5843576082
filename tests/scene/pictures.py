"""Synthetic places, frames and detectors for the tests of the scene room.

Belongs here: pictures made of numbers, and detectors that honestly look at what they are given. Does not belong here: assertions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from privet.core.clock import NS_PER_S, FakeClock
from privet.core.errors import DetectorError, SourceError
from privet.core.frame import Frame, Matrix, Plane
from privet.core.geometry import AS_STORED, Geometry
from privet.core.grid import BoolGrid
from privet.ingest.synthetic import Picture, SyntheticSource

SIZES_PX = ((1, 1), (1, 40), (40, 1), (8, 8), (17, 33), (33, 17), (75, 100), (20, 24), (9, 64))
"""(height, width): with partial blocks, single rows and odd sides."""


def chroma_shape(height_px: int, width_px: int) -> tuple[int, int]:
    return -(-height_px // 2), -(-width_px // 2)


def random_planes(height_px: int, width_px: int, seed: int, strided: bool = False) -> Picture:
    """Planes of noise; strided: as a decoder's, with rows longer than the picture is wide."""
    draw = np.random.default_rng(seed)
    spare = 5 if strided else 0
    planes = []
    for rows, columns in ((height_px, width_px), chroma_shape(height_px, width_px), chroma_shape(height_px, width_px)):
        planes.append(draw.integers(0, 256, (rows, columns + spare), np.uint8)[:, :columns])
    return planes[0], planes[1], planes[2]


@st.composite
def bool_grids(draw: st.DrawFn, most: int = 12) -> BoolGrid:
    """Grids of bits, empty ones and single rows among them, contiguous or not."""
    shape = draw(st.tuples(st.integers(0, most), st.integers(0, most)))
    grid: BoolGrid = draw(arrays(np.bool_, shape))
    if draw(st.booleans()) and grid.size:
        wide = np.zeros((shape[0] * 2, shape[1] * 3), np.bool_)
        wide[::2, ::3] = grid
        return wide[::2, ::3]
    return grid


def place(height_px: int = 240, width_px: int = 320, seed: int = 3) -> Picture:
    """A place: a smooth slope of grey, with patches of texture of several strengths and colours, 40 to 200 levels."""
    draw = np.random.default_rng(seed)
    row, column = np.mgrid[0:height_px, 0:width_px]
    luma = 90 + 50 * np.sin(row / 47.0) + 30 * np.cos(column / 61.0)
    for _ in range(40):
        top, left = int(draw.integers(0, height_px)), int(draw.integers(0, width_px))
        height, width = (int(side) for side in draw.integers(10, 60, 2))
        strength = float(draw.uniform(4, 30))
        period = float(draw.uniform(4, 14))
        window = (slice(top, top + height), slice(left, left + width))
        luma[window] += strength * np.sign(np.sin(row[window] / period * 2) * np.sin(column[window] / period * 2))
    planes = [np.clip(luma, 40, 200)]
    for mean in (120, 136):
        chroma_row, chroma_column = np.mgrid[0 : -(-height_px // 2), 0 : -(-width_px // 2)]
        planes.append(mean + 6 * np.sin(chroma_row / 31.0 + chroma_column / 43.0 + mean))
    y, u, v = (np.rint(plane).astype(np.uint8) for plane in planes)
    return y, u, v


def noisy(picture: Picture, sigma: float, seed: int) -> Picture:
    """The picture as a sensor sees it: Gaussian noise in luma, half of it in chroma."""
    if sigma == 0:
        return picture
    draw = np.random.default_rng(seed)
    planes = []
    for plane, deviation in zip(picture, (sigma, sigma / 2, sigma / 2), strict=True):
        values = plane + draw.normal(0, deviation, plane.shape)
        planes.append(np.clip(np.rint(values), 0, 255).astype(np.uint8))
    return planes[0], planes[1], planes[2]


def brightened(picture: Picture, gain: float, offset: float = 0.0) -> Picture:
    """The picture under another light."""
    y = np.clip(np.rint((picture[0] - 16.0) * gain + 16 + offset), 0, 255).astype(np.uint8)
    u, v = (np.clip(np.rint((plane - 128.0) * gain + 128), 0, 255).astype(np.uint8) for plane in picture[1:])
    return y, u, v


def with_box(picture: Picture, box: tuple[int, int, int, int], luma: int = 30, u: int = 100, v: int = 160) -> Picture:
    """Somebody, roughly: left, top, right, bottom in pixels; their clothes have a weave, so that they are not featureless."""
    left, top, right, bottom = box
    planes = [plane.copy() for plane in picture]
    inside = planes[0][top:bottom, left:right]
    row, column = np.mgrid[0 : inside.shape[0], 0 : inside.shape[1]]
    inside[...] = luma + 12 * ((row // 3 + column // 3) % 2)
    chroma = (slice(top // 2, -(-bottom // 2)), slice(left // 2, -(-right // 2)))
    planes[1][chroma] = u
    planes[2][chroma] = v
    return planes[0], planes[1], planes[2]


RED = (81, 90, 240)
"""Y, U, V of pure red, BT.601: what a `Spotter` takes for a person."""


def with_person(picture: Picture, box: tuple[int, int, int, int]) -> Picture:
    """Somebody whom a `Spotter` finds."""
    left, top, right, bottom = box
    planes = [plane.copy() for plane in picture]
    planes[0][top:bottom, left:right] = RED[0]
    for plane, level in zip(planes[1:], RED[1:], strict=True):
        plane[top // 2 : -(-bottom // 2), left // 2 : -(-right // 2)] = level
    return planes[0], planes[1], planes[2]


def frames(
    pictures: Callable[[int], Picture],
    count: int,
    *,
    fps: Fraction | int = 5,
    gop: int = 5,
    damaged: tuple[int, ...] = (),
    clock: FakeClock | None = None,
) -> Iterator[Frame]:
    """`count` frames of a synthetic camera; the clock, if given, is moved on to their end."""
    at = clock if clock is not None else FakeClock(monotonic=NS_PER_S)
    source = SyntheticSource(pictures, at, fps=fps, count=count, gop=gop, damaged=damaged, matrix=Matrix.BT601)
    try:
        yield from source.frames()
    except SourceError:
        pass
    at.advance(int(count * NS_PER_S / Fraction(fps)))


def frame_of(
    picture: Picture, monotonic_ns: int = NS_PER_S, *, keyframe: bool = True, intact: bool = True, matrix: Matrix = Matrix.BT601,
    stored: Geometry = AS_STORED,
) -> Frame:
    return Frame(*picture, 1_700_000_000 * NS_PER_S + monotonic_ns, monotonic_ns, keyframe, intact, matrix, stored)


@dataclass
class Spotter:
    """A detector that looks: people are red. Finds them if at least `smallest_px` tall, as one box around all that is red."""

    input_px: tuple[int, int] = (120, 120)
    smallest_px: int = 1
    looked: int = field(default=0, init=False)
    found: int = field(default=0, init=False)

    def find(self, pictures: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        return [self._boxes(picture) for picture in pictures]

    def _boxes(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.looked += 1
        height, width = self.input_px
        assert picture.shape == (height, width, 3)
        assert picture.dtype == np.uint8
        red = (picture[..., 0] > 180) & (picture[..., 1] < 90) & (picture[..., 2] < 90)
        rows, columns = np.flatnonzero(red.any(axis=1)), np.flatnonzero(red.any(axis=0))
        if not rows.size or rows[-1] - rows[0] + 1 < self.smallest_px:
            return np.zeros((0, 4), np.float32)
        self.found += 1
        box = [columns[0] / width, rows[0] / height, (columns[-1] + 1) / width, (rows[-1] + 1) / height]
        return np.array([box], np.float32)


@dataclass
class Failing(Spotter):
    """Finds whoever is red, until it fails for good."""

    failed: bool = False

    def find(self, pictures: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        if self.failed:
            raise DetectorError("the device is gone")
        return super().find(pictures)


def full(shape: tuple[int, int], value: int = 128) -> Plane:
    return np.full(shape, value, np.uint8)
