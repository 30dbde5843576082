"""Receives and decodes, and does nothing with it: what of the cost is not Privet's.

    python -m bench.throughput.receive URL CAMERAS [SUB_URL]      until it is killed; says `watching` once every source has given a picture

With a sub-stream, that one is decoded, and of the main stream a keyframe a minute.
"""

from __future__ import annotations

import sys
import threading

from privet.core.clock import SystemClock
from privet.core.frame_demand import Wanted
from privet.ingest.frame_demand import EveryFrame, FrameConsumer
from privet.ingest.open import open_source
from privet.ingest.source import SourceSettings


class Elsewhere(EveryFrame):
    """Hardly looks."""

    def wants(self) -> Wanted:
        return Wanted.SELDOM


def watch(url: str, first: threading.Event, consumer: FrameConsumer) -> None:
    """Every frame of one source, dropped."""
    for _ in open_source(SourceSettings(url), SystemClock(), consumer).frames():
        first.set()


def main() -> None:
    """One thread a camera, as a worker has."""
    url, cameras, sub_urls = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    main = Elsewhere() if sub_urls else EveryFrame()
    streams: list[tuple[str, FrameConsumer]] = [(url, main), *((sub, EveryFrame()) for sub in sub_urls)]
    threads = []
    for address, consumer in streams * cameras:
        first = threading.Event()
        thread = threading.Thread(target=watch, args=(address, first, consumer))
        thread.start()
        threads.append(thread)
        first.wait()
    print("watching", flush=True)
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
