"""What a source is: its settings, its counters and the three things it can do.

Belongs here: values and the protocol that `rtsp`, `file` and `synthetic` keep to. Does not belong here: PyAV, sockets, threads.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Protocol, Self

from privet.core.clock import NS_PER_S
from privet.core.decoding import Decoding
from privet.core.errors import SourceError
from privet.core.frame import Frame
from privet.core.scene import Reason

Transport = Literal["tcp", "udp"]
Stream = Literal["main", "sub"]


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """Where pictures come from and how. Credentials are apart from the URL and never part of a repr."""

    url: str                                   # rtsp://, rtsps:// or file: of the main stream
    sub_url: str | None = None                 # of the sub-stream, if there is one
    stream: Stream = "main"                    # which of the two this source opens
    transport: Transport = "tcp"               # how RTP is carried
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    connect_ns: int = 10 * NS_PER_S            # no picture format known so long after the start: UNREACHABLE, STALLED or PROTOCOL
    stall_ns: int = 5 * NS_PER_S               # no packet for so long: STALLED
    damaged_ns: int = 10 * NS_PER_S            # packets but no picture for so long: DAMAGED
    loop: bool = False                         # files only: begin again at the end
    paced: bool = True                         # files only: in real time, or as fast as read
    start_wall_ns: int | None = None           # files only: wall time of the first frame; None: when it is opened

    def chosen_url(self) -> str:
        """URL of the stream to open.

        Raises:
            SourceError: NOT_FOUND, the sub-stream is asked for and none is configured.
        """
        if self.stream == "main":
            return self.url
        if self.sub_url is None:
            raise SourceError("the sub-stream is asked for and there is none: set sub_url or take the main one", Reason.NOT_FOUND)
        return self.sub_url


@dataclass(frozen=True, slots=True)
class SourceStatistics:
    """Counters of one source since it was opened."""

    packets: int = 0
    bytes_received: int = 0
    frames_decoded: int = 0         # every picture the decoder gave out
    frames_damaged: int = 0         # of those, the ones that were not intact
    packets_dropped: int = 0        # thrown away, undecoded, because whoever reads frames() was too slow
    frames_interlaced: int = 0      # of those decoded, the ones made of two fields
    frames_left_out: int = 0        # never decoded: nothing moved, or nobody would have looked
    frames_hardware: int = 0        # of those decoded, the ones that a GPU decoded
    decoding: Decoding = Decoding.SOFTWARE      # now

    def __add__(self, other: SourceStatistics) -> SourceStatistics:
        return SourceStatistics(
            self.packets + other.packets,
            self.bytes_received + other.bytes_received,
            self.frames_decoded + other.frames_decoded,
            self.frames_damaged + other.frames_damaged,
            self.packets_dropped + other.packets_dropped,
            self.frames_interlaced + other.frames_interlaced,
            self.frames_left_out + other.frames_left_out,
            self.frames_hardware + other.frames_hardware,
            other.decoding,
        )


class Source(Protocol):
    """One life of a camera or a file: opened, read to its end or its failure, closed. Never opened again."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None: ...

    def frames(self) -> Iterator[Frame]:
        """Frames in order, beginning with a keyframe. Connects when the first one is asked for.

        Ends without an error only after `close()`.

        Raises:
            SourceError: why there are no more frames; ENDED at the end of a file or stream.
        """
        ...

    def statistics(self) -> SourceStatistics:
        """Counters until now; from any thread."""
        ...

    def close(self) -> None:
        """From any thread, any number of times: `frames()` ends within a second."""
        ...
