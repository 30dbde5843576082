"""What a camera's day takes on the disk: `python -m bench.throughput.day --help`.

Belongs here: telling and recording a day on a simulated clock. Does not belong here: what is seen in it (track, daylight).

What an analyst saw of the bench's clips, offline, is told by the real encoder and written by the real recorder, with all that a day has:
heartbeats once a second, the state, light and background that every hour's file begins with, summaries.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from demo.encode import FootageMissingError
from numpy.typing import NDArray

from bench.privacy.tables import Json
from bench.throughput.clips import Kind
from bench.throughput.daylight import gains
from bench.throughput.process import say_figures
from bench.throughput.queries import Unhurried
from bench.throughput.track import BUSY_TIMES, SLICE_S, STARTS_NS, Told, Track, busy_track, kept, quiet_track
from privet.core.clock import NS_PER_MS, NS_PER_S, FakeClock
from privet.core.errors import PrivetError
from privet.core.grid import BoolGrid
from privet.core.ids import CameraId
from privet.core.pb import scene_pb2 as pb
from privet.core.scene import Scene
from privet.core.wire import to_message
from privet.record.recorder import RecorderCore, RecordSettings
from privet.record.recording import BLOCK_INDEX_SUFFIX, SUFFIX, SUMMARY_SUFFIX, TOPICS, RecordingInfo
from privet.scene.proof.promote import ProvenBackground, restore
from privet.scene.state_format import StoredScene
from privet.worker.camera.scene_encoder import SceneEncoder, Seen

CAMERA = CameraId("yard")
DAY_NS = 86_400 * NS_PER_S
NOON_NS = 12 * 3600 * NS_PER_S
HOUR_NS = 3600 * NS_PER_S
COVERS_PER_SECOND = 5
HEARTBEAT_AFTER_NS = 500 * NS_PER_MS    # the full second
LATE_NS = 30 * NS_PER_MS                # a message, after its frame
FILES = {"recordings": SUFFIX, "summaries": SUMMARY_SUFFIX, "places": BLOCK_INDEX_SUFFIX}
Light = tuple[NDArray[np.uint8], NDArray[np.uint8]]


def main() -> int:
    """Measure; exit status 0, or 2 if it could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.throughput.day", description=(__doc__ or "").partition(":")[0] + ".")
    parser.add_argument("--hours", type=float, default=24.0, help="from midnight on; less is for trying it out")
    parser.add_argument("--json", action="store_true", help="for machines, on standard output")
    options = parser.parse_args()
    cannot = (FootageMissingError, PrivetError, ValueError)
    return say_figures(
        "bench.throughput.day", lambda: day_figures(round(options.hours * HOUR_NS)), as_json=options.json, cannot=cannot,
    )


def day_figures(to_ns: int = DAY_NS) -> Json:
    """Under the names of docs/ref/throughput-bench.md.

    Raises:
        FootageMissingError: the demo's footage is not installed.
        DetectorError: a detector does not load.
    """
    _say("looking at the busy clip, unless that is kept from before")
    busy = kept("busy", busy_track)
    _say("looking at a quiet day, unless that is kept from before")
    quiet = kept("quiet", lambda: quiet_track(busy.known))
    again_from_ns = busy.duration_ns // BUSY_TIMES * (BUSY_TIMES - 1)
    _say("recording a busy day")
    details: dict[Kind, Json] = {
        "busy": of_day(busy, to_ns, lambda from_ns, until_ns: under_daylight(looped(busy, again_from_ns, from_ns, until_ns)))
    }
    _say("recording a quiet day")
    details["quiet"] = of_day(quiet, to_ns, lambda from_ns, until_ns: hourly(quiet, SLICE_S * NS_PER_S, from_ns, until_ns))
    return {
        "recorded_bytes_per_second": {kind: each["bytes_per_second"] for kind, each in details.items()},
        "recorded_over_a_day": details,
    }


def of_day(track: Track, to_ns: int, told: Callable[[int, int], Iterator[Told]]) -> Json:
    """What a camera takes from midnight to `to_ns`. told: frames of the track in a span of the day."""
    day = record(told(0, to_ns), track, 0, to_ns)
    seconds = to_ns / NS_PER_S
    from_ns = min(NOON_NS, max(to_ns - HOUR_NS, 0))
    span_ns = min(HOUR_NS, to_ns)
    whole = record(told(from_ns, from_ns + span_ns), track, from_ns, span_ns).size_bytes
    without = {kind: record(told(from_ns, from_ns + span_ns), track, from_ns, span_ns, kind).size_bytes for kind in TOPICS}
    return {
        "bytes_per_second": round(day.size_bytes / seconds, 1),
        **{f"{name}_per_second": round(size / seconds, 2) for name, size in day.files.items()},
        "messages_a_second": {kind: round(count / seconds, 3) for kind, count in day.messages.items() if count},
        "backgrounds": day.backgrounds,
        "background_bytes": day.background_bytes,
        "bytes_per_second_by_kind": {
            kind: round((whole - less) * NS_PER_S / span_ns, 1) for kind, less in without.items() if less != whole
        },
    }


# ---- what is told


def looped(track: Track, again_from_ns: int, from_ns: int, to_ns: int) -> Iterator[Told]:
    """The track's frames in [from_ns, to_ns): once, and then what comes from `again_from_ns` on, over and over.

    What was promoted is told once: proven is proven.
    """
    beginning = [told for told in track.frames if told.at_ns < again_from_ns]
    again = [told for told in track.frames if told.at_ns >= again_from_ns]
    once_ns = track.duration_ns - again_from_ns
    yield from (told for told in beginning if from_ns <= told.at_ns < to_ns)
    number = max((from_ns - again_from_ns) // once_ns, 0)
    while again_from_ns + number * once_ns < to_ns:
        yield from _in_time(again, number * once_ns, from_ns, to_ns, again=number > 0)
        number += 1


def hourly(track: Track, slice_ns: int, from_ns: int, to_ns: int) -> Iterator[Told]:
    """The track's frames in [from_ns, to_ns), of which each hour has the first `slice_ns`: told until the hour is over."""
    for hour_ns in range(from_ns // HOUR_NS * HOUR_NS, to_ns, HOUR_NS):
        frames = [told for told in track.frames if hour_ns <= told.at_ns < hour_ns + slice_ns]
        for later_ns in range(0, HOUR_NS, slice_ns):
            yield from _in_time(frames, later_ns, from_ns, min(to_ns, hour_ns + HOUR_NS), again=later_ns > 0)


def _in_time(frames: Sequence[Told], later_ns: int, from_ns: int, to_ns: int, *, again: bool) -> Iterator[Told]:
    for told in frames:
        at_ns = told.at_ns + later_ns
        if from_ns <= at_ns < to_ns:
            yield replace(told, at_ns=at_ns, painted=None if again else told.painted)


def under_daylight(frames: Iterable[Told]) -> Iterator[Told]:
    """Put the day's light over that of the frames: said once a second at most, and if it is another than was said."""
    own: Light | None = None
    said: Light | None = None
    said_ns = -NS_PER_S
    for told in frames:
        own = told.light or own
        light: Light | None = None
        if own is not None and told.at_ns - said_ns >= NS_PER_S:
            now = brightened(own, gains(told.at_ns / NS_PER_S))
            if said is None or not all(np.array_equal(new, old) for new, old in zip(now, said, strict=True)):
                light = said = now
                said_ns = told.at_ns
        yield replace(told, light=light)


def brightened(light: Light, by: NDArray[np.float32]) -> Light:
    """A light's coded gains, multiplied: thirty-seconds of an octave. by: strips of the picture, as many as columns or times as many."""
    gain, offset = light
    of_column = by.reshape(gain.shape[1], -1).mean(axis=1)
    return np.clip(np.rint(gain + 32 * np.log2(of_column)), 0, 255).astype(np.uint8), offset


# ---- what is recorded


@dataclass(frozen=True, slots=True)
class Recorded:
    """Bytes on the disk by kind of file; how many messages of each kind were said; the largest background."""

    files: dict[str, int]
    messages: dict[str, int]
    backgrounds: int
    background_bytes: int

    @property
    def size_bytes(self) -> int:
        return sum(self.files.values())


class _Nobody:
    """The index, which is no part of this. Implements record.recording.Announce."""

    def opened(self, recording: RecordingInfo) -> None:
        """It is dropped."""

    def summarised(self, camera: CameraId, summary: pb.Summary) -> None:
        """It is dropped."""

    def closed(self, recording: RecordingInfo) -> None:
        """It is dropped."""


def record(frames: Iterable[Told], track: Track, from_ns: int, span_ns: int, leave_out: str = "") -> Recorded:
    """Record so long of a camera on a simulated clock. from_ns: since midnight. leave_out: a kind of message that is not written."""
    said = dict.fromkeys(TOPICS, 0)
    largest = 0
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        clock = FakeClock(wall=STARTS_NS + from_ns, monotonic=from_ns)
        core = RecorderCore(directory, _Nobody(), clock, RecordSettings(), Unhurried())
        for at_ns, scenes in told_by_encoder(frames, track, from_ns, from_ns + span_ns):
            _advance(core, clock, at_ns)
            for message in map(to_message, scenes):
                kind = message.WhichOneof("kind")
                assert kind is not None
                said[kind] += 1
                largest = max(largest, message.ByteSize()) if kind == "background" else largest
                if kind != leave_out:
                    core.take(CAMERA, message)
        _advance(core, clock, from_ns + span_ns)
        core.close()
        paths = [path for path in directory.rglob("*") if path.is_file()]
        files = {kind: sum(path.stat().st_size for path in paths if path.suffix == suffix) for kind, suffix in FILES.items()}
        return Recorded(files, said, said["background"], largest)


def told_by_encoder(frames: Iterable[Told], track: Track, from_ns: int, to_ns: int) -> Iterator[tuple[int, Sequence[Scene]]]:
    """(when it reaches the recorder, what is said), in order: of each frame, and the heartbeat of each second."""
    waiting = np.zeros(track.known.grid.shape, np.bool_)
    for told in track.frames:
        if told.painted is not None and told.at_ns >= from_ns:
            waiting |= told.painted
    background = proven_but(track.known, waiting)
    encoder = SceneEncoder(1, NS_PER_S // COVERS_PER_SECOND)
    yield from_ns, encoder.begin(background, 0, STARTS_NS + from_ns, from_ns)
    beat_ns = from_ns + HEARTBEAT_AFTER_NS
    for told in frames:
        while beat_ns < told.at_ns + LATE_NS:
            yield beat_ns, [encoder.heartbeat(background, 0, STARTS_NS + beat_ns)]
            beat_ns += NS_PER_S
        if told.painted is not None:
            waiting &= ~told.painted
            background = proven_but(track.known, waiting)
        seen = Seen(
            STARTS_NS + told.at_ns, told.at_ns, told.condition, told.reason, told.cover, told.light, told.painted, new_grid=False
        )
        yield told.at_ns + LATE_NS, encoder.tell(seen, background, 0)
    while beat_ns < to_ns:
        yield beat_ns, [encoder.heartbeat(background, 0, STARTS_NS + beat_ns)]
        beat_ns += NS_PER_S


def proven_but(known: StoredScene, waiting: BoolGrid) -> ProvenBackground:
    """The place as it was known before some blocks were promoted."""
    background = ProvenBackground(known.grid, known.matrix)
    restore(background, known.planes, known.proven & ~waiting, known.proven_wall_ns)
    return background


def _advance(core: RecorderCore, clock: FakeClock, to_ns: int) -> None:
    """Let the time go by until `to_ns` since midnight, and the recorder do what is due meanwhile."""
    due_ns = core.tick()
    while due_ns < to_ns:
        clock.advance(max(due_ns - clock.monotonic_ns(), NS_PER_MS))
        due_ns = core.tick()
    clock.advance(max(to_ns - clock.monotonic_ns(), 0))


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
