"""How late Privet is: from a packet's arrival to the message, and to the drawn pixel. `python -m bench.throughput.latency --help`.

Belongs here: both measurements, and the clip that tells the time by where something is. Does not belong here: starting a site (site).

*To the message* is Privet's own histogram of the time from a frame's arrival to its message leaving the worker, read from /metrics while a
core is loaded to about 70 %. Quantiles are interpolated within buckets.

*To the pixel*: in a proven place a white square appears for 0.8 s at a time, at one of six spots in turn, so that the spot tells which
frame it was. The RTSP server notes when it sent that frame, the page's own canvas is read in every animation frame, and both go by this
machine's clock. What it takes the frame to come over the loopback is part of the figure; what it takes a screen to light up is not.
"""

from __future__ import annotations

import argparse
import itertools
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import av
import numpy as np
from demo.clip import AccessUnit, Clip, read_clip, write_index
from demo.encode import CACHE, FootageMissingError, encode_pictures, yuv_picture
from demo.process import Api, DemoError
from demo.server import RtspServer
from pydantic import BaseModel, ConfigDict
from tests.e2e.browser import drive

from bench.privacy.tables import Json
from bench.throughput.clips import BITS_PER_SECOND, FPS, QUALITY, clip, planes, quiet_pictures
from bench.throughput.core import cpu_s, family, pinned, two_cores
from bench.throughput.place import known_place
from bench.throughput.process import say_figures
from bench.throughput.settling import SETTLED_FOR_S
from bench.throughput.site import cameras_apart, configuration, configuration_of, running
from privet.render.paint import COVER, COVER_UNPROVEN

HEIGHT_PX, WIDTH_PX = 1080, 1920
SQUARE_PX = 200
SPOTS = tuple((x, y) for y in (0.3, 0.7) for x in (0.2, 0.5, 0.8))   # of the squares' middles, fractions
EVENT_FRAMES, SHOWN_FRAMES = 22, 12     # 22 frames: an event's place among every third frame, which is looked at, goes round
EVENTS = 20                             # that are encoded
QUIET_TIMES, CODED_TIMES = 2, 3         # 60 s in which the place is proven, 88 s of squares
WHITE = (225, 128, 128)
LOOK_MS = 55_000
WITHIN_MS = 1200.0
PROOF_WITHIN_S = 75.0
LOAD = 0.7
WARM_S, MEASURED_S = 15.0, 25.0
PIXEL = Path(__file__).resolve().with_name("pixel.mjs")
BUCKET = re.compile(r'^privet_camera_latency_seconds_bucket\{[^}]*le="([^"]+)"[^}]*\} (\S+)$', re.MULTILINE)


class Change(BaseModel):
    """A spot of the canvas became covered, or ceased to be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    atMs: float     # noqa: N815 - as the script writes it
    spot: int
    covered: bool


class Seen(BaseModel):
    """What pixel.mjs saw."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    changes: list[Change]
    frames: int
    fromMs: float   # noqa: N815
    toMs: float     # noqa: N815
    problems: list[str]


def main() -> int:
    """Measure; exit status 0, or 2 if it could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.throughput.latency", description=(__doc__ or "").partition(".")[0])
    parser.add_argument("--cpu", type=float, default=0.09, metavar="SECONDS", help="a camera's, a second: how many make up the load")
    parser.add_argument("--only", choices=("message", "pixel"))
    parser.add_argument("--json", action="store_true", help="for machines, on standard output")
    options = parser.parse_args()
    cannot = (FootageMissingError, DemoError, RuntimeError, ValueError)
    return say_figures(
        "bench.throughput.latency", lambda: latency_figures(options.cpu, options.only), as_json=options.json, cannot=cannot,
    )


def latency_figures(cpu_a_camera: float = 0.09, only: str | None = None) -> Json:
    """Milliseconds, under the names of docs/ref/throughput-bench.md. cpu_a_camera: `privet` of the busy main stream.

    Raises:
        DemoError: Privet does not start, or proves nothing.
        RuntimeError: the browser could not be driven, or saw nothing.
    """
    out: Json = {}
    if only != "pixel":
        out["to_message"] = to_message(max(1, round(LOAD / cpu_a_camera)))
    if only != "message":
        out["to_pixel"] = to_pixel()
    return out


# ---- to the message


def to_message(cameras: int) -> Json:
    """So many cameras with the busy clip on one core, each in its known place and by a clock of its own."""
    measured, other = two_cores()
    known = known_place(HEIGHT_PX)
    with (
        cameras_apart(other, clip("busy", HEIGHT_PX), cameras) as urls,
        running(configuration_of([(url, None) for url in urls], "settled"), cameras, measured, known) as (privet, api, _),
    ):
        _await_pictures(api, cameras)
        time.sleep(WARM_S)
        pids, before = family(privet.process.pid), buckets(api.metrics())
        used_s, at_s = cpu_s(pids), time.monotonic()
        time.sleep(MEASURED_S)
        load = (cpu_s(pids) - used_s) / (time.monotonic() - at_s)
        counted = {bound: count - before.get(bound, 0.0) for bound, count in buckets(api.metrics()).items()}
    return {**quantiles(counted), "messages": round(max(counted.values())), "cameras": cameras, "load_of_core": round(load, 2)}


def buckets(metrics: str) -> dict[float, float]:
    """Cumulative counts by upper bound in milliseconds, of all cameras together, out of Prometheus' text."""
    found: dict[float, float] = {}
    for bound, count in BUCKET.findall(metrics):
        found[float(bound) * 1000] = found.get(float(bound) * 1000, 0.0) + float(count)
    return found


def quantiles(cumulative: Mapping[float, float]) -> dict[str, float]:
    """p50 and p95, milliseconds, linear within a bucket; beyond the last bound, that bound.

    Raises:
        ValueError: nothing was counted.
    """
    return {"p50": round(quantile(cumulative, 0.5), 1), "p95": round(quantile(cumulative, 0.95), 1)}


def quantile(cumulative: Mapping[float, float], share: float) -> float:
    """The value below which `share` of all lies, as `quantiles` says."""
    bounds = sorted(cumulative)
    if not bounds or cumulative[bounds[-1]] <= 0:
        raise ValueError("no latency was counted: no message left a worker meanwhile")
    wanted = share * cumulative[bounds[-1]]
    low, below = 0.0, 0.0
    for bound in bounds:
        if cumulative[bound] >= wanted:
            if bound == float("inf"):
                return low
            return low + (bound - low) * (wanted - below) / (cumulative[bound] - below)
        low, below = bound, cumulative[bound]
    return low


# ---- to the pixel


def to_pixel() -> Json:
    """One camera, its own page in Chromium on the other core."""
    measured, other = two_cores()
    source = coded_clip()
    with tempfile.TemporaryDirectory() as name:
        sent = Path(name) / "sent"
        server = RtspServer(
            [{"path": "/camera", "codec": "h264", "file": str(source.path), "start_seconds": 0.0, "sent": str(sent)}], Path(name)
        )
        try:
            with pinned(other):
                server.start()
            with running(configuration(server.url("/camera"), None, 1, "commissioning"), 1, measured) as (_, api, _):
                proven = _await_proof(api)
                url, token = api.login
                job: dict[str, object] = {
                    "url": url, "token": token, "camera": "c0", "spots": SPOTS, "forMs": LOOK_MS,
                    "colours": [list(COVER), list(COVER_UNPROVEN)],
                }
                with pinned(other):
                    seen = Seen.model_validate_json(drive(str(PIXEL), job, LOOK_MS / 1000 + 45))
        finally:
            server.stop()
        lates, missed = matched(appearances(sent.read_text(), QUIET_TIMES * len(clip("quiet", HEIGHT_PX).units)), seen)
    if len(lates) < 2:
        raise RuntimeError(f"of {missed + len(lates)} squares {len(lates)} were drawn; {seen.problems or 'nothing went wrong in the page'}")
    cuts = statistics.quantiles(lates, n=20, method="inclusive")
    return {
        "p50": round(statistics.median(lates), 1),
        "p95": round(cuts[-1], 1),
        "least": round(min(lates), 1),
        "most": round(max(lates), 1),
        "drawn": len(lates),
        "missed": missed,
        "spots": len({change.spot for change in seen.changes}),
        "page_frames_per_second": round(1000 * seen.frames / (seen.toMs - seen.fromMs), 1),
        "proven_share": round(proven, 3),
    }


def appearances(sent: str, first_coded: int) -> list[tuple[float, int]]:
    """(time in ms, spot) of every frame that first shows a square, out of the server's notes. first_coded: the first frame of all with one.

    The first square after the empty part is left out: the camera may be asleep by then, and an asleep camera is late by design.
    """
    found = []
    for line in sent.splitlines():
        number, wall_ns = (int(word) for word in line.split())
        event, frame = divmod(number - first_coded, EVENT_FRAMES)
        if frame == 0 and event > 0:
            found.append((wall_ns / 1e6, event % EVENTS % len(SPOTS)))
    return found


def matched(appeared: Sequence[tuple[float, int]], seen: Seen) -> tuple[list[float], int]:
    """How late each square was drawn, ms, and how many were not within WITHIN_MS; of those that the page looked at all the time.

    A spot that was never covered is one where nothing is proven: nothing is covered there by design, so it is left out.
    """
    lates, missed = [], 0
    works = {change.spot for change in seen.changes}
    for at_ms, spot in appeared:
        if spot not in works or not seen.fromMs <= at_ms <= seen.toMs - WITHIN_MS:
            continue
        later = [change.atMs - at_ms for change in seen.changes if change.covered and change.spot == spot]
        late = min((each for each in later if 0 <= each <= WITHIN_MS), default=None)
        if late is None:
            missed += 1
        else:
            lates.append(late)
    return lates, missed


def coded_clip() -> Clip:
    """The quiet clip, in which a place is proven, and then the same place with squares; encoded once and kept below .cache/."""
    quiet = clip("quiet", HEIGHT_PX)
    path = CACHE / f"throughput-coded-{QUIET_TIMES}-{CODED_TIMES}-{EVENT_FRAMES}-{SHOWN_FRAMES}-{SQUARE_PX}-{quiet.path.stem}.annexb"
    try:
        return read_clip(path)
    except FileNotFoundError:
        coded = encode_pictures(
            _coded(quiet_pictures(HEIGHT_PX)), path.with_suffix(".part.annexb"), FPS, "h264", BITS_PER_SECOND[HEIGHT_PX], quality=QUALITY
        )
        return _joined([quiet] * QUIET_TIMES + [coded] * CODED_TIMES, path)


def _joined(parts: Sequence[Clip], path: Path) -> Clip:
    """One after the other; every keyframe stands alone, so nothing need be encoded anew."""
    data, units = bytearray(), list[AccessUnit]()
    for part in parts:
        at, number = len(data), len(units)
        units += [AccessUnit(at + unit.offset_bytes, unit.size_bytes, unit.keyframe, number + unit.pts) for unit in part.units]
        data += part.path.read_bytes()
    path.write_bytes(data)
    whole = Clip(path, parts[0].codec, parts[0].width_px, parts[0].height_px, parts[0].fps, tuple(units))
    write_index(whole)
    return whole


def _coded(pictures: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
    for number, picture in enumerate(itertools.islice(pictures, EVENTS * EVENT_FRAMES)):
        event, frame = divmod(number, EVENT_FRAMES)
        if frame < SHOWN_FRAMES:
            yield _with_square(picture, SPOTS[event % len(SPOTS)])
        else:
            yield picture


def _with_square(picture: av.VideoFrame, spot: tuple[float, float]) -> av.VideoFrame:
    y, u, v = (np.array(plane) for plane in planes(picture))
    left, top = int(spot[0] * WIDTH_PX) - SQUARE_PX // 2, int(spot[1] * HEIGHT_PX) - SQUARE_PX // 2
    for plane, level, by in ((y, WHITE[0], 1), (u, WHITE[1], 2), (v, WHITE[2], 2)):
        plane[top // by : (top + SQUARE_PX) // by, left // by : (left + SQUARE_PX) // by] = level
    return yuv_picture(y, u, v)


# ---- both


def _await_proof(api: Api) -> float:
    """Until no more is proven for a while, or time is up; returns the share."""
    began_s = since_s = time.monotonic()
    share = 0.0
    while time.monotonic() - began_s < PROOF_WITHIN_S and (share < 0.2 or time.monotonic() - since_s < SETTLED_FOR_S / 3):
        time.sleep(1.0)
        now = min((camera["proven_share"] for camera in api.cameras()), default=0.0)
        if now > share + 0.01:
            share, since_s = now, time.monotonic()
    return share


def _await_pictures(api: Api, cameras: int) -> None:
    until_s = time.monotonic() + 60
    while time.monotonic() < until_s:
        if sum(camera["counters"]["frames_decoded"] > 0 for camera in api.cameras()) == cameras:
            return
        time.sleep(0.5)
    raise DemoError("not every camera sent pictures within a minute")


if __name__ == "__main__":
    sys.exit(main())
