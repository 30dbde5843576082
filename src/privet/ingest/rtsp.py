"""A camera over RTSP: a thread that receives, a bounded queue, and a decoder in the thread that asks for frames.

Belongs here: everything that talks to a camera through FFmpeg. Does not belong here: what its failures mean (`rtsp_errors`), trying again
(`reconnect`), the camera's URL as text (`address`), decoding (`decode`).

Two threads, because a blocked read of FFmpeg can be ended by its time-out alone: `close()` and `frames()` never wait for it. The
receiving thread ends with its next packet or its time-out, whichever comes first, and takes the connection with it.

A camera is not trusted. FFmpeg gets options from this file only, may speak RTSP, RTP and TLS and nothing else, sets up video and
nothing else, opens no decoder but H.264's and H.265's, and every step is bounded in time.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from threading import Thread
from types import TracebackType
from typing import Self

import av
import av.logging
from av.container import InputContainer

from privet.core.clock import NS_PER_S, Clock
from privet.core.errors import SourceError
from privet.core.frame import Frame
from privet.core.geometry import GeometryError
from privet.core.scene import Reason
from privet.ingest.address import full_url, parse_address
from privet.ingest.batched_reads import BatchedReads
from privet.ingest.decode import FrameDecoder, LogLine, Ticket, complains, listen_to_ffmpeg
from privet.ingest.frame_demand import EveryFrame, FrameConsumer
from privet.ingest.hardware import Accelerator
from privet.ingest.on_demand import LONGEST_GOP_NS, OnDemandDecoder
from privet.ingest.queue import PacketQueue
from privet.ingest.rtsp_errors import elsewhere, no_video, redirected, stalled, translate_opening, translate_reading
from privet.ingest.size_motion import Calm
from privet.ingest.source import SourceSettings, SourceStatistics
from privet.ingest.times import MinimumDelay, WallTimes

CODECS = ("h264", "hevc")
QUEUE_PACKETS = 256
QUEUE_BYTES = 32 * 1024 * 1024
QUEUE_NS = 2 * NS_PER_S
"""What finds it full is lost up to the next keyframe, so it holds a moment in which the machine stands still."""
ASLEEP_QUEUE_NS = LONGEST_GOP_NS
"""What is hardly decoded at all is dealt with in no time, however much of it has gathered; and thrown away, it would wake the camera."""
KEYFRAME_NS = 90 * NS_PER_S
"""No keyframe for so long: DAMAGED. Some cameras send one in half a minute only."""
_US_PER_S = 1_000_000
REPORT_NS = NS_PER_S // 2
"""How long what the camera's sender reports said last is taken to hold."""
ENOUGH_REPORTS = 2
_PROBE_US = 50_000
"""FFmpeg looks at so much media at most before it gives out packets; a camera tells all it needs in its SDP."""
_PRFT = struct.Struct("=q")
"""AVProducerReferenceTime begins with the wall clock in microseconds since 1970."""


def options_for(settings: SourceSettings) -> dict[str, str]:
    """FFmpeg's options. Nothing in them comes from text that somebody typed."""
    # Over TCP nothing arrives out of order, but without a queue FFmpeg does not tell of packets that a camera left out.
    reordering = {} if settings.transport == "udp" else {"reorder_queue_size": "2"}
    return reordering | {
        "rtsp_transport": "udp" if settings.transport == "udp" else "tcp",
        "rtsp_flags": "filter_src",                       # RTP from the camera's address alone
        "allowed_media_types": "video",
        "protocol_whitelist": "rtsp,rtp,udp,tcp,tls",
        "format_whitelist": "rtsp",
        "codec_whitelist": ",".join(CODECS),
        "timeout": str(settings.stall_ns * _US_PER_S // NS_PER_S),
        "analyzeduration": str(_PROBE_US),
        "fpsprobesize": "0",
        "buffer_size": str(1024 * 1024),
    }


_Received = tuple["av.Packet[av.VideoStream]", Ticket]


class _Stalled(Exception):  # noqa: N818 (a way out of a loop, not an error)
    """No packet came for too long."""


class RtspSource:
    """See `Source`."""

    def __init__(
        self, settings: SourceSettings, clock: Clock, consumer: FrameConsumer | None = None, accelerator: Accelerator | None = None
    ) -> None:
        self._consumer = consumer or EveryFrame()
        self._accelerator = accelerator or Accelerator()
        self._by_hardware_before = self._accelerator.frames
        self._on_demand: OnDemandDecoder | None = None
        self._settings = settings
        self._clock = clock
        self._address = parse_address(settings.chosen_url())
        self._queue: PacketQueue[_Received] = PacketQueue(QUEUE_PACKETS, QUEUE_BYTES, QUEUE_NS)
        self._context: av.VideoCodecContext | None = None
        self._decoder: FrameDecoder | None = None
        self._closed = False
        self._begun = False
        self._packets = 0
        self._bytes = 0
        self._heard_ns = 0

    def __repr__(self) -> str:
        return f"RtspSource({self._address.shown()})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        self.close()

    def close(self) -> None:
        """See `Source.close`."""
        self._closed = True
        self._queue.abandon()

    def statistics(self) -> SourceStatistics:
        """See `Source.statistics`."""
        dropped = self._queue.statistics().dropped
        decoding = self._accelerator.decoding
        if self._decoder is None:
            return SourceStatistics(self._packets, self._bytes, packets_dropped=dropped, decoding=decoding)
        counts = self._decoder.counts
        left_out = 0 if self._on_demand is None else self._on_demand.counts.left_out
        by_hardware = self._accelerator.frames - self._by_hardware_before
        return SourceStatistics(
            self._packets, self._bytes, counts.decoded, counts.damaged, dropped, counts.interlaced, left_out, by_hardware, decoding
        )

    # ---- decoding, in the thread that asks for frames

    def frames(self) -> Iterator[Frame]:
        """See `Source.frames`."""
        if self._begun:
            raise RuntimeError("a source has one life: open another")
        self._begun = True
        # No daemon: an interpreter that ends while FFmpeg reads frees what FFmpeg is using. So its end waits for the time-outs.
        Thread(target=self._receive, name=f"receive {self._address.shown()}").start()
        try:
            yield from self._decoded()
        except GeometryError as error:
            raise GeometryError(error.found, f"the camera at {self._address.shown()}") from None
        finally:
            self.close()

    def _decoded(self) -> Iterator[Frame]:
        decoder: OnDemandDecoder | None = None
        first_ns: int | None = None             # arrival of the first packet
        picture_ns = keyframe_ns = 0            # arrival of the last packet that gave a picture, of the last keyframe
        dropped = 0
        while (received := self._queue.get()) is not None:
            packet, ticket = received
            arrival_ns = ticket.monotonic_ns
            if first_ns is None:
                first_ns = picture_ns = keyframe_ns = arrival_ns
            if packet.is_keyframe:
                keyframe_ns = arrival_ns
                if decoder is None:
                    assert self._context is not None    # set before the first packet is put
                    self._decoder = FrameDecoder(self._context, self._accelerator)
                    decoder = self._on_demand = OnDemandDecoder(self._decoder, self._consumer)
                    picture_ns = arrival_ns
            if arrival_ns - keyframe_ns > KEYFRAME_NS:
                raise self._damaged(f"sent no keyframe for {KEYFRAME_NS // NS_PER_S} s")
            if decoder is None:
                continue
            if self._queue.dropped != dropped:
                dropped = self._queue.dropped
                decoder.lose()
            for frame in decoder.decode(packet, ticket):
                picture_ns = arrival_ns
                if self._closed:
                    return
                yield frame
            if not decoder.asleep and arrival_ns - picture_ns > self._settings.damaged_ns:
                raise self._damaged(f"sent nothing that can be decoded for {self._settings.damaged_ns / NS_PER_S:g} s")

    def _damaged(self, found: str) -> SourceError:
        return SourceError(
            f"the camera at {self._address.shown()} {found}: check the network for loss, or lower the camera's bit rate or GOP",
            Reason.DAMAGED,
        )

    # ---- receiving, in a thread of its own

    def _receive(self) -> None:
        failure = SourceError(f"receiving from {self._address.shown()} broke off: this is a fault of Privet", Reason.PROTOCOL)
        try:
            with av.logging.Capture() as lines:
                failure = self._life(lines)
        except SourceError as error:
            failure = error
        finally:
            self._queue.finish(failure)

    def _life(self, lines: list[LogLine]) -> SourceError:
        """Connect, receive until it ends or is closed; returns why it ended."""
        container = self._connect(lines)
        with container:
            stream = self._video(container)
            self._context = stream.codec_context
            lines.clear()
            failure: SourceError
            try:
                self._forward(container, stream, lines)
            except _Stalled:
                failure = stalled(self._address, self._settings, self._packets)
            except av.FFmpegError as error:
                silent = self._clock.monotonic_ns() - self._heard_ns >= self._settings.stall_ns
                failure = translate_reading(error.errno, silent, self._address, self._settings, self._packets)
            else:
                failure = SourceError(f"the camera at {self._address.shown()} ended the stream: it may be restarting", Reason.ENDED)
            return failure

    def _connect(self, lines: Sequence[LogLine]) -> InputContainer:
        listen_to_ffmpeg()
        connect_s, stall_s = self._settings.connect_ns / NS_PER_S, self._settings.stall_ns / NS_PER_S
        failure: SourceError
        try:
            # The read time-out is the second line: FFmpeg's own ends a read in which nothing comes, this one a read that never ends.
            container = av.open(
                full_url(self._address, self._settings.username, self._settings.password),
                "r",
                format="rtsp",
                options=options_for(self._settings),
                timeout=(connect_s, stall_s + 1),
            )
        except av.FFmpegError as error:
            failure = translate_opening(error.errno, lines, self._address, self._settings)
        else:
            if not redirected(lines):
                return container
            failure = elsewhere(self._address)
            container.close()
        raise failure  # outside of the except clause: FFmpeg's error holds the URL with the password

    def _video(self, container: InputContainer) -> av.VideoStream:
        if not container.streams.video:
            raise no_video(self._address)
        stream = container.streams.video[0]
        name = "unknown" if stream.codec_context is None else stream.codec_context.codec.canonical_name
        if name not in CODECS:
            raise self._wrong_codec(name)
        return stream

    def _wrong_codec(self, name: str) -> SourceError:
        return SourceError(
            f"the camera at {self._address.shown()} sends {name}: set it to H.264 or H.265, or take another of its streams",
            Reason.CODEC,
        )

    def _forward(self, container: InputContainer, stream: av.VideoStream, lines: list[LogLine]) -> None:
        """Every packet, as it comes. For a hundred cameras this runs a thousand times a second and more, and never out of warm caches."""
        clock, queue, stall_ns = self._clock, self._queue, self._settings.stall_ns
        times, reports, calm, batched_reads = WallTimes(MinimumDelay()), SenderReports(), Calm(), BatchedReads()
        may_batch = self._settings.transport != "udp"    # what finds no room in the buffer there is lost
        numerator = denominator = 0
        self._heard_ns = clock.monotonic_ns()
        for packet in container.demux(stream):
            size = packet.size
            if self._closed or size == 0:
                return
            arrival_ns, arrival_wall_ns = clock.monotonic_ns(), clock.wall_ns()
            late = arrival_ns - self._heard_ns >= stall_ns
            self._heard_ns = arrival_ns
            self._packets += 1
            self._bytes += size
            if denominator == 0:                # a stream's time base stands
                numerator, denominator = packet.time_base.numerator, packet.time_base.denominator
            pts = packet.pts
            media_ns = None if pts is None else pts * NS_PER_S * numerator // denominator
            wall_ns = times.taken_wall_ns(media_ns, arrival_ns, arrival_wall_ns, reports.wall_ns(packet, arrival_ns))
            damaged = packet.is_corrupt
            if lines:
                damaged = damaged or (not late and any(complains(line) for line in lines))
                lines.clear()
            keyframe, on_demand = packet.is_keyframe, self._on_demand
            if keyframe:
                calm.keyframe()
                can_wait = calmly = False
            else:
                calmly = calm.cannot_wake(size, () if on_demand is None or damaged else on_demand.calm_bytes)
                can_wait = calmly or (on_demand is not None and not damaged and arrival_ns < on_demand.due_ns)
            queue.put(
                (packet, Ticket(wall_ns, arrival_ns, damaged, media_ns)), size, keyframe, arrival_ns, can_wait=can_wait,
                capacity_ns=ASLEEP_QUEUE_NS if on_demand is not None and on_demand.asleep else QUEUE_NS,
            )
            if late:
                # FFmpeg's read timed out and pushed the last picture out of its parser; asked again, it would wait as long again.
                raise _Stalled
            batched_reads.read(media_ns, size, keyframe)
            if calmly and may_batch and (wait_ns := batched_reads.wait_ns(times.arrivals.offset_ns, clock.monotonic_ns())):
                clock.sleep(wait_ns)


class SenderReports:
    """When a camera's sender reports say that its packets were taken.

    A report comes every few seconds, and FFmpeg hangs what follows from it on every packet. To look costs as much as all the rest, so after
    the first two, of which the first does not count, one packet in REPORT_NS is looked at.
    """

    def __init__(self) -> None:
        self._seen = 0
        self._looked_ns = 0

    def wall_ns(self, packet: av.Packet[av.VideoStream], arrival_ns: int) -> int | None:
        """ns UTC; None if the packet was not looked at, or says nothing."""
        if self._seen >= ENOUGH_REPORTS and arrival_ns - self._looked_ns < REPORT_NS:
            return None
        self._looked_ns = arrival_ns
        found = camera_wall_ns(packet)
        self._seen += found is not None
        return found


def camera_wall_ns(packet: av.Packet[av.VideoStream]) -> int | None:
    """When the camera's sender reports say that the packet was taken, ns UTC."""
    found = packet.get_sidedata("prft")
    data = bytes(found) if found else b""
    if len(data) < _PRFT.size:
        return None
    microseconds: int = _PRFT.unpack_from(data)[0]
    return microseconds * 1000
