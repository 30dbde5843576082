"""How a wall of cameras does in a browser: `python -m bench.wall --help`."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tests.e2e.browser import missing

from bench.privacy.tables import Json, aligned, said
from bench.wall.browser import BrowserError, look
from bench.wall.house import House, running
from bench.wall.scenes import PLACES, cameras, picture
from bench.wall.year import YEAR_S, fill

WIDTH_PX, HEIGHT_PX = 1920, 1080
BUSY_SHARE = 0.25
WITHIN_S = 120.0
WANTED: dict[str, float] = {"frame_ms_p95": 20.0, "memory_mb": 1000.0, "megabits_per_second": 2.0, "year_shown_ms": 1000.0}


def main() -> int:
    """Measure; exit status 0, 1 if what is asked for was not met, or 2 if it could not be measured."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.wall",
        description="The real server with cameras that the bench tells it of, the real wall in Chromium without a graphics card.",
    )
    parser.add_argument("--cameras", type=int, default=100, metavar="N", help="on the wall")
    parser.add_argument("--busy", type=float, default=BUSY_SHARE, metavar="SHARE", help="of them with people walking, five covers a second")
    parser.add_argument("--seconds", type=int, default=20, help="measured, once all is painted")
    parser.add_argument("--only", choices=("wall", "year"), help="one of the two")
    parser.add_argument("--json", action="store_true", help="for machines, on standard output")
    options = parser.parse_args()
    if why := missing():
        print(f"bench.wall: {why}", file=sys.stderr)
        return 2
    try:
        result = asyncio.run(measure(options.cameras, options.busy, options.seconds, options.only))
    except (BrowserError, TimeoutError) as error:
        print(f"bench.wall: {error}", file=sys.stderr)
        return 2
    print(table(result), file=sys.stderr if options.json else sys.stdout)
    if options.json:
        json.dump(result, sys.stdout, indent=2)
        print()
    return 1 if missed(result) else 0


async def measure(count: int, busy_share: float, seconds: int, only: str | None, days: int = 365) -> Json:
    """All figures. days: how many the year has."""
    out: Json = {"cameras": count, "busy": sum(camera.busy for camera in cameras(count, busy_share)), "seconds": seconds}
    if only != "year":
        out |= await measure_wall(count, busy_share, seconds)
    if only != "wall":
        out |= await measure_year(days)
    return out


async def measure_wall(count: int, busy_share: float, seconds: int) -> Json:
    for number in range(min(PLACES, count)):  # before anything is timed
        picture(number)
    with tempfile.TemporaryDirectory() as directory:
        async with running(Path(directory), cameras(count, busy_share)) as house:
            job: Json = {
                "look": "wall", "url": house.url, "cookie": house.cookie, "cameras": count, "seconds": seconds,
                "width": WIDTH_PX, "height": HEIGHT_PX,
            }  # fmt: skip
            looked = await look(job, lambda: house.counted.sent_bytes, WITHIN_S + seconds)
            latest_feed_s, made_small_s = house.latest_feed_s, house.made_small_s
    seen, readings = looked.seen, looked.readings
    begun, done = readings["measuring"], readings["measured"]
    rate = (done.sent_bytes - begun.sent_bytes) * 8 / (done.at_s - begun.at_s)
    return {
        "made_small_s": round(made_small_s, 2),
        "tiles_in_view": seen.inView,
        "painted_s": round(seen.paintedMs / 1000, 2),
        "initial_megabytes": round((readings["painted"].sent_bytes - readings["opening"].sent_bytes) / 1e6, 2),
        "frames_per_second": round(1000 / float(np.mean(seen.frameMs)), 1),
        **percentiles("frame_ms", seen.frameMs),
        **percentiles("called_ms", seen.calledMs),
        **percentiles("work_ms", seen.workMs),
        "main_thread_share": round(sum(seen.workMs) / sum(seen.calledMs), 3),
        "memory_mb": round(max(readings["settled"].memory_mb, done.memory_mb)),
        "memory_peak_mb": round(looked.peak_mb),
        "megabits_per_second": round(rate / 1e6, 3),
        "told_late_ms": round(latest_feed_s * 1000),
        "problems": seen.problems,
    }


async def measure_year(days: int) -> Json:
    with tempfile.TemporaryDirectory() as directory:
        async with running(Path(directory), cameras(1, 0.0)) as house:
            begun_s = time.monotonic()
            rows = await asyncio.to_thread(fill, Path(directory) / "data", house.cameras[0], time.time_ns(), days)
            print(f"a year of rows: {rows}, {time.monotonic() - begun_s:.0f} s", file=sys.stderr, flush=True)
            await asyncio.to_thread(_ask, house)
            job: Json = {
                "look": "year", "url": house.url, "cookie": house.cookie, "camera": house.cameras[0], "spanMs": YEAR_S * 1000,
                "width": WIDTH_PX, "height": HEIGHT_PX,
            }  # fmt: skip
            seen = (await look(job, lambda: house.counted.sent_bytes, WITHIN_S)).seen
    return {
        "year_rows": rows,
        "year_shown_ms": round(seen.shownMs),
        "year_answer_ms": round(seen.answerMs),
        "year_answer_kilobytes": round(seen.answerBytes / 1000),
        "year_problems": seen.problems,
    }


def _ask(house: House) -> None:
    """What is asked for has been asked for before: the house has run for a while."""
    request = urllib.request.Request(f"{house.url}/api/cameras", headers={"Cookie": "=".join(house.cookie)})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        answer.read()


def percentiles(name: str, values: Sequence[float]) -> Json:
    """Median and the 95th and 99th of a hundred."""
    return {f"{name}_p{part}": round(float(np.percentile(values, part)), 2) for part in (50, 95, 99)}


def missed(result: Json) -> list[str]:
    """What was measured and is more than asked for, and whatever went wrong in the page."""
    found = [name for name, most in WANTED.items() if isinstance(value := result.get(name), int | float) and value > most]
    return found + [name for name in ("problems", "year_problems") if result.get(name)]


def table(result: Json) -> str:
    """A row a figure, what is asked for beside it."""
    rows = [["", "measured", "asked for"]]
    for name, value in result.items():
        rows.append([name, said(value), said(WANTED[name]) if name in WANTED else ""])
    return aligned(rows)


if __name__ == "__main__":
    sys.exit(main())
