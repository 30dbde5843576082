"""What sleeping costs: ground-truth tracks that a camera which sleeps does not show although one that never does would, and how late.

    python -m bench.on_demand [--json]

The people of the footage are put one after the other into its empty place, in quiet footage, each alone and for five seconds, at two
sizes. The same stream is watched twice: every picture decoded, and as a quiet camera is decoded (privet.ingest.on_demand). A track
is missed if no picture of it is covered that is covered when all are decoded. Late: from a picture's arrival until it is decoded, in
stream time.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
from demo.clip import Clip, read_clip
from demo.encode import CACHE, FootageMissingError, encode_pictures

from bench.privacy.scenarios.cut import footage_key, footage_truth, pictures, walk
from bench.privacy.scenarios.stage import Actor, Stage, View, composed, people_at, plate_at, walking
from bench.privacy.tables import aligned, said
from bench.truth import Box, Truth, blocks_touched
from privet.core.clock import NS_PER_S, FakeClock
from privet.core.frame import Frame, Matrix
from privet.core.grid import BoolGrid, Grid
from privet.ingest.decode import FrameDecoder, Ticket, make_decoder
from privet.ingest.on_demand import OnDemandDecoder
from privet.scene.analyst import Analyst
from privet.scene.demand import is_due
from privet.scene.proof.step import Circumstances
from privet.scene.settings import AnalystSettings
from privet.scene.state_format import StoredScene
from privet.worker.camera.frame_demand import MainDemand

if TYPE_CHECKING:
    from privet.ingest.decode import AnyPacket

FPS = 10                    # the footage's own
GOP_S = 2
LEARN_S = 40.0              # quiet, before the first track
SHOWN_S = 5.0
BETWEEN_S = 18.5            # between two tracks: long enough to fall asleep, and no multiple of a GOP
QUALITY = 24
NOISE = 1.1                 # levels: what the footage's own pictures differ by where nothing moves, a second apart
COVERED_SHARE = 0.5         # of a person's blocks: then they are shown
PICTURES_A_COVER = FPS // round(AnalystSettings().covers_per_second)      # those between two looks are decoded for the second one's sake
VIEWS = {"near": View(0, 0, 768, 576, 1.0, 72), "far": View(0, 0, 768, 576, 0.5, 36)}


@dataclass(frozen=True, slots=True)
class Watched:
    """One way of decoding. shown: (track, frame) of people who are covered. late_s: of each picture with somebody in it."""

    shown: frozenset[tuple[int, int]]
    late_s: dict[int, float]
    decoded: int
    left_out: int
    slept: int


def cast(view: View) -> tuple[Actor, ...]:
    """Everybody in the footage, one after the other."""
    spans: dict[int, list[int]] = {}
    for number, boxes in footage_truth().items():
        for box in boxes:
            spans.setdefault(box.track, []).append(number)
    actors = []
    for turn, track in enumerate(sorted(spans)):
        first = min(spans[track])
        steps = walk(track, first, min(first + round(SHOWN_S * FPS), max(spans[track])), 1)
        pictures.cache_clear()      # whole pictures as floats: they are large
        actors.append(walking(view, steps, 1 / FPS, LEARN_S + turn * (SHOWN_S + BETWEEN_S)))
    walk.cache_clear()
    return tuple(actors)


def footage(name: str) -> tuple[Clip, Truth, Stage]:
    """The clip of a view, encoded once, and who is where in it.

    Raises:
        FileNotFoundError, FootageMissingError: footage or truth are not on this machine.
    """
    view = VIEWS[name]
    actors = cast(view)
    stage = Stage(LEARN_S + len(actors) * (SHOWN_S + BETWEEN_S), Fraction(FPS), view, actors, sigma=lambda seconds: NOISE)
    told = repr((2, NOISE, footage_key()[:16], FPS, GOP_S, LEARN_S, SHOWN_S, BETWEEN_S, QUALITY))
    key = hashlib.sha256(told.encode()).hexdigest()[:16]
    path = CACHE / f"lazy-{name}-{key}.annexb"
    truth = {number: boxes for number in range(stage.count) if (boxes := people_at(stage, number))}
    try:
        return read_clip(path), truth, stage
    except FileNotFoundError:
        return encode_pictures(composed(stage, key), path, Fraction(FPS), gop_seconds=GOP_S, quality=QUALITY), truth, stage


def known_place(stage: Stage, clip: Clip) -> StoredScene:
    """The place, proven: what is measured here is not the proof."""
    grid = Grid(clip.width_px, clip.height_px, 8, 0)
    proven = np.ones(grid.shape, np.bool_)
    times = np.ones(grid.shape, np.int64)
    return StoredScene(grid, Matrix.BT601, plate_at(stage, 0).planes, proven, times, np.zeros(grid.shape, np.bool_))


def watch(clip: Clip, truth: Truth, stored: StoredScene, *, lazily: bool) -> Watched:
    """Decode and look, as a worker does."""
    analyst = Analyst(AnalystSettings(), (), stored)
    demand = MainDemand(analyst, FakeClock())      # never behind
    decoder = FrameDecoder(make_decoder("h264"))
    on_demand = OnDemandDecoder(decoder, demand)
    shown: set[tuple[int, int]] = set()
    late_s: dict[int, float] = {}
    decoded = 0
    for number, packet, ticket in packets(clip):
        frames = on_demand.decode(packet, ticket) if lazily else decoder.decode(packet, ticket)
        for frame in frames:
            decoded += 1
            at = frame.wall_ns
            late_s[at] = (number - at) / FPS
            cover = look(analyst, frame, demand)
            shown.update((box.track, at) for box in truth.get(at, ()) if covers(cover, box, stored.grid))
    return Watched(frozenset(shown), late_s, decoded, on_demand.counts.left_out, on_demand.counts.slept)


def packets(clip: Clip) -> Iterator[tuple[int, AnyPacket, Ticket]]:
    """(number, packet, ticket); the frame's wall time is its number."""
    data = clip.path.read_bytes()
    for number, unit in enumerate(clip.units):
        packet = av.Packet(data[unit.offset_bytes : unit.offset_bytes + unit.size_bytes])
        packet.is_keyframe = unit.keyframe
        yield number, packet, Ticket(number, 3600 * NS_PER_S + number * NS_PER_S // FPS)


def look(analyst: Analyst, frame: Frame, demand: MainDemand) -> BoolGrid | None:
    """The cover in force at a frame; None if none was due."""
    if not is_due(analyst.demand.main, frame):
        return None
    return analyst.observe(frame, Circumstances(gap=demand.asleep)).cover


def covers(cover: BoolGrid | None, box: Box, grid: Grid) -> bool:
    """Whether most of somebody's blocks are covered."""
    if cover is None:
        return False
    touched = blocks_touched(box, grid)
    return bool(touched.any()) and float(cover[touched].mean()) >= COVERED_SHARE


def unlooked(number: int, decoded: Collection[int]) -> bool:
    """Whether neither a picture nor any before it was decoded, back to the last that a cover could have been taken from."""
    return not any(earlier in decoded for earlier in range(number - PICTURES_A_COVER + 1, number + 1))


def measure(name: str) -> dict[str, float]:
    """Both ways of watching one view, and what the one that sleeps misses."""
    clip, truth, stage = footage(name)
    stored = known_place(stage, clip)
    whole, lazily = (watch(clip, truth, stored, lazily=each) for each in (False, True))
    tracks = {box.track for boxes in truth.values() for box in boxes}
    seen, seen_lazily = ({track for track, _ in each.shown} for each in (whole, lazily))
    late = sorted(late for number, late in lazily.late_s.items() if number in truth)
    empty = len(clip.units) - len(truth)
    return {
        "tracks": len(tracks),
        "tracks_shown_when_all_is_decoded": len(seen),
        "tracks_missed": len(seen - seen_lazily),
        "person_frames": sum(len(boxes) for boxes in truth.values()),
        "person_frames_shown_when_all_is_decoded": len(whole.shown),
        "person_frames_shown": len(lazily.shown),
        "person_pictures_not_decoded": sum(unlooked(number, lazily.late_s) for number in truth),
        "late_s_median": late[len(late) // 2],
        "late_s_most": late[-1],
        "empty_pictures_left_out_share": round(lazily.left_out / empty, 3),
        "slept": lazily.slept,
    }


def main() -> int:
    """Measure; exit status 0, 1 if a track is missed, 2 if it could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.on_demand", description="What a camera that sleeps misses.")
    parser.add_argument("--json", action="store_true", help="for machines, on standard output")
    options = parser.parse_args()
    try:
        result = {name: measure(name) for name in VIEWS}
    except (FileNotFoundError, FootageMissingError) as error:
        print(f"bench.on_demand: {error}", file=sys.stderr)
        return 2
    names = list(next(iter(result.values())))
    print(aligned([["", *result], *([name, *(said(each[name]) for each in result.values())] for name in names)]), file=sys.stderr)
    if options.json:
        json.dump(result, sys.stdout, indent=2)
        print()
    return int(any(each["tracks_missed"] for each in result.values()))


if __name__ == "__main__":
    sys.exit(main())
