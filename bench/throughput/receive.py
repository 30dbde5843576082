"""Receives and decodes, and does nothing with it: what of the cost is not Privet's.

    python -m bench.throughput.receive URL CAMERAS      until it is killed; says `watching` once every source has given a picture
"""

from __future__ import annotations

import sys
import threading

from privet.core.clock import SystemClock
from privet.ingest.open import open_source
from privet.ingest.source import SourceSettings


def watch(url: str, first: threading.Event) -> None:
    """Every frame of one source, dropped."""
    for _ in open_source(SourceSettings(url), SystemClock()).frames():
        first.set()


def main() -> None:
    """One thread a camera, as a worker has."""
    url, cameras = sys.argv[1], int(sys.argv[2])
    threads = []
    for _ in range(cameras):
        first = threading.Event()
        thread = threading.Thread(target=watch, args=(url, first))
        thread.start()
        threads.append(thread)
        first.wait()
    print("watching", flush=True)
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
