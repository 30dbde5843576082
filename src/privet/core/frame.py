"""The live frame: the only type that carries live pixels.

It never leaves the worker process. ingest makes it, scene and detect look at it; tests/arch holds that nothing else imports
this module. It has no `__reduce__`: pickling or copying it to another process is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from privet.core.geometry import AS_STORED, Geometry

Plane = NDArray[np.uint8]


class Matrix(Enum):
    """How Y, U, V relate to R, G, B. Always limited range: ingest converts full range."""

    BT601 = 601
    BT709 = 709


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One decoded picture, 8-bit YUV 4:2:0, limited range, upright and of square pixels.

    y: uint8 (height, width); u, v: uint8 (ceil(height / 2), ceil(width / 2)). They may be views into the decoder's memory, valid
    until the next frame is asked for, and rows may be strided.
    """

    y: Plane
    u: Plane
    v: Plane
    wall_ns: int            # when the camera took it, as well as is known
    monotonic_ns: int       # when its last packet arrived here
    keyframe: bool
    intact: bool            # decoded cleanly from a complete GOP; a frame that is not proves nothing
    matrix: Matrix = Matrix.BT709
    stored: Geometry = AS_STORED    # how the source stored it; undone here already

    @property
    def width_px(self) -> int:
        return int(self.y.shape[1])

    @property
    def height_px(self) -> int:
        return int(self.y.shape[0])

    def __reduce__(self) -> NoReturn:
        raise TypeError("a live frame does not leave its process")
