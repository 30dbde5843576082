"""A clip as if a camera sent it: its packets in real time, over and over, through the decoder that sleeps.

Belongs here: that, and the sample clip. Does not belong here: cameras (ingest.rtsp). A file that is watched (ingest.file) is decoded whole,
which is not what a camera costs; here only receiving over the network is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Self

import av
import numpy as np
from PIL import Image

from privet.core.clock import NS_PER_S, Clock
from privet.core.errors import SourceError
from privet.core.frame import Frame
from privet.core.scene import Reason
from privet.ingest.decode import FrameDecoder, Ticket
from privet.ingest.file import OPTIONS, path_of, translate
from privet.ingest.frame_demand import EveryFrame, FrameConsumer
from privet.ingest.hardware import Accelerator
from privet.ingest.on_demand import OnDemandDecoder
from privet.ingest.open import open_source
from privet.ingest.source import Source, SourceSettings, SourceStatistics

SIZE_PX = (1920, 1080)
FPS = 15
GOP = 30
PICTURES = 150
NOISE = 1.1                 # levels of luma: what a camera's pictures differ by where nothing moves
OCTAVES = ((12, 14), (4, 8))                # cell and levels of luma of each size of detail
FALLBACK_FPS = 15
NAP_NS = NS_PER_S // 5


def open_stream(
    settings: SourceSettings, clock: Clock, consumer: FrameConsumer | None = None, accelerator: Accelerator | None = None
) -> Source:
    """A clip for a file's URL, a camera for any other."""
    if settings.chosen_url().startswith("file:"):
        return ClipSource(path_of(settings.chosen_url()), clock, consumer or EveryFrame(), accelerator or Accelerator())
    return open_source(settings, clock, consumer, accelerator)


class ClipSource:
    """See `Source`."""

    def __init__(self, path: Path, clock: Clock, consumer: FrameConsumer, accelerator: Accelerator) -> None:
        self._path = path
        self._clock = clock
        self._consumer = consumer
        self._accelerator = accelerator
        self._closed = Event()
        self._packets = self._bytes = 0
        self._decoder: FrameDecoder | None = None
        self._on_demand: OnDemandDecoder | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        self.close()

    def close(self) -> None:
        """See `Source.close`."""
        self._closed.set()

    def statistics(self) -> SourceStatistics:
        """See `Source.statistics`."""
        if self._decoder is None or self._on_demand is None:
            return SourceStatistics(self._packets, self._bytes)
        counts = self._decoder.counts
        return SourceStatistics(
            self._packets, self._bytes, counts.decoded, counts.damaged, 0, counts.interlaced, self._on_demand.counts.left_out,
            self._accelerator.frames, self._accelerator.decoding,
        )

    def frames(self) -> Iterator[Frame]:
        """See `Source.frames`."""
        packets, period_ns, context = self._read()
        self._decoder = FrameDecoder(context, self._accelerator)
        self._on_demand = on_demand = OnDemandDecoder(self._decoder, self._consumer)
        number, start_ns = 0, self._clock.monotonic_ns()
        while not self._closed.is_set():
            data, keyframe = packets[number % len(packets)]
            due_ns = start_ns + number * period_ns
            number += 1
            while not self._closed.is_set() and (left_ns := due_ns - self._clock.monotonic_ns()) > 0:
                self._clock.sleep(min(left_ns, NAP_NS))
            packet = av.Packet(data)
            packet.is_keyframe = keyframe
            self._packets += 1
            self._bytes += len(data)
            for frame in on_demand.decode(packet, Ticket(self._clock.wall_ns(), due_ns)):
                if self._closed.is_set():
                    return
                yield frame

    def _read(self) -> tuple[list[tuple[bytes, bool]], int, av.VideoCodecContext]:
        """All packets from the first keyframe on, the time between two, and a decoder for them."""
        try:
            with av.open(f"file:{self._path}", "r", options=OPTIONS) as container:
                if not container.streams.video:
                    raise SourceError(f"{self._path} has no video track: name a file with pictures", Reason.NO_VIDEO)
                stream = container.streams.video[0]
                context = stream.codec_context
                if context is None or context.codec.canonical_name not in {"h264", "hevc"}:
                    raise SourceError(f"{self._path} is not H.264 or H.265, which cameras send: convert it", Reason.CODEC)
                found = [(bytes(packet), packet.is_keyframe) for packet in container.demux(stream) if packet.size]
                rate = stream.average_rate or FALLBACK_FPS
                fresh = av.CodecContext.create(context.codec.canonical_name, "r")
                assert isinstance(fresh, av.VideoCodecContext)
                fresh.extradata = context.extradata
        except av.FFmpegError as error:
            raise translate(error, self._path) from None
        first = next((number for number, (_, keyframe) in enumerate(found) if keyframe), None)
        if first is None:
            raise SourceError(f"{self._path} holds no keyframe: it may be cut off or empty", Reason.DAMAGED)
        return found[first:], int(NS_PER_S / rate), fresh


def write_sample(path: Path) -> None:
    """Encode the sample: 1080p, 15 frames a second, H.264: a textured wall under a sensor's noise, and nobody."""
    width, height = SIZE_PX
    draw = np.random.default_rng(7)
    # Plaster: coarser shapes, or ones that repeat themselves, the detectors take for somebody now and then, and nothing would be proven.
    wall = np.full((height, width), 110, np.float32)
    for cell_px, levels in OCTAVES:
        field = draw.uniform(-levels, levels, (height // cell_px + 2, width // cell_px + 2)).astype(np.float32)
        wall += np.asarray(Image.fromarray(field).resize((width, height), Image.Resampling.BICUBIC))
    noises = [np.rint(draw.normal(0, NOISE, wall.shape)).astype(np.int16) for _ in range(8)]
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream(
            "libx264", rate=FPS,
            options={
                "preset": "veryfast", "qp": "25",
                "x264-params": f"keyint={GOP}:min-keyint={GOP}:scenecut=0:bframes=0:rc-lookahead=0:ref=1",
            },
        )
        stream.width, stream.height, stream.pix_fmt, stream.time_base = width, height, "yuv420p", Fraction(1, FPS)
        stacked = np.full((height * 3 // 2, width), 128, np.uint8)
        for number in range(PICTURES):
            by = tuple(int(each) for each in draw.integers(0, 64, 2))
            stacked[:height] = np.clip(np.rint(wall) + np.roll(noises[number % len(noises)], by, (0, 1)), 0, 255)
            picture = av.VideoFrame.from_ndarray(stacked, format="yuv420p")
            picture.pts = number
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
