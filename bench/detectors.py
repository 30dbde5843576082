"""What each detector of the gate overlooks, what it sees where nothing is, and what a look costs: `python -m bench.detectors --truth GT`.

Belongs here: people in footage and in hard cases made from it, looked at as the gate does. Does not belong here: what promotion makes
of it (bench.privacy).

A *look* is one view at the gate's closest scale, in the tile in which the person lies most centrally. Somebody is *found* where the
blocks that the gate would restart are at least half of those the body lies on. Recall after k looks: the share that at least one of
the first k different views found. *False*: the share of the person-free plate's blocks with a hit in any of the gate's views at any
scale, which is both what stays flat for good and how often somebody is found by chance. The people come from PETS09-S2L1.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from demo.encode import cached_clip, clip_frames, find_footage
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from bench.candidates import CANDIDATES, load_candidates
from bench.truth import Box, Truth, blocks_touched, plate, read_truth
from privet.core.frame import Frame, Matrix
from privet.core.grid import BoolGrid, Grid
from privet.detect.openvino import Detector, load_detectors
from privet.scene.proof.looks import TRANSFORMS, blocks_hit, levels, tiles
from privet.scene.proof.views import Tile, Transform, apply, input_to_picture, invert, sample

Planes = NDArray[np.uint8]
"""Shape (3, height, width): Y, U and V at full resolution."""

LOOKS = (1, 5, 20)
EVERY_FRAME = 12          # of the clip: which of them people and the plate are taken from
GREY_LEVELS_OFF = 12      # from the plate, where a pixel of a box belongs to the person
STANDING_PX = 72.0        # the gate's default for this footage: an eighth of its height
FOUND_SHARE = 0.5
FURTHER = tuple(
    Transform(mirrored=number % 2 == 1, turn_degrees=turn, zoom=zoom, shift_x=x, shift_y=y)
    for number, (turn, zoom, x, y) in enumerate(
        [
            (0.0, 0.88, 0.05, 0.0), (0.0, 0.85, -0.05, 0.02), (2.5, 0.94, 0.0, -0.03), (-2.5, 0.94, 0.03, 0.0), (0.0, 0.8, 0.0, 0.06),
            (7.0, 0.86, 0.0, 0.0), (-7.0, 0.86, 0.02, 0.02), (0.0, 0.91, 0.04, -0.04), (0.0, 0.98, -0.01, 0.0), (3.5, 0.9, -0.04, 0.0),
            (-3.5, 0.83, 0.0, 0.04), (0.0, 0.96, 0.0, 0.02), (0.0, 0.78, 0.07, -0.05),
        ]
    )
)
VIEWS = TRANSFORMS + FURTHER
"""Twenty different ones, the gate's seven first."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Somebody in a picture."""

    frame: Frame
    box: Box
    person_px: float      # the height of a standing person there: what the gate is told


@dataclass(frozen=True, slots=True)
class Recall:
    """Of one detector on one case. looks: per number of looks the share found."""

    case: str
    subjects: int
    looks: dict[int, float]


@dataclass(frozen=True, slots=True)
class Measured:
    """One detector. used: whether Privet loads it, or it is a candidate."""

    detector: str
    used: bool
    milliseconds_a_look: float
    false_share: float
    recalls: tuple[Recall, ...]


# ---- people, and the place without them


@dataclass(frozen=True, slots=True)
class Cutout:
    """A person: (3, height, width) and where it is solid."""

    planes: Planes
    solid: NDArray[np.uint8]  # (height, width), 0 or 255


def planes_of(frame: Frame) -> Planes:
    """Chroma repeated to the luma's size."""
    height, width = frame.y.shape
    chroma = [each.repeat(2, axis=0).repeat(2, axis=1)[:height, :width] for each in (frame.u, frame.v)]
    return np.stack([frame.y, *chroma])


def frame_of(planes: Planes) -> Frame:
    """Chroma at half size again."""
    y, u, v = (np.ascontiguousarray(plane) for plane in (planes[0], planes[1, ::2, ::2], planes[2, ::2, ::2]))
    return Frame(y, u, v, 0, 0, True, True, Matrix.BT601)


def kept_frames(every: int) -> dict[int, Planes]:
    """Number -> picture, every so many frames of the clip."""
    frames = clip_frames(cached_clip(find_footage(), "gate"))
    return {number: planes_of(frame) for number, frame in enumerate(frames) if number % every == 0}


def empty_place(frames: dict[int, Planes], truth: Truth) -> Planes:
    """The median without people; where somebody always was, the median of everything."""
    renumbered = {i: truth.get(number, ()) for i, number in enumerate(frames)}
    out = np.empty_like(next(iter(frames.values())))
    for channel in range(3):
        lumas = [planes[channel] for planes in frames.values()]
        known = plate(lumas, renumbered)
        out[channel] = np.where(np.isnan(known), np.median(np.stack(lumas), axis=0), known).round().astype(np.uint8)
    return out


def alone(box: Box, others: Sequence[Box], width_px: int, height_px: int) -> bool:
    """Whether a box is whole in the picture and touches no other."""
    if box.left < 2 or box.top < 2 or box.left + box.width > width_px - 2 or box.top + box.height > height_px - 2:
        return False
    return not any(
        other is not box and box.left < other.left + other.width and other.left < box.left + box.width
        and box.top < other.top + other.height and other.top < box.top + box.height
        for other in others
    )


def cutouts(frames: dict[int, Planes], truth: Truth, place: Planes) -> Iterator[Cutout]:
    """People who stand alone, told from the place by their grey levels."""
    for number, planes in frames.items():
        boxes = truth.get(number, ())
        for box in boxes:
            if box.height >= 60 and alone(box, boxes, planes.shape[2], planes.shape[1]):
                area = (slice(int(box.top), int(box.top + box.height)), slice(int(box.left), int(box.left + box.width)))
                off = np.abs(planes[(slice(None), *area)].astype(int) - place[(slice(None), *area)])
                solid = ((off[0] > GREY_LEVELS_OFF) | (off[1:].max(axis=0) > GREY_LEVELS_OFF // 2)).astype(np.uint8) * 255
                if solid.mean() > 0.25 * 255:
                    yield Cutout(planes[(slice(None), *area)].copy(), np.asarray(Image.fromarray(solid).filter(ImageFilter.MaxFilter(5))))


def resized(cutout: Cutout, width_px: int, height_px: int) -> Cutout:
    """Scaled, as from further away or from above."""
    size = (max(width_px, 1), max(height_px, 1))
    planes = np.stack([np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BOX)) for plane in cutout.planes])
    solid = np.asarray(Image.fromarray(cutout.solid).resize(size, Image.Resampling.BOX))
    return Cutout(planes, ((solid >= 128) * 255).astype(np.uint8))


def to_height(cutout: Cutout, height_px: int) -> Cutout:
    """Scaled to a height."""
    return resized(cutout, round(cutout.solid.shape[1] * height_px / cutout.solid.shape[0]), height_px)


def lying(cutout: Cutout) -> Cutout:
    """Turned by a quarter."""
    return Cutout(np.ascontiguousarray(np.rot90(cutout.planes, axes=(1, 2))), np.ascontiguousarray(np.rot90(cutout.solid)))


def upper(cutout: Cutout, share: float) -> Cutout:
    """What shows above a counter, or of somebody whose legs a table hides."""
    rows = max(round(cutout.solid.shape[0] * share), 1)
    return Cutout(cutout.planes[:, :rows], cutout.solid[:rows])


def from_above(cutout: Cutout) -> Cutout:
    """Foreshortened to 45 %."""
    height, width = cutout.solid.shape
    return resized(cutout, width, round(height * 0.45))


CASES: dict[str, tuple[Callable[[Cutout], Cutout], float]] = {
    "lying": (lying, STANDING_PX),
    "behind a counter": (lambda cutout: upper(cutout, 0.4), STANDING_PX),
    "seated": (lambda cutout: upper(cutout, 2 / 3), STANDING_PX),
    "from above": (from_above, STANDING_PX),
    "16 px": (lambda cutout: to_height(cutout, 16), 16.0),
    "12 px": (lambda cutout: to_height(cutout, 12), 12.0),
}
"""Name -> what is made of somebody standing, and how tall the gate is told that people are there."""


def composed(place: Planes, cutout: Cutout, left: int, top: int) -> tuple[Planes, Box]:
    """The place with somebody in it."""
    height, width = cutout.solid.shape
    out = place.copy()
    there = out[:, top : top + height, left : left + width]
    out[:, top : top + height, left : left + width] = np.where(cutout.solid > 0, cutout.planes, there)
    return out, Box(0, left, top, width, height)


def subjects_of(case: str, people: Sequence[Cutout], place: Planes, count: int) -> list[Subject]:
    """`count` different people and places; the same for every detector."""
    change, person_px = CASES[case]
    random = np.random.default_rng(7)
    chosen = random.permutation(len(people))[:count]
    found = []
    for index in chosen:
        cutout = change(people[index])
        height, width = cutout.solid.shape
        left = int(random.integers(8, place.shape[2] - width - 8))
        top = int(random.integers(80, place.shape[1] - height - 8))  # below the horizon
        planes, box = composed(place, cutout, left, top)
        found.append(Subject(frame_of(planes), box, person_px))
    return found


def real_subjects(frames: dict[int, Planes], truth: Truth, count: int) -> list[Subject]:
    """People as they are, crowded ones too, spread over the clip."""
    every = [(number, box) for number in frames for box in truth.get(number, ()) if box.height > 0]
    chosen = np.random.default_rng(7).permutation(len(every))[:count]
    return [Subject(frame_of(frames[every[i][0]]), every[i][1], STANDING_PX) for i in chosen]


# ---- looking


def closest_tile(grid: Grid, box: Box, person_px: float, input_height_px: int) -> Tile:
    """The gate's tile at its closest scale in whose middle somebody is."""
    across = levels(grid.height_px, person_px, input_height_px)[-1]
    x, y = box.left + box.width / 2, box.top + box.height / 2
    return min(
        tiles(grid.width_px, grid.height_px, across, person_px, grid.block_px),
        key=lambda tile: max(abs(tile.left + tile.width / 2 - x) / tile.width, abs(tile.top + tile.height / 2 - y) / tile.height),
    )


def hits(detector: Detector, frame: Frame, grid: Grid, tile: Tile, view: Transform) -> BoolGrid:
    """The blocks whose proof one look would restart."""
    affine = input_to_picture(tile, view, *detector.input_px)
    boxes = detector.find(sample(frame, affine, *detector.input_px)[None])[0]
    return blocks_hit(grid, affine, boxes, detector.input_px)


def in_view(grid_box: Box, tile: Tile, view: Transform, input_px: tuple[int, int]) -> bool:
    """Whether the middle of somebody lies in the view."""
    middle = np.array([[grid_box.left + grid_box.width / 2, grid_box.top + grid_box.height / 2]])
    x, y = apply(invert(input_to_picture(tile, view, *input_px)), middle)[0]
    return bool(0 <= x < input_px[1] and 0 <= y < input_px[0])


def recall(case: str, detector: Detector, subjects: Sequence[Subject]) -> Recall:
    """Whom a detector finds."""
    found = np.zeros((len(subjects), len(VIEWS)), np.bool_)
    for row, subject in enumerate(subjects):
        grid = Grid(subject.frame.width_px, subject.frame.height_px)
        body = blocks_touched(subject.box, grid)
        tile = closest_tile(grid, subject.box, subject.person_px, detector.input_px[0])
        for column, view in enumerate(VIEWS):
            if in_view(subject.box, tile, view, detector.input_px):
                found[row, column] = hits(detector, subject.frame, grid, tile, view)[body].mean() >= FOUND_SHARE
    return Recall(case, len(subjects), {looks: share_found(found, looks) for looks in LOOKS})


def share_found(found: NDArray[np.bool_], looks: int) -> float:
    """found: (subjects, views). For one look the mean over all views; for several the share that any of the first so many found."""
    if not found.size:
        return 0.0
    return float(found.mean()) if looks == 1 else float(found[:, :looks].any(axis=1).mean())


def false_share(detector: Detector, place: Planes) -> float:
    """The share of blocks of an empty place that a detector would keep flat for good."""
    frame = frame_of(place)
    grid = Grid(frame.width_px, frame.height_px)
    hit = np.zeros(grid.shape, np.bool_)
    for across in levels(grid.height_px, STANDING_PX, detector.input_px[0]):
        for tile in tiles(grid.width_px, grid.height_px, across, STANDING_PX, grid.block_px):
            for view in TRANSFORMS:
                hit |= hits(detector, frame, grid, tile, view)
    return float(hit.mean())


def milliseconds(detector: Detector, place: Planes, looks: int = 20) -> float:
    """The median of a look, sampling included."""
    frame = frame_of(place)
    grid = Grid(frame.width_px, frame.height_px)
    took = []
    for number in range(looks + 3):
        begun_ns = time.perf_counter_ns()
        hits(detector, frame, grid, Tile(0, 0, grid.width_px, grid.height_px), VIEWS[number % len(VIEWS)])
        took.append((time.perf_counter_ns() - begun_ns) / 1e6)
    return float(np.median(took[3:]))


def measure(detectors: Sequence[Detector], truth: Truth, count: int) -> tuple[Measured, ...]:
    """Every detector on every case. count: people a case."""
    frames = kept_frames(EVERY_FRAME)
    place = empty_place(frames, truth)
    people = list(cutouts(frames, truth, place))
    cases = {"ground truth": real_subjects(frames, truth, count)}
    cases |= {case: subjects_of(case, people, place, count) for case in CASES}
    return tuple(
        Measured(
            detector.name,
            all(detector.name != candidate.name for candidate in CANDIDATES),
            milliseconds(detector, place),
            false_share(detector, place),
            tuple(recall(case, detector, subjects) for case, subjects in cases.items()),
        )
        for detector in detectors
    )


def markdown(measured: Sequence[Measured]) -> str:
    """The table of docs/ref/models.md: recall per look and after 5 and 20 different ones, in per cent."""
    cases = [each.case for each in measured[0].recalls]
    lines = ["| detector | ms a look | false, % | " + " | ".join(cases) + " |", "|---|---|---|" + "---|" * len(cases)]
    for each in measured:
        cells = [" / ".join(f"{100 * case.looks[looks]:.0f}" for looks in LOOKS) for case in each.recalls]
        name = each.detector if each.used else f"{each.detector} (not used)"
        lines.append(f"| {name} | {each.milliseconds_a_look:.0f} | {100 * each.false_share:.1f} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.detectors", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--truth", type=Path, required=True, help="PETS09-S2L1's ground truth, MOTChallenge format")
    parser.add_argument("--count", type=int, default=24, help="people a case")
    parser.add_argument("--threshold", type=float, default=0.15, help="the site's [detect] threshold")
    parser.add_argument("--only", default="", help="one detector, by its name")
    parser.add_argument("--candidates", action="store_true", help="those of bench.candidates, too; fetches them once")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--markdown", action="store_true", help="the table alone (the default says what it is, too)")
    told = parser.parse_args(arguments)
    loaded: list[Detector] = [*load_detectors("CPU", told.threshold), *(load_candidates(told.threshold) if told.candidates else ())]
    detectors = [each for each in loaded if told.only in ("", each.name)]
    measured = measure(detectors, read_truth(told.truth), told.count)
    if told.json:
        print(json.dumps([asdict(each) for each in measured], indent=2))
    else:
        if not told.markdown:
            print(f"Found after {' / '.join(map(str, LOOKS))} different looks, in per cent of {told.count} people a case:\n")
        print(markdown(measured))
    return 0


if __name__ == "__main__":
    sys.exit(main())
