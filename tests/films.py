"""Films that are stored otherwise than they are seen, as phones and old recorders store them: turned, mirrored, squeezed, and tagged so.

Belongs here: writing them. Does not belong here: assertions, pytest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

RgbPicture = NDArray[np.uint8]
FIXED = 1 << 16
UNIT_W = 1 << 30


@dataclass(frozen=True, slots=True)
class Stored:
    """One of the eight ways, numbered as photographs number them (EXIF).

    quarters, mirrored: how what is seen becomes what is stored: turned anticlockwise, then left to right. right, down: where the stored
    picture's own right and down point in what is seen, (right, down) each.
    """

    exif: int
    quarters: int
    mirrored: bool
    right: tuple[int, int]
    down: tuple[int, int]

    def stored(self, picture: RgbPicture) -> RgbPicture:
        turned = np.rot90(picture, self.quarters)
        return np.ascontiguousarray(turned[:, ::-1] if self.mirrored else turned)

    @property
    def matrix(self) -> list[int]:
        (a, b), (c, d) = self.right, self.down
        return [a * FIXED, b * FIXED, 0, c * FIXED, d * FIXED, 0, 0, 0, UNIT_W]


UPRIGHT = Stored(1, 0, False, (1, 0), (0, 1))
ON_ITS_SIDE = Stored(6, 1, False, (0, 1), (-1, 0))
EIGHT = (
    UPRIGHT,
    Stored(2, 0, True, (-1, 0), (0, 1)),
    Stored(3, 2, False, (-1, 0), (0, -1)),
    Stored(4, 2, True, (1, 0), (0, -1)),
    Stored(5, 3, True, (0, 1), (1, 0)),
    ON_ITS_SIDE,
    Stored(7, 1, True, (0, -1), (-1, 0)),
    Stored(8, 3, False, (0, -1), (1, 0)),
)


def write_film(
    path: Path, pictures: Sequence[RgbPicture], matrix: Sequence[int] | None = None, aspect: Fraction | None = None, fps: int = 10,
    codec: str = "libx264",
) -> Path:
    """Pictures as they are, a keyframe a second, with the display matrix in the container and the pixels' shape in the pictures, too."""
    with av.open(str(path), "w") as container:
        options = {"preset": "veryfast", "crf": "20", "g": str(fps)} if codec == "libx264" else {"x265-params": "log-level=none"}
        stream = container.add_stream(codec, rate=fps, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        if matrix is not None:
            stream.set_display_matrix(matrix)
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def squeezed(picture: RgbPicture, aspect: Fraction) -> RgbPicture:
    """The picture in pixels `aspect` times as wide as high: the side that they are longer along has fewer of them."""
    height, width = picture.shape[:2]
    size = (round(width / aspect), height) if aspect > 1 else (width, round(height * aspect))
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(*size, format="rgb24", interpolation="AREA")
    return np.asarray(frame.to_ndarray(), np.uint8)
