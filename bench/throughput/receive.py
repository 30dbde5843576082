"""Receives and decodes, and does nothing with it: what of the cost is not Privet's.

    python -m bench.throughput.receive URL CAMERAS [SUB_URL]      until it is killed; says `watching` once every source has given a picture

With a sub-stream, that one is decoded, and of the main stream a keyframe a minute.
"""

from __future__ import annotations

import sys
import threading

from privet.core.clock import SystemClock
from privet.ingest.frame_demand import Attention, Restless, Wants
from privet.ingest.open import open_source
from privet.ingest.source import SourceSettings


class Elsewhere(Restless):
    """Hardly looks."""

    wants = Wants.SELDOM


def watch(url: str, first: threading.Event, attention: Attention) -> None:
    """Every frame of one source, dropped."""
    for _ in open_source(SourceSettings(url), SystemClock(), attention).frames():
        first.set()


def main() -> None:
    """One thread a camera, as a worker has."""
    url, cameras, sub_urls = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    streams: list[tuple[str, Attention]] = [(url, Elsewhere() if sub_urls else Restless()), *((sub, Restless()) for sub in sub_urls)]
    threads = []
    for address, attention in streams * cameras:
        first = threading.Event()
        thread = threading.Thread(target=watch, args=(address, first, attention))
        thread.start()
        threads.append(thread)
        first.wait()
    print("watching", flush=True)
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
