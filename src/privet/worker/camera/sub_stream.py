"""A camera's sub-stream beside its main stream: a link and a thread of its own, for as long as the camera is watched.

Belongs here: keeping the sub-stream connected, and knowing whether it comes. Does not belong here: what its frames say (scene), what is
told of them (take).
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

from privet.core.clock import NS_PER_MS, NS_PER_S, Clock
from privet.core.frame import Frame
from privet.core.frame_demand import Stream
from privet.core.pb import pipe_pb2
from privet.ingest.frame_demand import FrameConsumer
from privet.ingest.reconnect import Link, Reconnector
from privet.ingest.source import Source, SourceStatistics
from privet.worker.camera.frame_demand import Demander, SubDemand

LOST_AFTER_NS = 2 * NS_PER_S
ASKED_EVERY_NS = 250 * NS_PER_MS
WARNING, INFO = 30, 20


class SubFeed:
    """Frames of the sub-stream, handed on in a thread of their own. demand: what is asked of it, and how its frames come."""

    def __init__(
        self, observer: Demander, open_source: Callable[[FrameConsumer], Source], clock: Clock, take: Callable[[Frame], None]
    ) -> None:
        self._take = take
        self._clock = clock
        self.demand = demand = SubDemand(observer, clock)
        # Spreads retries; keeps no secret.
        self._reconnector = Reconnector(lambda: open_source(demand), clock, random.random, self._notice)
        self._thread = threading.Thread(target=self._run, name="sub-stream", daemon=True)
        self._failed: BaseException | None = None
        self._packets, self._packet_ns, self._asked_ns = 0, -LOST_AFTER_NS, -ASKED_EVERY_NS

    def start(self) -> None:
        """Connect and go on until stopped."""
        self._thread.start()

    def stop(self) -> None:
        """No more frames within about a second."""
        self._reconnector.close()

    def join(self, seconds: float) -> None:
        """Wait for the thread's end."""
        self._thread.join(seconds)

    def statistics(self) -> SourceStatistics:
        """Counters over all connections so far."""
        return self._reconnector.statistics()

    def comes(self) -> bool:
        """Whether packets have come just now.

        Raises:
            Exception: what ended the thread, which is a defect, and the camera's whole pipeline is made anew.
        """
        if self._failed is not None:
            raise self._failed
        now_ns = self._clock.monotonic_ns()
        if now_ns - self._asked_ns >= ASKED_EVERY_NS:
            self._asked_ns = now_ns
            packets = self._reconnector.statistics().packets
            if packets != self._packets:
                self._packets, self._packet_ns = packets, now_ns
        return now_ns - self._packet_ns < LOST_AFTER_NS

    def _notice(self, link: Link) -> None:
        self.demand.begin()

    def _run(self) -> None:
        try:
            for frame in self._reconnector.frames():
                self._take(frame)
        except BaseException as error:  # noqa: BLE001 (handed to the camera's thread, which ends with it)
            self._failed = error


class SubStreamLog:
    """Which stream is watched, and why not the smaller one: a line whenever that changes."""

    def __init__(self, *, has_sub: bool) -> None:
        there = pipe_pb2.SUB_STREAM_NOT_WATCHED
        self.said: pipe_pb2.SubStream.ValueType = there if has_sub else pipe_pb2.SUB_STREAM_UNSPECIFIED

    def note(self, watched: Stream, *, skips: bool, refused: bool) -> pipe_pb2.Log | None:
        """The line to say, if any. skips: the main stream's keyframes stand alone. refused: both streams do not show the same."""
        now: pipe_pb2.SubStream.ValueType
        if watched is Stream.SUB:
            now = pipe_pb2.SUB_STREAM_WATCHED
        elif not skips:
            now = pipe_pb2.SUB_STREAM_NO_KEYFRAMES
        elif refused:
            now = pipe_pb2.SUB_STREAM_OTHER_PICTURE
        else:
            now = pipe_pb2.SUB_STREAM_NOT_WATCHED
        if now == self.said:
            return None
        self.said = now
        bad = now in (pipe_pb2.SUB_STREAM_OTHER_PICTURE, pipe_pb2.SUB_STREAM_NO_KEYFRAMES)
        return pipe_pb2.Log(level=WARNING if bad else INFO, code=pipe_pb2.LOG_CODE_SUB_STREAM, number=now)
