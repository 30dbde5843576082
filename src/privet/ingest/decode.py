"""Packets -> frames: one decoder, what it complains about, and the conversion of whatever it gives out to `Frame`.

Belongs here: everything between an `av.Packet` and a `Frame`. Does not belong here: where packets come from, clocks, threads.

What is damaged: the decoder conceals what it cannot decode and says so in its log only, so whatever it logs (warnings, errors,
concealment) while it works on a packet counts as damage to that packet's picture, as does a packet that the transport lost. A
picture is intact if neither it nor any before it, back to the last keyframe, was damaged.

What that cannot see: FFmpeg says nothing about an H.265 access unit that is cut short, nor about an H.264 one that is missing as a
whole. Over RTP both leave a gap in the sequence numbers, which the transport tells; a camera that leaves out pictures on purpose and
numbers its packets on tells nobody, until its next keyframe.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import av.logging
import numpy as np
from av.video.reformatter import VideoReformatter

from privet.core.frame import Frame, Matrix, Plane
from privet.core.geometry import AS_STORED, Geometry
from privet.ingest.hardware import Accelerator
from privet.ingest.upright import Upright, squared_px, turned

FULL_RANGE = 2
"""AVCOL_RANGE_JPEG."""
_MATRICES = {1: Matrix.BT709, 4: Matrix.BT601, 5: Matrix.BT601, 6: Matrix.BT601, 7: Matrix.BT709, 9: Matrix.BT709, 10: Matrix.BT709}
"""AVColorSpace of the metadata; SMPTE 240M and BT.2020 are nearest to BT.709."""
HD_HEIGHT_PX = 720
"""From this height on a picture without metadata is BT.709, below it BT.601."""
_NAL_UNIT = re.compile(rb"\x00\x00\x01(.)", re.DOTALL)
_INTRA = 1
"""AV_PICTURE_TYPE_I."""


def listen_to_ffmpeg() -> None:
    """Take FFmpeg's log away from Python's: its lines hold URLs with passwords. What is worth knowing is captured where it arises."""
    av.logging.set_level(av.logging.INFO)
    av.logging.set_skip_repeated(False)  # a second lost packet is as much of a loss as the first
    logging.getLogger("libav").setLevel(logging.CRITICAL + 1)  # its children inherit it: nothing is even made into a record


if TYPE_CHECKING:
    from av.stream import Stream

    AnyPacket = av.Packet[av.VideoStream] | av.Packet[Stream]  # subscriptable in PyAV's stubs only

LogLine = tuple[int, str, str]
"""FFmpeg's level (lower is worse), its part's name, its words."""


def complains(line: LogLine) -> bool:
    """Whether a line of FFmpeg's log tells of damage."""
    level, _, words = line
    return level <= av.logging.WARNING or "concealing" in words


@dataclass(slots=True)
class Ticket:
    """What is known of a packet when it goes into the decoder; comes out with its picture."""

    wall_ns: int
    monotonic_ns: int
    damaged: bool = False          # lost packets before it, or an incomplete one
    media_ns: int | None = None    # the camera's presentation time

    def after_ns(self, earlier: Ticket) -> int:
        """How much later than `earlier` the camera sent it, as far as is known: a busy machine receives late what was sent in time."""
        arrived_ns = self.monotonic_ns - earlier.monotonic_ns
        if self.media_ns is None or earlier.media_ns is None:
            return arrived_ns
        return min(arrived_ns, max(self.media_ns - earlier.media_ns, 0))


@dataclass(slots=True, eq=False)
class _Stub:
    """What goes through the decoder in a ticket's place, made anew for every packet that goes in.

    PyAV keeps what travels with a packet by its address and forgets it with the first of the pictures that it came out with. A ticket
    that went in twice would take along whatever has its address by then, and with that a picture.
    """

    ticket: Ticket
    aspect: Fraction | None = None      # of its pixels, as the decoder knew it after this packet


@dataclass(slots=True)
class DecoderCounts:
    """What came out so far."""

    decoded: int = 0
    damaged: int = 0
    refused: int = 0               # packets nothing came out of because the decoder gave up on them
    interlaced: int = 0


def make_decoder(codec_name: str) -> av.VideoCodecContext:
    """A decoder for bare access units, "h264" or "hevc"."""
    context = av.CodecContext.create(codec_name, "r")
    if not isinstance(context, av.VideoCodecContext):
        raise TypeError(f"{codec_name} is no video decoder")
    return context


def begins_anew(codec_name: str, access_unit: bytes) -> bool:
    """Whether a keyframe makes the decoder forget all before it, so that nothing is missed if that was never decoded. Annex B.

    An IDR picture does (H.264, 7.4.1.2.4; H.265, 7.4.2.2, and there a BLA picture, too); a recovery point, which may refer to what was
    before, does not. Said by the type of the first NAL unit that holds a slice.
    """
    for unit in _NAL_UNIT.finditer(access_unit):
        head = unit[1][0]
        if codec_name == "h264" and 1 <= head & 0x1F <= 5:
            return head & 0x1F == 5
        if codec_name == "hevc" and head >> 1 & 0x3F < 32:
            return 16 <= head >> 1 & 0x3F <= 20
    return False


def _set_up(context: av.VideoCodecContext, *, lean: bool) -> av.VideoCodecContext:
    context.thread_count = 1   # cameras share the machine; and log lines must come from the thread that decodes
    context.options = {
        **context.options, "err_detect": "crccheck+bitstream+buffer", "skip_loop_filter": "all" if lean else "default"
    }
    context.copy_opaque = True
    return context


class FrameDecoder:
    """One decoder's life. Not thread-safe; nothing comes out before the first keyframe.

    accelerator: hardware to decode with where `lean` will do (`hardware` says why there only). aspect: the shape of the pixels, if the
    container states it.
    """

    def __init__(
        self, context: av.VideoCodecContext, accelerator: Accelerator | None = None, aspect: Fraction | None = None
    ) -> None:
        listen_to_ffmpeg()
        self._context = _set_up(context, lean=False)
        self._upright = Upright(aspect)
        self._accelerator = accelerator or Accelerator()
        self._accelerator.close()   # of an earlier connection
        self._leans = False
        self.lean = False           # wanted from the next keyframe on: no loop filter, which the means of blocks do without
        self._begun = False
        self._clean = False
        self._skipping = False      # to the next keyframe
        self._size_px = (0, 0)
        self.counts = DecoderCounts()

    def decode(self, packet: AnyPacket, ticket: Ticket) -> Iterator[Frame]:
        """Frames that come out when `packet` goes in: none, one or several.

        Raises:
            GeometryError: they cannot be set upright.
        """
        packet.opaque = _Stub(ticket)
        if packet.is_keyframe:
            self._skipping = False
            if self.lean != self._leans or (self.lean and self._begun and self._accelerator.due(ticket.monotonic_ns)):
                return self._change(packet, ticket)
        return self._take(packet, ticket)

    def _change(self, packet: AnyPacket, ticket: Ticket) -> Iterator[Frame]:
        """Go on with another context, for a context's options cannot be changed."""
        yield from self.flush()
        self._accelerator.close()
        self._leans = self.lean
        name, extradata = self._context.name, self._context.extradata
        faster = self._accelerator.open(name, self._size_px, ticket.monotonic_ns) if self.lean and self._begun else None
        self._exchange(name, extradata, faster)
        yield from self._take(packet, ticket)

    def _exchange(self, name: str, extradata: bytes | None, faster: av.VideoCodecContext | None = None) -> None:
        fresh = faster or make_decoder(name)
        fresh.extradata = extradata
        self._context = _set_up(fresh, lean=self._leans and faster is None)

    def begins_anew(self, packet: AnyPacket) -> bool:
        """Whether this keyframe makes the decoder forget all before it."""
        return begins_anew(self._context.name, bytes(packet))

    def flush(self) -> Iterator[Frame]:
        """Frames still inside, after the last packet."""
        return self._take(None, None)

    def alone(self, packet: AnyPacket, ticket: Ticket) -> Iterator[Frame]:
        """Frames of one keyframe that nothing follows; the decoder is as before its first packet afterwards."""
        yield from self.decode(packet, ticket)
        yield from self.flush()
        self.reset()

    def reset(self) -> None:
        """Forget everything before the next packet, which need not follow the last."""
        self._context.flush_buffers()
        self._clean = False

    def _take(self, packet: AnyPacket | None, ticket: Ticket | None) -> Iterator[Frame]:
        if self._skipping:
            return
        pictures: list[av.VideoFrame] = []
        failed = False
        with av.logging.Capture() as lines:
            try:
                pictures = self._context.decode(packet)
            except av.EOFError:
                pass
            except av.FFmpegError:
                failed = True
        if self._accelerator.working and packet is not None and ticket is not None and not ticket.damaged:
            failed = failed or not all(isinstance(picture.opaque, _Stub) for picture in pictures)  # whose it is was lost on the device
            if not self._accelerator.good(pictures, failed=failed, now_ns=ticket.monotonic_ns):
                yield from self._fall_back(packet, ticket)
                return
        if failed:
            self.counts.refused += 1
            self._clean = False
            if ticket is not None:
                ticket.damaged = True
        if ticket is not None and any(complains(line) for line in lines):
            ticket.damaged = True
        if packet is not None and isinstance(stub := packet.opaque, _Stub):
            stub.aspect = self._context.sample_aspect_ratio
        for picture in pictures:
            origin = picture.opaque
            if isinstance(origin, _Stub):
                frame = self._judge(picture, origin)
                if frame is not None:
                    yield frame

    def _fall_back(self, packet: AnyPacket, ticket: Ticket) -> Iterator[Frame]:
        """Hardware was given up: software goes on from this keyframe or the next."""
        self._exchange(self._context.name, self._context.extradata)
        self._clean = False
        self._skipping = not packet.is_keyframe
        yield from self._take(packet, ticket)

    def _judge(self, picture: av.VideoFrame, origin: _Stub) -> Frame | None:
        ticket = origin.ticket
        damaged = ticket.damaged or picture.is_corrupt
        if picture.key_frame:
            self._begun = True
            self._clean = not damaged
        elif damaged:
            self._clean = False
        if not self._begun:
            return None
        self._size_px = (picture.width, picture.height)
        self.counts.decoded += 1
        self.counts.damaged += not self._clean
        self.counts.interlaced += picture.interlaced_frame
        geometry = self._upright.geometry(picture, origin.aspect)
        y, u, v = planes(picture, geometry, self._upright.squarer)
        return Frame(
            y,
            u,
            v,
            ticket.wall_ns,
            ticket.monotonic_ns,
            picture.key_frame and picture.pict_type == _INTRA,
            self._clean,
            matrix_of(picture.colorspace, picture.height),
            geometry,
        )


def matrix_of(colorspace: int, height_px: int) -> Matrix:
    """The matrix that metadata (AVColorSpace) tells, or else the one that goes with the height."""
    return _MATRICES.get(colorspace, Matrix.BT601 if height_px < HD_HEIGHT_PX else Matrix.BT709)


def planes(
    picture: av.VideoFrame, geometry: Geometry = AS_STORED, squarer: VideoReformatter | None = None
) -> tuple[Plane, Plane, Plane]:
    """Y, U, V as 8-bit 4:2:0 limited range, upright, of square pixels; views into the picture's memory where it is that already.

    squarer: kept from picture to picture, it need not be set up anew for each.

    Raises:
        GeometryError: of square pixels the picture would be too large.
    """
    size_px = squared_px(picture.width, picture.height, geometry.aspect)
    found = _converted(picture, size_px, squarer or VideoReformatter())
    return turned(found, geometry) if geometry.turned else found


def _converted(picture: av.VideoFrame, size_px: tuple[int, int], squarer: VideoReformatter) -> tuple[Plane, Plane, Plane]:
    name = picture.format.name
    width_px, height_px = size_px
    full_range = name.startswith("yuvj") or picture.color_range == FULL_RANGE
    if name.startswith("gray") and not full_range:
        # swscale takes every grey picture for full range; the luma of a camera without colour is not.
        luma = _plane(picture.reformat(width_px, height_px, "gray"), 0)
        chroma = np.full((-(-height_px // 2), -(-width_px // 2)), 128, np.uint8)
        return luma, chroma, chroma
    if full_range or name != "yuv420p":
        picture = picture.reformat(
            format="yuv420p", src_color_range="JPEG" if full_range else "MPEG", dst_color_range="MPEG"
        )
    if (picture.width, picture.height) != size_px:
        picture = squarer.reformat(picture, width_px, height_px, interpolation="BICUBIC", threads=1)
    return _plane(picture, 0), _plane(picture, 1), _plane(picture, 2)


def _plane(picture: av.VideoFrame, index: int) -> Plane:
    plane = picture.planes[index]
    return np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
