"""A camera's sub-stream beside its main stream: a link and a thread of its own, for as long as the camera is watched.

Belongs here: keeping the sub-stream connected, and knowing whether it comes. Does not belong here: what its frames say (scene), what is
told of them (camera).
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

from privet.core.clock import NS_PER_MS, NS_PER_S, Clock
from privet.core.frame import Frame
from privet.ingest.frame_demand import Attention
from privet.ingest.reconnect import Link, Reconnector
from privet.ingest.source import Source, SourceStatistics
from privet.worker.camera.frame_demand import SubVigil, Watched

LOST_AFTER_NS = 2 * NS_PER_S
ASKED_EVERY_NS = 250 * NS_PER_MS


class SubFeed:
    """Frames of the sub-stream, handed on in a thread of their own; `vigil` says whether they come late or from sleep."""

    def __init__(self, observer: Watched, open_source: Callable[[Attention], Source], clock: Clock, take: Callable[[Frame], None]) -> None:
        self._take = take
        self._clock = clock
        self.vigil = vigil = SubVigil(observer, clock)
        # Spreads retries; keeps no secret.
        self._link = Reconnector(lambda: open_source(vigil), clock, random.random, self._notice)
        self._thread = threading.Thread(target=self._run, name="sub-stream", daemon=True)
        self._failed: BaseException | None = None
        self._packets, self._packet_ns, self._asked_ns = 0, -LOST_AFTER_NS, -ASKED_EVERY_NS

    def start(self) -> None:
        """Connect and go on until stopped."""
        self._thread.start()

    def stop(self) -> None:
        """No more frames within about a second."""
        self._link.close()

    def join(self, seconds: float) -> None:
        """Wait for the thread's end."""
        self._thread.join(seconds)

    def statistics(self) -> SourceStatistics:
        """Counters over all connections so far."""
        return self._link.statistics()

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
            packets = self._link.statistics().packets
            if packets != self._packets:
                self._packets, self._packet_ns = packets, now_ns
        return now_ns - self._packet_ns < LOST_AFTER_NS

    def _notice(self, link: Link) -> None:
        self.vigil.begin()

    def _run(self) -> None:
        try:
            for frame in self._link.frames():
                self._take(frame)
        except BaseException as error:  # noqa: BLE001 (handed to the camera's thread, which ends with it)
            self._failed = error
