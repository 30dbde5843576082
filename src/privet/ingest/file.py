"""A video file as a source: any codec FFmpeg decodes, in real time or as fast as read, once or for ever.

Belongs here: reading files. Does not belong here: networks; writing anything.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Self
from urllib.parse import unquote, urlsplit

import av
from av.container import InputContainer

from privet.core.clock import NS_PER_S, Clock
from privet.core.errors import SourceError
from privet.core.frame import Frame
from privet.core.geometry import GeometryError
from privet.core.scene import Reason
from privet.ingest.decode import FrameDecoder, Ticket, listen_to_ffmpeg
from privet.ingest.source import SourceSettings, SourceStatistics

FORMATS = "avi,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg,flv,asf,h264,hevc,m4v,ogg,ivf,gif,mjpeg,obu,nut,mxf"
"""Demuxers a file is tried with: containers only, none of the playlists that open further files or hosts."""
OPTIONS = {"protocol_whitelist": "file", "format_whitelist": FORMATS}
_FALLBACK_FPS = 25
_NAP_NS = NS_PER_S // 5
"""Longest single sleep, so that close() is heeded in time."""


def path_of(url: str) -> Path:
    """The path that a file: URL names; `file:clip.mp4` is relative to the working directory.

    Raises:
        SourceError: NOT_FOUND, it names another host or no path.
    """
    parts = urlsplit(url)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost") or not parts.path:
        raise SourceError("this is not the URL of a local file: write file:/path/to/clip.mp4", Reason.NOT_FOUND)
    return Path(unquote(parts.path))


class FileSource:
    """See `Source`. Wall time is the start's plus the media time, and so is the monotonic time: however fast a file is read, the
    time between two frames is the time between them in the file."""

    def __init__(self, path: Path, settings: SourceSettings, clock: Clock) -> None:
        self._path = path
        self._settings = settings
        self._clock = clock
        self._closed = Event()
        self._packets = 0
        self._bytes = 0
        self._decoder: FrameDecoder | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        self.close()

    def statistics(self) -> SourceStatistics:
        """See `Source.statistics`."""
        counts = None if self._decoder is None else self._decoder.counts
        if counts is None:
            return SourceStatistics(self._packets, self._bytes)
        return SourceStatistics(self._packets, self._bytes, counts.decoded, counts.damaged, 0, counts.interlaced)

    def close(self) -> None:
        """See `Source.close`."""
        self._closed.set()

    def frames(self) -> Iterator[Frame]:
        """See `Source.frames`."""
        container = self._open()
        with container:
            if not container.streams.video:
                raise SourceError(f"{self._path} has no video track: name a file with pictures", Reason.NO_VIDEO)
            stream = container.streams.video[0]
            if stream.codec_context is None:
                raise SourceError(f"{self._path} is in a codec that cannot be decoded here: convert it to H.264", Reason.CODEC)
            decoder = self._decoder = FrameDecoder(stream.codec_context, aspect=container_aspect(stream, stream.codec_context))
            try:
                yield from self._play(container, stream, decoder)
            except GeometryError as error:
                raise GeometryError(error.found, str(self._path)) from None
        if self._closed.is_set():
            return
        if not decoder.counts.decoded:
            raise SourceError(f"{self._path} holds no picture that can be decoded: it may be cut off or empty", Reason.DAMAGED)
        raise SourceError(f"{self._path} is over after {decoder.counts.decoded} pictures", Reason.ENDED)

    def _open(self) -> InputContainer:
        listen_to_ffmpeg()
        failure: SourceError
        try:
            return av.open(f"file:{self._path}", "r", options=OPTIONS)
        except av.FFmpegError as error:
            failure = translate(error, self._path)
        raise failure

    def _play(self, container: InputContainer, stream: av.VideoStream, decoder: FrameDecoder) -> Iterator[Frame]:
        start_wall_ns = self._clock.wall_ns() if self._settings.start_wall_ns is None else self._settings.start_wall_ns
        start_monotonic_ns = self._clock.monotonic_ns()
        period_ns = int(NS_PER_S / (stream.average_rate or _FALLBACK_FPS))
        round_ns = 0                                    # media time at which this round of a loop begins
        while not self._closed.is_set():
            last_ns = -1
            for frame in self._round(container, stream, decoder, start_wall_ns + round_ns, start_monotonic_ns + round_ns, period_ns):
                last_ns = max(last_ns, frame.monotonic_ns - start_monotonic_ns)
                if self._settings.paced:
                    self._wait_until(frame.monotonic_ns)
                if self._closed.is_set():
                    return
                yield frame
            if not self._settings.loop or last_ns < round_ns:
                return
            round_ns = last_ns + period_ns
            try:
                container.seek(stream.start_time or 0, stream=stream)
            except av.FFmpegError:                      # bare access units have no index to wind back by: who asked opens it again
                return

    def _round(
        self,
        container: InputContainer,
        stream: av.VideoStream,
        decoder: FrameDecoder,
        wall_ns: int,
        monotonic_ns: int,
        period_ns: int,
    ) -> Iterator[Frame]:
        """The file once; its first picture is taken at `wall_ns` and `monotonic_ns`."""
        first: int | None = stream.start_time
        media_ns = -period_ns
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
            except av.FFmpegError:
                packet = None                           # a torn end is an end
            if packet is None or packet.size == 0:
                break
            self._packets += 1
            self._bytes += packet.size
            time = packet.dts if packet.pts is None else packet.pts
            if time is None:
                media_ns += period_ns
            else:
                first = time if first is None else first
                media_ns = (time - first) * NS_PER_S * packet.time_base.numerator // packet.time_base.denominator
            yield from decoder.decode(packet, Ticket(wall_ns + media_ns, monotonic_ns + media_ns, packet.is_corrupt))
        yield from decoder.flush()

    def _wait_until(self, monotonic_ns: int) -> None:
        while not self._closed.is_set():
            left_ns = monotonic_ns - self._clock.monotonic_ns()
            if left_ns <= 0:
                return
            self._clock.sleep(min(left_ns, _NAP_NS))


def container_aspect(stream: av.VideoStream, context: av.VideoCodecContext) -> Fraction | None:
    """The shape of the pixels that the container states, if it is another than the one in the pictures."""
    stated = stream.sample_aspect_ratio
    return None if stated == context.sample_aspect_ratio else stated


def translate(error: av.FFmpegError, path: Path) -> SourceError:
    """What is wrong with a file that did not open."""
    if error.errno == errno.ENOENT:
        return SourceError(f"{path} does not exist: name a video file", Reason.NOT_FOUND)
    if error.errno in (errno.EACCES, errno.EPERM):
        return SourceError(f"{path} may not be read by this user: change its mode or its owner", Reason.REFUSED)
    if error.errno == errno.EISDIR:
        return SourceError(f"{path} is a directory: name a video file", Reason.NOT_FOUND)
    return SourceError(f"{path} is no video file that can be read: it may be cut off or of an unknown kind", Reason.DAMAGED)
