"""Decoding on a GPU: when it is tried, when it is given up, and the way back to software.

Belongs here: one camera's decision, and the making of FFmpeg's context. Does not belong here: packets and frames (decode), devices that a
worker may open (worker.process).

Hardware does what the lean decoder does: it decodes while nothing is being proven. FFmpeg's software decoder tells what it could not
decode; a GPU conceals it and says nothing. What becomes background must rest on pictures whose damage is known, so proofs have software.

The life of a try: 1. at a keyframe, a context on the device is opened (NO_DEVICE, UNSUPPORTED: not again in this process); 2. it decodes;
3. an error in a packet that came whole, SILENT_PACKETS packets without a picture, or a picture of another size, and it is given up
(FAILED): that packet, if it is a keyframe, or else the next keyframe goes to software; 4. FIRST_REST_NS later it is tried again, then
after twice as long, and so on up to LONGEST_REST_NS.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, Protocol

import av
import av.logging
import numpy as np
from av.codec.hwaccel import HWAccel

from privet.core.clock import NS_PER_S
from privet.core.decoding import Decoding

Hardware = Literal["none", "auto", "vaapi", "cuda"]
Kind = Literal["vaapi", "cuda"]

KINDS: tuple[Kind, ...] = ("cuda", "vaapi")
"""In the order in which `auto` tries them: FFmpeg's own packages of the Python library have the first one only."""
TRIAL_PX = (320, 240)
TRIAL_PICTURES = 4
SILENT_PACKETS = 24
"""H.264 and H.265 hold back sixteen pictures at most."""
FIRST_REST_NS = 600 * NS_PER_S
LONGEST_REST_NS = 24 * 3600 * NS_PER_S

MakeContext = Callable[[str, Kind, str], av.VideoCodecContext]
"""(codec, kind, device or '') -> a decoder on that device. Raises HardwareError."""


class HardwareError(Exception):
    """Why there is no decoder: NO_DEVICE or UNSUPPORTED."""

    def __init__(self, why: Decoding) -> None:
        super().__init__(why.name)
        self.why = why


def make_context(codec: str, kind: Kind, device: str) -> av.VideoCodecContext:
    """A decoder of `codec` ("h264", "hevc") on a device; '' for the first of its kind. Nothing falls back to software inside of it.

    Raises:
        HardwareError: the device cannot be opened, or this FFmpeg has no decoder for the codec on such a device.
    """
    # The process' one context of the device, not one for each camera: they take a hundred megabytes each.
    options: dict[str, object] = {"primary_ctx": "1"} if kind == "cuda" else {}
    wanted = HWAccel(kind, device or None, allow_software_fallback=False, options=options)
    with av.logging.Capture():                  # what drivers say holds paths, and nobody would read it
        try:
            context = av.CodecContext.create(codec, "r", hwaccel=wanted)
        except (av.FFmpegError, ValueError):
            raise HardwareError(Decoding.NO_DEVICE) from None
    if not isinstance(context, av.VideoCodecContext) or not context.is_hwaccel:
        raise HardwareError(Decoding.UNSUPPORTED)
    return context


def try_device(kind: Kind, device: str = "", make: MakeContext = make_context) -> Decoding:
    """Open a device and have it decode a small made-up H.264 picture: HARDWARE, or why not."""
    try:
        decoder = make("h264", kind, device)
    except HardwareError as error:
        return error.why
    width_px, height_px = TRIAL_PX
    with av.logging.Capture():
        try:
            pictures = [picture for packet in _trial() for picture in decoder.decode(packet)] + decoder.decode(None)
        except (av.FFmpegError, ValueError):
            return Decoding.FAILED
    good = [picture for picture in pictures if (picture.width, picture.height) == (width_px, height_px)]
    return Decoding.HARDWARE if good else Decoding.FAILED


def _trial() -> list[av.Packet[av.VideoStream]]:
    """A few grey pictures, encoded as plainly as cameras do."""
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height = TRIAL_PX
    encoder.pix_fmt, encoder.time_base, encoder.thread_count = "yuv420p", Fraction(1, 15), 1
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline"}
    packets: list[av.Packet[av.VideoStream]] = []
    for number in range(TRIAL_PICTURES):
        picture = av.VideoFrame.from_ndarray(np.full((TRIAL_PX[1] * 3 // 2, TRIAL_PX[0]), 128, np.uint8), format="yuv420p")
        picture.pts = number
        packets += encoder.encode(picture)
    return packets + list(encoder.encode(None))


class Picture(Protocol):
    """What is asked of a decoded picture."""

    @property
    def width(self) -> int: ...

    @property
    def height(self) -> int: ...


@dataclass(slots=True)
class Rest:
    """How long to leave a device alone that failed. Pure but for what was."""

    until_ns: int = 0
    next_ns: int = FIRST_REST_NS

    def failed(self, now_ns: int) -> None:
        """It failed: later, and the next time later still."""
        self.until_ns = now_ns + self.next_ns
        self.next_ns = min(2 * self.next_ns, LONGEST_REST_NS)


class Accelerator:
    """One camera's hardware decoder over all its connections. Used in the camera's thread; `decoding` and `frames` from any.

    hardware: what is asked for. device: a path or number as FFmpeg takes it, '' for the first. make: tests give decoders that fail.
    """

    def __init__(self, hardware: Hardware = "none", device: str = "", make: MakeContext = make_context) -> None:
        self._kinds = list(KINDS if hardware == "auto" else () if hardware == "none" else (hardware,))
        self._device = device
        self._make = make
        self._rest = Rest()
        self._silent = 0
        self._size_px: tuple[int, int] | None = None
        self.working = False
        self.frames = 0
        self.decoding = Decoding.WAITING if self._kinds else Decoding.SOFTWARE

    def due(self, now_ns: int) -> bool:
        """Whether `open` is worth a try at this keyframe."""
        return bool(self._kinds) and not self.working and now_ns >= self._rest.until_ns

    def open(self, codec: str, size_px: tuple[int, int], now_ns: int) -> av.VideoCodecContext | None:
        """A decoder, or None: software decodes. size_px: (width, height) of the pictures so far."""
        why = self.decoding
        while self.due(now_ns):
            try:
                context = self._make(codec, self._kinds[0], self._device)
            except HardwareError as error:
                # Of two kinds, what is said is why the one failed that this FFmpeg could use.
                why = error.why if why is not Decoding.NO_DEVICE else why
                del self._kinds[0]
            else:
                self.working, self.decoding, self._silent, self._size_px = True, Decoding.HARDWARE, 0, size_px
                return context
        self.decoding = why
        return None

    def close(self) -> None:
        """Software decodes now because something is being proven, or the connection is over."""
        if self.working:
            self.working, self.decoding = False, Decoding.WAITING

    def good(self, pictures: Sequence[Picture], *, failed: bool, now_ns: int) -> bool:
        """Judge what came out after a packet that came whole went in; False: it is given up.

        failed: FFmpeg gave an error. A whole GOP in a size of its own begins with software, which tells the size.
        """
        self._silent = 0 if pictures else self._silent + 1
        if failed or self._silent >= SILENT_PACKETS or any((each.width, each.height) != self._size_px for each in pictures):
            self.working, self.decoding = False, Decoding.FAILED
            self._rest.failed(now_ns)
            return False
        self.frames += len(pictures)
        return True
