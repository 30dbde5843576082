"""How many cameras a core can guard? `python -m bench.throughput --help`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Literal

import cv2
from demo.clip import Codec
from demo.encode import FootageMissingError
from demo.process import DemoError

from bench.privacy.tables import Json, aligned, said
from bench.throughput import peers
from bench.throughput.clips import MAIN_HEIGHTS_PX, SUB_HEIGHT_PX, Kind, clip
from bench.throughput.core import pinned, two_cores
from bench.throughput.site import Guarded, Used, cameras_on, guard, receive

Stream = Literal["main", "sub"]
KINDS: tuple[Kind, ...] = ("busy", "quiet")
STREAMS: tuple[Stream, ...] = ("main", "sub")


def main() -> int:
    """Measure; exit status 0, or 2 if it could not be measured."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.throughput",
        description="CPU time a second of stream, over RTSP/TCP on the loopback; the cameras are on another core.",
    )
    parser.add_argument("--height", type=int, choices=MAIN_HEIGHTS_PX, default=1080, help="of the main stream, pixels")
    parser.add_argument("--codec", choices=("h264", "h265"), default="h264")
    parser.add_argument("--cameras", type=int, default=4, metavar="N", help="at once")
    parser.add_argument("--only", choices=KINDS, help="one of the two clips")
    parser.add_argument("--stream", choices=STREAMS, help="watch the main stream, or a sub-stream of 640 x 360 beside it; by default both")
    parser.add_argument("--no-peers", action="store_true", help="without MOG2 and deface")
    parser.add_argument("--json", action="store_true", help="for machines, on standard output")
    options = parser.parse_args()
    try:
        kinds, streams = [options.only] if options.only else KINDS, [options.stream] if options.stream else STREAMS
        result = measure(options.height, options.codec, options.cameras, kinds, streams, not options.no_peers)
    except (FootageMissingError, DemoError, RuntimeError, ValueError) as error:
        print(f"bench.throughput: {error}", file=sys.stderr)
        return 2
    print(f"\n{table(result)}", file=sys.stderr if options.json else sys.stdout)
    if options.json:
        json.dump(result, sys.stdout, indent=2)
        print()
    return 0


def measure(
    height_px: int, codec: Codec, cameras: int, kinds: Sequence[Kind], streams: Sequence[Stream], with_peers: bool
) -> Json:
    """All figures, by clip and stream."""
    measured, other = two_cores()
    out: Json = {"height_px": height_px, "codec": codec, "cameras": cameras}
    for kind in kinds:
        footage = clip(kind, height_px, codec)
        by_stream: Json = {}
        out[kind] = by_stream
        privet_cpu = 0.0
        for stream in streams:
            sub = clip(kind, SUB_HEIGHT_PX, codec) if stream == "sub" else None
            with cameras_on(other, footage, sub) as (url, sub_url):
                rate = sum(each.bits_per_second for each in (footage, sub) if each is not None)
                print(f"{kind} {stream}: {rate / 1e6:.2f} Mbit/s; receiving only", file=sys.stderr, flush=True)
                bare = receive(url, sub_url, cameras, measured)
                print(f"{kind} {stream}: proving", file=sys.stderr, flush=True)
                proving = guard(url, sub_url, cameras, measured, "proving")
                print(f"{kind} {stream}: settled", file=sys.stderr, flush=True)
                settled = guard(url, sub_url, cameras, measured, "settled")
            by_stream[stream] = {"bits_per_second": round(rate), **figures(bare, proving, settled)}
            privet_cpu = privet_cpu or settled.used.cpu
        if kind == "busy" and with_peers and "main" in streams:
            print("peers", file=sys.stderr, flush=True)
            cv2.setNumThreads(1)
            with pinned(measured):
                costs = {"mog2": peers.mog2(footage), "deface": peers.deface(footage)}
            out["peers"] = {name: {"cpu": round(cost, 4), "speedup": round(cost / privet_cpu, 1)} for name, cost in costs.items()}
    return out


def figures(bare: Used, proving: Guarded, settled: Guarded) -> Json:
    """Under the names of docs/design/throughput-bench.md."""
    return {
        "decode_only": round(bare.cpu, 4),
        "decode_only_range": [round(bare.least, 4), round(bare.most, 4)],
        "privet": round(settled.used.cpu, 4),
        "privet_range": [round(settled.used.least, 4), round(settled.used.most, 4)],
        "cpu_ratio": round(settled.used.cpu / bare.cpu, 3),
        "cameras_per_core": round(1 / settled.used.cpu, 1),
        "privet_proving": round(proving.used.cpu, 4),
        "cpu_ratio_proving": round(proving.used.cpu / bare.cpu, 3),
        "cameras_per_core_proving": round(1 / proving.used.cpu, 1),
        "proven_share": round(settled.proven_share, 4),
        "memory_mb_per_camera": round(settled.memory_mb, 1),
        "recorded_bytes_per_second": round(settled.recorded_bytes_per_second),
        "received_bytes_per_second": round(settled.received_bytes_per_second),
        "covers_dropped": settled.dropped,
        "looks_per_second": round(settled.looks_per_second, 3),
        "left_out_share": round(settled.left_out_share, 3),
        "watched_by_sub_stream": settled.on_sub,
    }


def table(result: Json) -> str:
    """A row a figure, a column a clip."""
    columns = {
        f"{kind} {stream}": each[stream]
        for kind in KINDS for stream in STREAMS if isinstance(each := result.get(kind), dict) and stream in each
    }
    names = list(next(iter(columns.values())))
    rows = [["", *columns], *([name, *(said(column[name]) for column in columns.values())] for name in names)]
    others = result.get("peers")
    if isinstance(others, dict):
        rows += [[f"{name}: times the CPU", *(str(each["speedup"]) for _ in columns)] for name, each in others.items()]
    return aligned(rows)


if __name__ == "__main__":
    sys.exit(main())
