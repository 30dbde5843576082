"""What the kernels of a scene cost on a picture of the busy clip: microseconds of CPU of one thread, the least of three rounds.

    python -m bench.throughput.kernels          a table
    python -m bench.throughput.kernels --json

Belongs here: each kernel by itself, on 1080p. Does not belong here: what they add up to in a camera (stages).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator

import av
import numpy as np
from demo.encode import FootageMissingError

from bench.privacy.tables import Json
from bench.throughput.clips import SUB_HEIGHT_PX, Kind, clip
from bench.throughput.process import say_figures
from privet.core.clock import NS_PER_S
from privet.core.frame import Frame, Plane
from privet.core.grid import BoolGrid, Grid
from privet.scene import block_model as model
from privet.scene import light, statistics
from privet.scene.cover import difference
from privet.scene.cover import shape as cover
from privet.scene.proof import looks, stillness
from privet.scene.proof import views as sample
from privet.scene.substream import alignment, mapping
from privet.scene.substream.view import SubView

BLOCK_PX = 8
ROUNDS = 3
ROUND_NS = 30_000_000
APART = 30                  # pictures: two seconds, a GOP
PERSON_PX = 135.0
LOOKS_A_SECOND = 5
INPUT_PX = (320, 320)       # of a detector; about what the product's have

Planes = tuple[Plane, Plane, Plane]


def pictures(kind: Kind = "busy", height_px: int = 1080) -> tuple[Planes, Planes]:
    """Two pictures of a clip, a GOP apart."""
    taken: list[Planes] = []
    with av.open(str(clip(kind, height_px).path)) as container:
        for number, frame in enumerate(container.decode(container.streams.video[0])):
            if number in (0, APART):
                taken.append(_planes(frame))
            if len(taken) == 2:
                break
    return taken[0], taken[1]


def _planes(frame: av.VideoFrame) -> Planes:
    """Rows as wide as the decoder made them: that is what the kernels meet."""
    y, u, v = (np.frombuffer(bytes(each), np.uint8).reshape(-1, each.line_size)[: each.height, : each.width] for each in frame.planes)
    return y, u, v


def sub_look() -> Callable[[], object]:
    """The busy clip's sub-stream, of a place that it knows, from block statistics to the main stream's blocks."""
    (empty, _), (small, _) = pictures("quiet"), pictures("quiet", SUB_HEIGHT_PX)
    grid = Grid(empty[0].shape[1], empty[0].shape[0], BLOCK_PX)
    every: BoolGrid = np.ones(grid.shape, np.bool_)
    plain = np.ones((light.CELL_ROWS, light.CELL_COLUMNS), np.float32)
    at_ns, view = NS_PER_S, SubView(grid, Frame(*small, 0, 0, keyframe=True, intact=True))
    while not view.knows and at_ns < 20 * NS_PER_S:
        at_ns += NS_PER_S
        view.observe(Frame(*small, at_ns, at_ns, keyframe=True, intact=True))
        view.compare(Frame(*empty, at_ns, at_ns, keyframe=True, intact=True))
        view.teach(every, every, (plain, plain - 1))
    assert view.knows
    people = pictures("busy", SUB_HEIGHT_PX)
    looks_taken = 0

    def look() -> object:
        nonlocal looks_taken
        looks_taken += 1
        now_ns = at_ns + looks_taken * NS_PER_S // LOOKS_A_SECOND
        return view.observe(Frame(*people[looks_taken % 2], now_ns, now_ns, keyframe=False, intact=True))

    return look


def kernels(here: Planes, there: Planes) -> Iterator[tuple[str, Callable[[], object]]]:
    """Each kernel's name, and a call of it."""
    grid = Grid(here[0].shape[1], here[0].shape[0], BLOCK_PX)
    every: BoolGrid = np.ones(grid.shape, np.bool_)
    none = ~every
    nothing = np.zeros(grid.shape)
    people = np.random.default_rng(1).random(grid.shape) < 0.01
    people[20:40, 50:60] = people[80:110, 200:212] = True
    seen, before = (statistics.block_statistics(*each, BLOCK_PX) for each in (here, there))
    cells = light.fit_light(seen[0], before[0], every)
    gain, offset = (light.spread(each, *grid.shape) for each in cells)
    known = model.BlockModel(grid)
    known.start(every, seen)
    floors, spread = difference.DIFFERENCE_FLOORS, np.zeros_like(seen)
    brighter, chroma = np.zeros(grid.shape, np.float32), np.zeros(grid.shape, np.float32)
    anchor, mean = here[0].copy(), np.zeros(here[0].shape, np.uint16)
    keyframes = np.full(grid.shape, 3, np.int32)
    frame = Frame(*here, 0, 0, keyframe=True, intact=True)
    whole = sample.Tile(0.0, 0.0, float(grid.width_px), float(grid.height_px))
    view = sample.input_to_picture(whole, looks.TRANSFORMS[2], *INPUT_PX)
    yield "block_statistics", lambda: statistics.block_statistics(*here, BLOCK_PX)
    yield "block_differences", lambda: statistics.block_differences(here, there, BLOCK_PX, every, nothing)
    yield "block_shifts", lambda: statistics.block_shifts(here[0], there[0], BLOCK_PX, every)
    yield "noise_by_texture", lambda: stillness.noise_by_texture(seen[0], seen[3], every)
    yield "moved_blocks", lambda: stillness.moved_blocks(before, brighter, seen, floors, every)
    flat = statistics.flattened(here[0])
    yield "anchor_blocks", lambda: stillness.anchor_blocks(*flat, anchor, mean, BLOCK_PX, none, every, keyframes)
    yield "fit_light", lambda: light.fit_light(seen[0], before[0], every)
    yield "spread", lambda: light.spread(cells[0], *grid.shape)
    yield "lit", lambda: difference.lit(seen, gain, offset)
    yield "differs", lambda: difference.differs(seen, before, spread, floors, difference.DIFFERENCE_TIMES)
    yield "same_texture", lambda: difference.same_texture(here[0], there[0], BLOCK_PX, people, chroma, difference.PIXEL_NOISE)
    yield "refine", lambda: known.refine(seen, before, every, 0.01)
    untouched = model.BlockModel(grid)
    yield "refine nothing", lambda: untouched.refine(seen, before, none, 0.01)
    small = Grid(640, SUB_HEIGHT_PX, BLOCK_PX)
    between = mapping.Mapping(grid, small, alignment.Alignment(error=0.001))
    moved = between.on_sub(people)
    yield "on_main", lambda: between.on_main(moved)
    yield "in_main", lambda: between.in_main(moved)
    yield "fill_holes", lambda: cover.fill_holes(people)
    yield "dilate", lambda: cover.dilate(people, 9)
    yield "shape", lambda: cover.shape(people)
    yield "coarsen", lambda: cover.coarsen(people, 12)
    yield "sample", lambda: sample.sample(frame, view, *INPUT_PX)
    yield "look at the sub-stream", sub_look()


def cost_us(call: Callable[[], object]) -> float:
    """Microseconds of this thread's CPU a call, once it is compiled."""
    call()
    least = float("inf")
    for _ in range(ROUNDS):
        calls, began_ns = 0, time.thread_time_ns()
        while time.thread_time_ns() - began_ns < ROUND_NS:
            call()
            calls += 1
        least = min(least, (time.thread_time_ns() - began_ns) / calls / 1000)
    return least


def main() -> int:
    """Measure; exit status 0, or 2 if it could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.throughput.kernels", description=(__doc__ or "").partition(".")[0])
    parser.add_argument("--json", action="store_true", help="for machines, on standard output")
    options = parser.parse_args()
    return say_figures("bench.throughput.kernels", kernel_figures, as_json=options.json, cannot=(FootageMissingError,))


def kernel_figures() -> Json:
    """Microseconds by kernel.

    Raises:
        FootageMissingError: the demo's footage is not installed.
    """
    return {name: round(cost_us(call), 1) for name, call in kernels(*pictures())}


if __name__ == "__main__":
    sys.exit(main())
