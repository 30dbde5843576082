"""How long "when was something in this polygon?" takes. `python -m bench.throughput.queries --help`.

Belongs here: weeks of recordings as a site has them, and the question asked as the API asks it. Does not belong here: the answer
(privet.record.block_index), HTTP.

One day of one 1080p camera is recorded by the real recorder on a simulated clock: heartbeats all the time, and from 8 to 12 UTC people
who walk across, half of the time somebody. Every later day is that day's summaries moved by so many days, written by the same
functions and entered in the same index: the recorder takes ten seconds for a day, and no question knows that days are alike.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.privacy.tables import Json
from bench.throughput.keep import CACHE
from bench.throughput.process import say_figures
from privet.api.covered.adapter import ArchivedCovers
from privet.api.covered.routes import answer
from privet.api.parameters import Span
from privet.core.clock import NS_PER_S, FakeClock
from privet.core.grid import Grid, pack_bits
from privet.core.ids import CameraId
from privet.core.pb import scene_pb2 as pb
from privet.core.polygon import Polygon
from privet.index.index import Index, index_url
from privet.main.announce import IndexAnnounce
from privet.record.archive import Archive
from privet.record.block_index import MAGIC, BlockIndexWriter
from privet.record.disk import LocalDisk, OutFile
from privet.record.recorder import RecorderCore, RecordSettings
from privet.record.recording import RecordingInfo, block_index_path, recording_path, summary_path
from privet.record.store import DirectoryStore
from privet.record.summary import SLOT_NS, decode_summaries, encode_summary

CAMERA = CameraId("yard")
START_NS = 1_714_521_600 * NS_PER_S  # 2024-05-01 00:00 UTC
DAY_NS = 86_400 * NS_PER_S
WEEK_NS = 7 * DAY_NS
HOUR_NS = 3600 * NS_PER_S
DAYS = 100
RECIPE = 1                       # raise it when the way of making the hundred days changes
BUSY_HOURS = range(8, 12)
STEP_NS = 2 * NS_PER_S           # between heartbeats, and between covers, each of which is what two seconds of covers come to
GRID = Grid(1920, 1080, 8, 1)
WALK_BLOCKS = 20.0               # in STEP_NS, of somebody 12 blocks tall
COLD_REPEATS, WARM_REPEATS = 5, 9
POLYGONS = {
    "door": Polygon(((0.48, 0.5), (0.52, 0.5), (0.52, 0.56), (0.48, 0.56))),
    "bay": Polygon(((0.12, 0.5), (0.37, 0.43), (0.43, 0.86), (0.09, 0.93))),
    "everything": Polygon(((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))),
}


def main() -> int:
    """Measure; exit status 0."""
    parser = argparse.ArgumentParser(prog="python -m bench.throughput.queries", description=(__doc__ or "").partition(".")[0])
    parser.add_argument("--json", action="store_true", help="for machines, on standard output")
    options = parser.parse_args()
    return say_figures("bench.throughput.queries", query_figures, as_json=options.json)


def query_figures() -> Json:
    """Milliseconds by span and polygon, cold and warm, under the names of docs/ref/throughput-bench.md."""
    directory = hundred_days()
    os.sync()
    spans = {"camera_week": Span(START_NS, START_NS + WEEK_NS), "hundred_camera_days": Span(START_NS, START_NS + DAYS * DAY_NS)}
    out: Json = {}
    for span_name, span in spans.items():
        by_polygon = {polygon_name: _asked(directory, polygon, span) for polygon_name, polygon in POLYGONS.items()}
        worst = {key: max(each[key] for each in by_polygon.values()) for key in ("cold", "warm")}
        out[span_name] = {**worst, "by_polygon": by_polygon}
    return {**out, "bytes_an_hour": json.loads((directory / "sizes.json").read_text())}


def hundred_days() -> Path:
    """The data directory that is asked, recorded once and kept below .cache/."""
    told = (RECIPE, DAYS, STEP_NS, BUSY_HOURS, GRID, MAGIC, SLOT_NS)
    kept = CACHE / f"queries-{hashlib.sha256(repr(told).encode()).hexdigest()[:16]}"
    if kept.is_dir():
        return kept
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as name:
        directory = Path(name) / "data"
        directory.mkdir()
        index = Index.open(index_url(directory))
        try:
            _say("recording a day")
            record_day(directory, index)
            _say("moving it over a hundred days")
            sizes = copy_day(directory, index, DAYS)
        finally:
            index.close()
        (directory / "sizes.json").write_text(json.dumps(sizes.an_hour()))
        directory.rename(kept)
    return kept


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes of a day's files."""

    summaries: int
    places: int

    def an_hour(self) -> Json:
        return {"summaries": round(self.summaries / 24), "places": round(self.places / 24)}


def _asked(directory: Path, polygon: Polygon, span: Span) -> dict[str, float]:
    """Median of several; cold: files and index are not in memory, though the program is; warm: asked a moment ago."""

    def ask(covers: ArchivedCovers) -> float:
        began_s = time.perf_counter()
        answer(covers, CAMERA, span, polygon, 0, span.to_ns).model_dump_json()
        return 1000 * (time.perf_counter() - began_s)

    cold = []
    store = DirectoryStore(directory)
    for _ in range(COLD_REPEATS):
        _forget(directory)
        index = Index.open(index_url(directory))
        cold.append(ask(ArchivedCovers(index, Archive(store))))
        index.close()
    index = Index.open(index_url(directory))
    covers = ArchivedCovers(index, Archive(store))
    ask(covers)
    warm = [ask(covers) for _ in range(WARM_REPEATS)]
    found = answer(covers, CAMERA, span, polygon, 0, span.to_ns)
    index.close()
    return {
        "cold": round(statistics.median(cold), 1),
        "warm": round(statistics.median(warm), 1),
        "spans": len(found.spans),
        "something_share": round(found.something_ms / (found.to_ms - found.from_ms), 4),
    }


def _forget(directory: Path) -> None:
    """Ask the kernel to drop what it holds of these files in memory; it does so for what is on the disk already."""
    for path in directory.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


# ---- what is asked about


class Unhurried(LocalDisk):
    """A disk that is synced once, at the end."""

    def create(self, path: Path) -> OutFile:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _UnsyncedFile(path)


class _UnsyncedFile:
    def __init__(self, path: Path) -> None:
        self._file = path.open("xb", buffering=0)

    def append(self, data: bytes) -> None:
        self._file.write(data)

    def sync(self) -> None:
        pass

    def truncate(self, size_bytes: int) -> None:
        self._file.truncate(size_bytes)

    def close(self) -> None:
        self._file.close()


def record_day(directory: Path, index: Index, duration_ns: int = DAY_NS) -> None:
    """Record so long of `CAMERA` from START_NS on, with the recorder itself."""
    clock = FakeClock(wall=START_NS)
    rows: list[tuple[Callable[[RecordingInfo], None], RecordingInfo]] = []

    class Later(IndexAnnounce):
        """Density is not asked for, and ten seconds by ten seconds it takes the index minutes."""

        def opened(self, recording: RecordingInfo) -> None:
            rows.append((index.recording_opened, recording))

        def summarised(self, camera: CameraId, summary: pb.Summary) -> None:
            pass

        def closed(self, recording: RecordingInfo) -> None:
            rows.append((index.recording_closed, recording))

    core = RecorderCore(directory, Later(index), clock, RecordSettings(), Unhurried())
    for message in _stream(duration_ns):
        wall_ns = _wall_ns(message)
        if wall_ns > clock.wall:
            clock.advance(wall_ns - clock.wall)
            core.tick()
        core.take(CAMERA, message)
    core.close()
    for act, recording in rows:
        act(recording)


def copy_day(directory: Path, index: Index, days: int) -> Sizes:
    """Write what was recorded anew for every day until there are so many, with rows but without recordings."""
    day = index.recordings(CAMERA)
    read = [decode_summaries((directory / summary_path(row.path)).read_bytes())[0] for row in day]
    sizes = Sizes(
        sum((directory / summary_path(row.path)).stat().st_size for row in day),
        sum((directory / block_index_path(row.path)).stat().st_size for row in day),
    )
    for number in range(1, days):
        for row, summaries in zip(day, read, strict=True):
            from_ns = row.from_wall_ns + number * DAY_NS
            path = recording_path(CAMERA, from_ns, f"{number:08x}")
            writer, data = BlockIndexWriter(), bytearray()
            for summary in summaries:
                moved = pb.Summary()
                moved.CopyFrom(summary)
                moved.from_wall_ns += number * DAY_NS
                writer.add(moved)
                data += encode_summary(moved)
            (directory / summary_path(path)).parent.mkdir(parents=True, exist_ok=True)
            (directory / summary_path(path)).write_bytes(data)
            (directory / block_index_path(path)).write_bytes(writer.encode(len(data)))
            to_ns = (row.to_wall_ns or row.from_wall_ns) + number * DAY_NS
            index.recording_closed(RecordingInfo(CAMERA, path, from_ns, to_ns, 1, len(data), 1))
    return sizes


def _stream(duration_ns: int) -> Iterator[pb.SceneMessage]:
    random_ = random.Random(1)
    sequence = 0

    def head(wall_ns: int) -> pb.Head:
        nonlocal sequence
        sequence += 1
        return pb.Head(session=1, sequence=sequence, wall_ns=wall_ns)

    grid = pb.Grid(width_px=GRID.width_px, height_px=GRID.height_px, block_px=GRID.block_px, epoch=GRID.epoch)
    proven = b"\xff" * GRID.bitmap_bytes
    background = pb.Background(head=head(START_NS), grid=grid, proven=proven, format=pb.IMAGE_FORMAT_WEBP, image=bytes(1000))
    yield pb.SceneMessage(background=background)
    walkers: list[list[float]] = []
    for at_ns in range(START_NS, START_NS + duration_ns, STEP_NS):
        yield pb.SceneMessage(state=pb.State(head=head(at_ns), condition=pb.CONDITION_AWAKE, reason=pb.REASON_NONE, grid=grid))
        if at_ns % DAY_NS // HOUR_NS not in BUSY_HOURS:
            walkers.clear()
            continue
        if random_.random() < 0.07:  # somebody comes every half minute, and takes 24 seconds
            rightwards = random_.random() < 0.5
            walkers.append([0.0 if rightwards else GRID.columns, random_.uniform(40, 120), WALK_BLOCKS if rightwards else -WALK_BLOCKS])
        if walkers:
            yield pb.SceneMessage(cover=pb.Cover(head=head(at_ns), epoch=GRID.epoch, duration_ns=STEP_NS, bits=_cover(walkers, random_)))
            walkers = [walker for walker in walkers if 0 <= walker[0] <= GRID.columns]


def _cover(walkers: list[list[float]], random_: random.Random) -> bytes:
    """What a step's way of everybody covers together; they are a step further afterwards."""
    blocks = np.zeros(GRID.shape, np.bool_)
    for walker in walkers:
        from_x = walker[0]
        walker[0] += walker[2]
        walker[1] = min(max(walker[1] + random_.uniform(-4, 4), 12), GRID.rows - 1)
        left, right = max(int(min(from_x, walker[0])) - 2, 0), max(int(max(from_x, walker[0])) + 3, 0)
        blocks[int(walker[1]) - 12 : int(walker[1]), left:right] = True
    return pack_bits(blocks)


def _wall_ns(message: pb.SceneMessage) -> int:
    match message.WhichOneof("kind"):
        case "background":
            return message.background.head.wall_ns
        case "state":
            return message.state.head.wall_ns
        case _:
            return message.cover.head.wall_ns


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
