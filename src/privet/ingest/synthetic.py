"""Frames from a function or a list of pictures: a camera without a camera, for tests and benches.

Belongs here: frames with exact, chosen times, keyframes and damage. Does not belong here: PyAV, files, real cameras.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from fractions import Fraction
from threading import Event
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from privet.core.clock import NS_PER_S, Clock
from privet.core.errors import SourceError
from privet.core.frame import Frame, Matrix, Plane
from privet.core.scene import Reason
from privet.ingest.source import SourceStatistics

Picture = tuple[Plane, Plane, Plane]
"""Y uint8 (height, width); U and V uint8 (ceil(height / 2), ceil(width / 2)); limited range."""


def grey_picture(luma: Plane) -> Picture:
    """A picture without colour from luma, uint8 (height, width)."""
    height_px, width_px = luma.shape
    chroma = np.full((-(-height_px // 2), -(-width_px // 2)), 128, np.uint8)
    return luma, chroma, chroma


def rgb_picture(rgb: NDArray[np.uint8], matrix: Matrix = Matrix.BT601) -> Picture:
    """Y, U, V in limited range from sRGB, uint8 (height, width, 3); chroma is the mean of each 2 x 2 pixels."""
    red_weight, blue_weight = (0.299, 0.114) if matrix is Matrix.BT601 else (0.2126, 0.0722)
    red, green, blue = (rgb[..., channel].astype(np.float64) for channel in range(3))
    luma = red_weight * red + (1 - red_weight - blue_weight) * green + blue_weight * blue
    u = _halve((blue - luma) / (2 * (1 - blue_weight)) * (224 / 255) + 128)
    v = _halve((red - luma) / (2 * (1 - red_weight)) * (224 / 255) + 128)
    return _level(luma * (219 / 255) + 16), _level(u), _level(v)


def _halve(values: NDArray[np.float64]) -> NDArray[np.float64]:
    height, width = values.shape
    padded = np.pad(values, ((0, height % 2), (0, width % 2)), mode="edge")
    means: NDArray[np.float64] = padded.reshape(-(-height // 2), 2, -(-width // 2), 2).mean(axis=(1, 3))
    return means


def _level(values: NDArray[np.float64]) -> Plane:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


class SyntheticSource:
    """Frame number i is `picture(i)`, taken exactly i / fps after the first; ends with SourceError(ENDED) after `count` frames.

    pictures: a function of the frame's number, or a sequence (which then gives `count`).
    count: how many frames; None with a function: until closed.
    gop: every so many frames is a keyframe, the first one included.
    damaged: numbers of frames that are not intact; as with a real decoder, so are those after them up to the next keyframe.
    paced: wait on the clock until a frame's time has come (a `FakeClock` moves there at once). Not paced, the clock is only read
    once, for the first frame's time.
    """

    def __init__(
        self,
        pictures: Callable[[int], Picture] | Sequence[Picture],
        clock: Clock,
        *,
        fps: Fraction | int = 10,
        count: int | None = None,
        gop: int = 20,
        damaged: Collection[int] = (),
        paced: bool = False,
        matrix: Matrix = Matrix.BT601,
    ) -> None:
        if gop < 1 or fps <= 0:
            raise ValueError(f"gop {gop} and fps {fps}: both must be positive")
        if callable(pictures):
            self._picture = pictures
            self._count = count
        else:
            listed = tuple(pictures)
            self._picture = listed.__getitem__
            self._count = len(listed) if count is None else min(count, len(listed))
        self._clock = clock
        self._fps = Fraction(fps)
        self._gop = gop
        self._damaged = frozenset(damaged)
        self._paced = paced
        self._matrix = matrix
        self._closed = Event()
        self._statistics = SourceStatistics()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        self.close()

    def frames(self) -> Iterator[Frame]:
        """See `Source.frames`."""
        start_wall_ns = self._clock.wall_ns()
        start_monotonic_ns = self._clock.monotonic_ns()
        intact = False
        number = 0
        while self._count is None or number < self._count:
            if self._closed.is_set():
                return
            offset_ns = int(number * NS_PER_S / self._fps)
            keyframe = number % self._gop == 0
            intact = (intact or keyframe) and number not in self._damaged
            if self._paced:
                self._clock.sleep(start_monotonic_ns + offset_ns - self._clock.monotonic_ns())
            y, u, v = self._picture(number)
            self._statistics += SourceStatistics(1, y.nbytes + u.nbytes + v.nbytes, 1, int(not intact))
            yield Frame(
                y, u, v, start_wall_ns + offset_ns, start_monotonic_ns + offset_ns, keyframe, intact, self._matrix
            )
            number += 1
        if not self._closed.is_set():
            raise SourceError(f"the {number} pictures given are over", Reason.ENDED)

    def statistics(self) -> SourceStatistics:
        """See `Source.statistics`."""
        return self._statistics

    def close(self) -> None:
        """See `Source.close`."""
        self._closed.set()
