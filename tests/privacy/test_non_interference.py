"""Non-interference, through the whole pipeline of a camera: what leaves is a function of cover, light and promoted (block, time).

The pipeline is the real one, from frames to framed pipe messages; only the judgement is replaced by one that says what it was told,
so that cover, light and promotions can be held fixed while the pixels are anything at all. Promotion itself stays real: `promote`
writes what the live frame shows, and only the blocks that the script names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NoReturn

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from privet.config.models import Detect, Promotion, SceneSection
from privet.core.clock import FakeClock
from privet.core.frame import Frame, Matrix
from privet.core.frame_demand import SceneDemand
from privet.core.grid import BoolGrid, Grid
from privet.core.ids import CameraId
from privet.core.pb import pipe_pb2, scene_pb2
from privet.core.scene import Condition, Reason
from privet.ingest.frame_demand import FrameConsumer
from privet.ingest.source import Source
from privet.ingest.synthetic import Picture, SyntheticSource
from privet.pipe.settings import CameraSettings
from privet.scene.analyst import Counters
from privet.scene.observation import Observation
from privet.scene.proof.commissioning import Commissioning
from privet.scene.proof.looks import Detector
from privet.scene.proof.promote import Evidence, Policy, ProvenBackground, promote
from privet.scene.proof.rules import ALL_RULES
from privet.scene.proof.step import Circumstances, Means
from privet.scene.settings import AnalystSettings
from privet.scene.state_format import StoredScene
from privet.worker.camera.pipeline import CameraPipeline
from privet.worker.send_queue import Outgoing

WIDTH, HEIGHT, BLOCK = 52, 36, 8     # partial blocks at both edges
GRID = Grid(WIDTH, HEIGHT, BLOCK)
FRAMES = 6


@dataclass(frozen=True, eq=False)
class Script:
    """What is judged of each frame: covers, lights (None: no change), promoted blocks (None: nothing)."""

    covers: list[BoolGrid]
    lights: list[tuple[NDArray[np.uint8], NDArray[np.uint8]] | None]
    promoted: list[BoolGrid | None]


class Scripted:
    """An observer that judges by its script. What it promotes it takes from the live frame, through `promote`."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._number = 0
        self._background: ProvenBackground | None = None

    def __call__(
        self, settings: AnalystSettings, detectors: Sequence[Detector], stored: StoredScene | None, *, distrust: bool,
        may_look: Callable[[], bool],
    ) -> Scripted:
        return self

    background = property(lambda self: self._background)
    counters = Counters()
    demand = SceneDemand()

    @property
    def sub(self) -> NoReturn:
        raise AssertionError("this camera has no sub-stream")

    @property
    def signing(self) -> Commissioning:
        """There is no offer: tests/main holds what becomes of one."""
        return Commissioning(Means(AnalystSettings(), ALL_RULES, (), lambda: True), lambda: None)

    def differs(self, frame: Frame) -> bool:
        raise AssertionError("this camera does not sleep")

    def snapshot(self) -> StoredScene | None:
        return None

    def observe(self, frame: Frame, how: Circumstances) -> Observation:
        assert not how.shed, "no machine is behind here"
        number = self._number
        self._number += 1
        new_grid = self._background is None
        if self._background is None:
            self._background = ProvenBackground(GRID, frame.matrix)
        wanted = self._script.promoted[number]
        promoted: BoolGrid | None = None
        if wanted is not None:
            everything = np.full(GRID.shape, 10, np.int64)
            evidence = Evidence(
                everything,
                everything.astype(np.int32),
                np.full((2, *GRID.shape), 9, np.int32),
                ~wanted,
                np.zeros(GRID.shape, np.bool_),
                np.zeros(GRID.shape, np.bool_),
                (frame.y, frame.u, frame.v),
            )
            written, _ = promote(self._background, evidence, Policy(1, 1, "automatic", 2), frame.wall_ns)
            promoted = written if written.any() else None
        return Observation(
            frame.wall_ns,
            Condition.AWAKE,
            Reason.NONE,
            self._script.covers[number],
            self._script.lights[number],
            promoted,
            0,
            new_grid,
            0.0,
        )


class NoStore:
    """Nothing was stored."""

    def load(self) -> bytes | None:
        return None

    def save(self, state: bytes) -> None:
        pass


def run(script: Script, pictures: list[Picture]) -> list[pipe_pb2.WorkerMessage]:
    """Everything that leaves the pipeline, tagged as it goes through the pipe."""
    said: list[pipe_pb2.WorkerMessage] = []
    clock = FakeClock()

    def emit(message: Outgoing, arrived_monotonic_ns: int = 0) -> None:
        match message:
            case scene_pb2.SceneMessage():
                said.append(pipe_pb2.WorkerMessage(scene=message))
            case pipe_pb2.Promotion():
                said.append(pipe_pb2.WorkerMessage(promotion=message))
            case pipe_pb2.Log():
                said.append(pipe_pb2.WorkerMessage(log=message))
            case pipe_pb2.Health():
                raise AssertionError("no heartbeat is due in this test")
        if isinstance(message, pipe_pb2.Log) and message.code == pipe_pb2.LOG_CODE_DISCONNECTED:
            pipeline.stop()

    def open_source(_: FrameConsumer) -> Source:
        return SyntheticSource(pictures, clock, fps=5, gop=3, matrix=Matrix.BT601)

    camera = CameraSettings(
        camera=CameraId("gate"),
        url="rtsp://camera.invalid/",
        state_directory=PurePosixPath("unused"),
        scene=SceneSection(),
        promotion=Promotion(),
        detect=Detect(),
    )
    pipeline = CameraPipeline(
        camera, emit, [], NoStore(), clock, open_source, make_observer=Scripted(script), session=7
    )
    pipeline.run()
    return said


def noise(seed: int) -> list[Picture]:
    """Arbitrary pictures: noise, extremes, stripes."""
    random = np.random.default_rng(seed)
    pictures: list[Picture] = []
    for _ in range(FRAMES):
        kind = random.integers(4)
        shapes = ((HEIGHT, WIDTH), (HEIGHT // 2, WIDTH // 2), (HEIGHT // 2, WIDTH // 2))
        if kind == 0:
            planes = [random.integers(0, 256, shape, np.uint8) for shape in shapes]
        elif kind == 1:
            planes = [np.full(shape, random.integers(0, 256), np.uint8) for shape in shapes]
        elif kind == 2:
            planes = [(np.indices(shape)[random.integers(2)] % 2 * 255).astype(np.uint8) for shape in shapes]
        else:
            planes = [np.full(shape, 255 * random.integers(2), np.uint8) for shape in shapes]
        pictures.append((planes[0], planes[1], planes[2]))
    return pictures


def with_pixels_of(pictures: list[Picture], blocks_of: list[BoolGrid | None], source: list[Picture]) -> list[Picture]:
    """`pictures`, but the named blocks of each frame are those of `source`."""
    mixed: list[Picture] = []
    for picture, blocks, other in zip(pictures, blocks_of, source, strict=True):
        planes = []
        for plane, (mine, theirs) in enumerate(zip(picture, other, strict=True)):
            side = BLOCK if plane == 0 else BLOCK // 2
            keep = np.zeros(GRID.shape, np.bool_) if blocks is None else blocks
            mask = np.repeat(np.repeat(keep, side, axis=0), side, axis=1)[: mine.shape[0], : mine.shape[1]]
            planes.append(np.where(mask, theirs, mine))
        mixed.append((planes[0], planes[1], planes[2]))
    return mixed


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    seed = draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    covers = [random.random(GRID.shape) < 0.3 for _ in range(FRAMES)]
    lights = [
        (random.integers(0, 256, (5, 7), np.uint8), random.integers(0, 256, (5, 7), np.uint8)) if random.random() < 0.4 else None
        for _ in range(FRAMES)
    ]
    promoted: list[BoolGrid | None] = [random.random(GRID.shape) < 0.25 if random.random() < 0.7 else None for _ in range(FRAMES)]
    return Script(covers, lights, promoted)


def first_promotions(script: Script) -> list[BoolGrid | None]:
    """Blocks as they are really written: a block that is proven is never written again."""
    proven = np.zeros(GRID.shape, np.bool_)
    out: list[BoolGrid | None] = []
    for blocks in script.promoted:
        fresh = None if blocks is None else blocks & ~proven
        if blocks is not None:
            proven |= blocks
        out.append(fresh)
    return out


@given(scripts(), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_pixels_that_are_not_promoted_change_nothing_at_all(script: Script, one: int, other: int) -> None:
    first = noise(one)
    second = with_pixels_of(noise(other), first_promotions(script), first)
    said = [message.SerializeToString(deterministic=True) for message in run(script, first)]
    assert said == [message.SerializeToString(deterministic=True) for message in run(script, second)]
    assert len(said) >= FRAMES


@given(scripts(), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_promoted_pixels_change_nothing_but_the_pictures_that_show_them(script: Script, one: int, other: int) -> None:
    said, again = run(script, noise(one)), run(script, noise(other))
    assert len(said) == len(again)
    for before, after in zip(said, again, strict=True):
        for message in (before, after):
            for kind in ("background", "patch"):
                if message.WhichOneof("kind") == "scene" and message.scene.WhichOneof("kind") == kind:
                    getattr(message.scene, kind).image = b""
        assert before == after


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_without_a_promotion_no_picture_leaves(script_seed: int, pixels: int) -> None:
    random = np.random.default_rng(script_seed)
    script = Script([random.random(GRID.shape) < 0.5 for _ in range(FRAMES)], [None] * FRAMES, [None] * FRAMES)
    for message in run(script, noise(pixels)):
        kind = message.scene.WhichOneof("kind") if message.WhichOneof("kind") == "scene" else None
        assert kind != "patch"
        if kind == "background":
            assert message.scene.background.image == b""


def test_time_and_order_do_not_depend_on_pixels() -> None:
    script = Script([np.zeros(GRID.shape, np.bool_)] * FRAMES, [None] * FRAMES, [None] * FRAMES)
    heads = []
    for seed in (1, 2):
        messages = [message.scene for message in run(script, noise(seed)) if message.WhichOneof("kind") == "scene"]
        heads.append([(getattr(m, m.WhichOneof("kind") or "state").head.sequence, m.WhichOneof("kind")) for m in messages])
    assert heads[0] == heads[1]
    assert [sequence for sequence, _ in heads[0]] == list(range(1, len(heads[0]) + 1))
