"""A camera's sub-stream of a sequence: the same pictures, smaller, encoded once more, and a little later.

Belongs here: making it from the main stream's frames. Does not belong here: who looks at it (watch).
"""

from __future__ import annotations

from collections import deque
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


class SubStream:
    """Give it every frame of the main stream; it gives back what the sub-stream's decoder puts out at that moment."""

    def __init__(self, divisor: int, fps: float, first: Frame) -> None:
        """divisor: by how much smaller its picture is, along each side."""
        self._width, self._height = (side // divisor // 2 * 2 for side in (first.width_px, first.height_px))
        encoder = av.CodecContext.create("libx264", "w")
        assert isinstance(encoder, av.VideoCodecContext)
        encoder.width, encoder.height, encoder.pix_fmt = self._width, self._height, "yuv420p"
        encoder.time_base, encoder.framerate = Fraction(1, 1000), Fraction(fps).limit_denominator(1000)
        encoder.bit_rate = max(int(self._width * self._height * fps * BITS_PER_PIXEL), LEAST_BITS_PER_SECOND)
        encoder.gop_size = round(GOP_S * fps)
        encoder.options = {"preset": "veryfast", "tune": "zerolatency", "bf": "0", "threads": "1"}
        self._encoder = encoder
        self._decoder = FrameDecoder(make_decoder("h264"))
        self._delay_frames = round(DELAY_S * fps)
        self._late: deque[tuple[av.Packet[av.VideoStream], Ticket]] = deque()

    def next(self, frame: Frame) -> list[Frame]:
        """Frames of the sub-stream that come when this one of the main stream does."""
        whole = yuv_picture(*(np.ascontiguousarray(plane) for plane in (frame.y, frame.u, frame.v)))
        small = whole.reformat(width=self._width, height=self._height, interpolation="AREA")
        small.pts = frame.monotonic_ns * 1000 // NS_PER_S
        small.time_base = Fraction(1, 1000)
        for packet in self._encoder.encode(small):
            delayed = Ticket(frame.wall_ns, frame.monotonic_ns)
            self._late.append((packet, delayed))
        if len(self._late) <= self._delay_frames:
            return []
        packet, ticket = self._late.popleft()
        return list(self._decoder.decode(packet, Ticket(ticket.wall_ns, frame.monotonic_ns)))
