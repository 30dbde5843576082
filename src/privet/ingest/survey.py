"""What a video file holds, told from its packets alone: nothing is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av

from privet.core.clock import NS_PER_S
from privet.core.errors import SourceError
from privet.core.scene import Reason
from privet.ingest.decode import listen_to_ffmpeg
from privet.ingest.file import OPTIONS, translate


@dataclass(frozen=True, slots=True)
class Survey:
    """Counts over the first video track."""

    packets: int
    keyframes: int
    duration_ns: int
    size_bytes: int


def survey_file(path: Path) -> Survey:
    """Count packets and keyframes, and measure the time they span.

    Raises:
        SourceError: the file is missing, unreadable, damaged as a whole or without a video track.
    """
    listen_to_ffmpeg()
    try:
        container = av.open(f"file:{path}", "r", options=OPTIONS)
    except av.FFmpegError as error:
        raise translate(error, path) from error
    with container:
        if not container.streams.video:
            raise SourceError(f"{path} has no video track: name a file with pictures", Reason.NO_VIDEO)
        stream = container.streams.video[0]
        packets = keyframes = size_bytes = 0
        times: list[int] = []
        demuxed = container.demux(stream)
        while True:
            try:
                packet = next(demuxed, None)
            except av.FFmpegError:
                break  # a torn end is an end
            if packet is None or packet.size == 0:
                break
            packets += 1
            keyframes += packet.is_keyframe
            size_bytes += packet.size
            time = packet.dts if packet.pts is None else packet.pts
            if time is not None:
                times.append(time * NS_PER_S * packet.time_base.numerator // packet.time_base.denominator)
        duration_ns = max(times) - min(times) if times else 0
    return Survey(packets, keyframes, duration_ns, size_bytes)
