"""How many cameras a core can guard? `python -m bench.throughput --help`."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from itertools import product
from typing import Literal

import cv2
from demo.clip import Codec
from demo.encode import FootageMissingError
from demo.process import DemoError

from bench.privacy.tables import Json, aligned, said
from bench.throughput import peers
from bench.throughput.clips import MAIN_HEIGHTS_PX, SUB_HEIGHT_PX, Kind, clip
from bench.throughput.core import pinned, two_cores
from bench.throughput.place import known_place
from bench.throughput.process import answer_of, end_in_order
from bench.throughput.site import WINDOWS, Guarded, Used, cameras_on, guard, held, receive

Stream = Literal["main", "sub", "sub5"]
Part = Literal["streams", "peers", "memory", "queries", "latency", "day", "many", "more"]
KINDS: tuple[Kind, ...] = ("busy", "quiet")
PARTS: tuple[Part, ...] = ("streams", "peers", "memory", "queries", "latency", "day", "many", "more")
ASKED_FOR: tuple[Part, ...] = ("many", "more")      # left out unless they are
MODULES: dict[Part, str] = {"queries": "query_ms", "latency": "latency_ms", "day": "", "many": "many"}
"""Parts that are programs of their own, and where among the figures their answer stands; '': its keys are ours."""
MEMORY_OF = (1, 8, 32)
MORE: tuple[tuple[Codec, int], ...] = (("h265", 1080), ("h264", 720), ("h264", 2160), ("h265", 720), ("h265", 2160))
MORE_WINDOWS = 3            # twenty cases, and one takes three to six minutes
SUB_EVERY: dict[Stream, int] = {"sub": 1, "sub5": 3}
"""With a sub-stream, of fifteen pictures a second one in so many is sent in it; five a second are as many as are looked at."""
STREAMS: tuple[Stream, ...] = ("main", "sub", "sub5")
MORE_STREAMS: tuple[Stream, ...] = ("main", "sub")


def main() -> int:
    """Measure; exit status 0, or 2 if not all could be measured: what was is said in any case, for it takes an hour."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.throughput",
        description="CPU time a second of stream, over RTSP/TCP on the loopback; the cameras are on another core.",
    )
    parser.add_argument("--height", type=int, choices=MAIN_HEIGHTS_PX, default=1080, help="of the main stream, pixels")
    parser.add_argument("--codec", choices=("h264", "h265"), default="h264")
    parser.add_argument("--cameras", type=int, default=4, metavar="N", help="at once")
    parser.add_argument("--only", choices=KINDS, help="one of the two clips")
    parser.add_argument(
        "--stream", choices=STREAMS,
        help="watch the main stream, or a sub-stream of 640 x 360 beside it, of 15 pictures a second (sub) or of 5 (sub5); by default each",
    )
    parser.add_argument(
        "--parts", choices=PARTS, nargs="+", default=[part for part in PARTS if part not in ASKED_FOR], metavar="PART",
        help=f"of {', '.join(PARTS)}; by default all but sixty cameras at once, and H.265 and the other sizes: the last two",
    )
    parser.add_argument("--json", action="store_true", help="for machines, on standard output")
    options = parser.parse_args()
    end_in_order()
    kinds, streams = [options.only] if options.only else KINDS, [options.stream] if options.stream else STREAMS
    result: Json = {"height_px": options.height, "codec": options.codec, "cameras": options.cameras}
    try:
        measure(result, options.height, options.codec, options.cameras, kinds, streams, options.parts)
    except (FootageMissingError, DemoError, RuntimeError, ValueError) as error:
        print(f"bench.throughput: {error}", file=sys.stderr)
        return 2
    finally:
        print(f"\n{table(result)}", file=sys.stderr if options.json else sys.stdout)
        if options.json:
            json.dump(result, sys.stdout, indent=2)
            print(flush=True)
    return 0


def measure(
    out: Json, height_px: int, codec: Codec, cameras: int, kinds: Sequence[Kind], streams: Sequence[Stream], parts: Sequence[Part]
) -> None:
    """All figures, by clip and stream, and the parts that are of no stream. They are put into `out` as they come."""
    measured, _ = two_cores()
    privet_cpu = 0.0
    for kind in kinds if "streams" in parts else ():
        by_stream: Json = {}
        out[kind] = by_stream
        for stream in streams:
            by_stream[stream] = each = of_stream(kind, stream, height_px, codec, cameras)
            if (kind, stream) == ("busy", "main"):
                privet_cpu = float(str(each["privet"]))
    if "peers" in parts and privet_cpu:
        said_to("peers")
        footage = clip("busy", height_px, codec)
        cv2.setNumThreads(1)
        with pinned(measured):
            costs = {"mog2": peers.mog2(footage), "deface": peers.deface(footage)}
        out["peers"] = {name: {"cpu": round(cost, 4), "speedup": round(cost / privet_cpu, 1)} for name, cost in costs.items()}
    if "memory" in parts:
        out["memory_mb_per_camera"] = memory()
    for part, key in MODULES.items():
        if part in parts:
            said_to(part)
            loaded_by = ["--cpu", str(privet_cpu)] if part == "latency" and privet_cpu else []
            answer = answer_of(f"bench.throughput.{part}", "--json", *loaded_by)
            out |= {key: answer} if key else answer
    if "more" in parts:
        more: Json = {}
        out["more"] = more
        for name, height in MORE:
            at_once = max(1, min(cameras, cameras * 1080**2 // height**2))     # 4K would be more than a core holds while being proven
            for kind, stream in product(kinds, [each for each in streams if each in MORE_STREAMS]):
                more[f"{kind} {stream} {height} {name}"] = of_stream(kind, stream, height, name, at_once, MORE_WINDOWS)


def of_stream(kind: Kind, stream: Stream, height_px: int, codec: Codec, cameras: int, windows: int = WINDOWS) -> Json:
    """What one kind of camera costs: received only, while it is being proven, and settled, with its stages."""
    measured, other = two_cores()
    footage = clip(kind, height_px, codec)
    sub = clip(kind, SUB_HEIGHT_PX, codec, SUB_EVERY[stream]) if stream in SUB_EVERY else None
    said_to(f"{kind} {stream} {height_px} {codec}: the place, known from the quiet clip")
    known = known_place(height_px)
    with cameras_on(other, footage, sub) as (url, sub_url):
        rate = sum(each.bits_per_second for each in (footage, sub) if each is not None)
        said_to(f"{kind} {stream}: {rate / 1e6:.2f} Mbit/s; receiving only")
        bare = receive(url, sub_url, cameras, measured, windows)
        said_to(f"{kind} {stream}: proving")
        proving = guard(url, sub_url, cameras, measured, "proving", windows=windows)
        said_to(f"{kind} {stream}: settled")
        settled = guard(url, sub_url, cameras, measured, "settled", known, windows)
        said_to(f"{kind} {stream}: stages")
        parts = in_parts(known, url, sub_url, measured)
    parts["write"] = round(settled.main_cpu * 1000 / float(footage.fps), 4)
    return {"cameras": cameras, "bits_per_second": round(rate), **figures(bare, proving, settled), "stages": parts}


def in_parts(known: bytes, url: str, sub_url: str | None, core: int) -> Json:
    """Milliseconds of CPU a frame, by stage, settled."""
    with tempfile.NamedTemporaryFile() as state:
        state.write(known)
        state.flush()
        with pinned(core):
            return answer_of("bench.throughput.stages", state.name, url, *([sub_url] if sub_url else []))


def memory() -> Json:
    """Proportional set size of the workers a camera, quiet 1080p, for so many cameras."""
    measured, other = two_cores()
    said_to("memory: the place")
    known = known_place(1080)
    with cameras_on(other, clip("quiet", 1080)) as (url, _):
        out: Json = {}
        for cameras in MEMORY_OF:
            said_to(f"memory of {cameras}")
            out[str(cameras)] = round(held(url, cameras, measured, known), 1)
    return out


def said_to(words: str) -> None:
    """Where it is, on standard error."""
    print(words, file=sys.stderr, flush=True)


def figures(bare: Used, proving: Guarded, settled: Guarded) -> Json:
    """Under the names of docs/ref/throughput-bench.md."""
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
        "looks_per_second_proving": round(proving.looks_per_second, 3),
        "settled": settled.settled,
        "proven_share": round(settled.proven_share, 4),
        "memory_mb_per_camera": round(settled.memory_mb, 1),
        "main_process": round(settled.main_cpu, 4),
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
    if not columns:
        return json.dumps(result, indent=2)
    names = [name for name in next(iter(columns.values())) if name != "stages"]
    rows = [["", *columns], *([name, *(said(column[name]) for column in columns.values())] for name in names)]
    others = result.get("peers")
    if isinstance(others, dict):
        rows += [[f"{name}: times the CPU", *(str(each["speedup"]) for _ in columns)] for name, each in others.items()]
    return aligned(rows)


if __name__ == "__main__":
    sys.exit(main())
