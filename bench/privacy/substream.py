"""A camera's sub-stream of a sequence: the same pictures, smaller, encoded once more, and a little later.

Belongs here: making it from the main stream's frames. Does not belong here: who looks at it (watch).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from demo.encode import yuv_picture

from privet.core.clock import NS_PER_S
from privet.core.frame import Frame
from privet.ingest.decode import FrameDecoder, Ticket, make_decoder

BITS_PER_PIXEL = 0.12
LEAST_BITS_PER_SECOND = 64_000
DELAY_S = 0.3
GOP_S = 2


@dataclass(frozen=True, slots=True)
class Smaller:
    """How much less a sub-stream shows than its main stream: along each side so many times less, and of its pictures one in so many."""

    divisor: int
    every: int = 1


class SubStream:
    """Give it every frame of the main stream; it gives back what the sub-stream's decoder puts out at that moment."""

    def __init__(self, smaller: Smaller, fps: float, first: Frame) -> None:
        """fps: of the main stream."""
        self._every, self._number = smaller.every, 0
        self._width, self._height = (side // smaller.divisor // 2 * 2 for side in (first.width_px, first.height_px))
        own_fps = fps / smaller.every
        encoder = av.CodecContext.create("libx264", "w")
        assert isinstance(encoder, av.VideoCodecContext)
        encoder.width, encoder.height, encoder.pix_fmt = self._width, self._height, "yuv420p"
        encoder.time_base, encoder.framerate = Fraction(1, 1000), Fraction(own_fps).limit_denominator(1000)
        encoder.bit_rate = max(int(self._width * self._height * own_fps * BITS_PER_PIXEL), LEAST_BITS_PER_SECOND)
        encoder.gop_size = round(GOP_S * own_fps)
        encoder.options = {"preset": "veryfast", "tune": "zerolatency", "bf": "0", "threads": "1"}
        self._encoder = encoder
        self._decoder = FrameDecoder(make_decoder("h264"))
        self._delay_frames = round(DELAY_S * fps)
        self._late: deque[list[tuple[av.Packet[av.VideoStream], int]]] = deque()    # by frame of the main stream, with its wall_ns

    def next(self, frame: Frame) -> list[Frame]:
        """Frames of the sub-stream that come when this one of the main stream does."""
        sent = self._number % self._every == 0
        self._number += 1
        self._late.append(self._encode(frame) if sent else [])
        if len(self._late) <= self._delay_frames:
            return []
        return [
            small for packet, wall_ns in self._late.popleft() for small in self._decoder.decode(packet, Ticket(wall_ns, frame.monotonic_ns))
        ]

    def _encode(self, frame: Frame) -> list[tuple[av.Packet[av.VideoStream], int]]:
        whole = yuv_picture(*(np.ascontiguousarray(plane) for plane in (frame.y, frame.u, frame.v)))
        small = whole.reformat(width=self._width, height=self._height, interpolation="AREA")
        small.pts = frame.monotonic_ns * 1000 // NS_PER_S
        small.time_base = Fraction(1, 1000)
        return [(packet, frame.wall_ns) for packet in self._encoder.encode(small)]
