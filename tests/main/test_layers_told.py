"""What a place shows again after it was replaced leaves a row as every change of the background does: from frames to the index."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from tests.scene.pictures import with_box
from tests.worker.camera.test_pipeline import PLACE, GoneError, Heard, Kept, camera_settings, frames, play, two

from privet.core.clock import FakeClock
from privet.core.frame import Frame
from privet.core.grid import unpack_bits
from privet.core.ids import CameraId
from privet.core.pb import pipe_pb2, scene_pb2
from privet.index.index import Index
from privet.index.rows import PromotionRow
from privet.ingest.synthetic import SyntheticSource
from privet.main.inspector import Inspector
from privet.main.metrics import HealthBook
from privet.main.publisher import Ledger, Publisher
from privet.worker.camera.pipeline import CameraPipeline

CAMERA = CameraId("gate")
BOX = (80, 80, 144, 160)
CAR = with_box(PLACE, BOX)
FPS = 5
ARRIVES, LEAVES, ENDS = 3 * FPS, 43 * FPS, 53 * FPS


class Visited(SyntheticSource):
    """The place, then a car that is parked in it and signed for, then the place again."""

    def __init__(self, clock: FakeClock, heard: Heard) -> None:
        super().__init__([PLACE] * ARRIVES + [CAR] * (LEAVES - ARRIVES) + [PLACE] * (ENDS - LEAVES), clock, fps=FPS, gop=FPS)
        self._fake, self._heard = clock, heard
        self.pipeline: CameraPipeline | None = None

    def frames(self) -> Iterator[Frame]:
        assert self.pipeline is not None
        for number, frame in enumerate(super().frames()):
            self._fake.monotonic = frame.monotonic_ns
            if number == LEAVES - 3 * FPS:
                self.pipeline.commission(pipe_pb2.CommissionOffer(camera=CAMERA, request=1))
            if number == LEAVES - 2 * FPS:
                (offer,) = (each for each in self._heard.messages if isinstance(each, pipe_pb2.Candidate))
                assert offer.answer == pipe_pb2.OFFER_ANSWER_OFFERED
                self.pipeline.commission(pipe_pb2.CommissionSign(camera=CAMERA, request=2, offer=offer.offer))
            yield frame


@pytest.fixture(scope="module")
def heard() -> Heard:
    """Everything that was said of the visit, of a place that was proven before."""
    clock, store, said = FakeClock(), Kept(), Heard()
    play(Heard(), store, [lambda: frames(clock, 100)], clock, two())
    source = Visited(clock, said)
    sources = iter([source])

    def open_source(_: object) -> SyntheticSource:
        try:
            return next(sources)
        except StopIteration:
            raise GoneError from None

    source.pipeline = CameraPipeline(camera_settings(), said, two(), store, clock, open_source, session=7)
    with suppress(GoneError):
        source.pipeline.run()
    return said


def worker_message(message: object) -> pipe_pb2.WorkerMessage | None:
    match message:
        case scene_pb2.SceneMessage():
            return pipe_pb2.WorkerMessage(camera=CAMERA, scene=message)
        case pipe_pb2.Promotion():
            return pipe_pb2.WorkerMessage(camera=CAMERA, promotion=message)
        case _:
            return None


def rows_of(heard: Heard, directory: Path) -> tuple[PromotionRow, ...]:
    """What the index has of it, by way of the supervisor's checks and the publisher."""
    index = Index.open(f"sqlite:///{directory / 'index.db'}")
    ledger = Ledger()
    publisher = Publisher(lambda *_: None, lambda *_: None, index, ledger, HealthBook())
    inspector = Inspector([CAMERA])
    for each in filter(None, map(worker_message, heard.messages)):
        taken = inspector.inspect(each.SerializeToString())
        if taken.WhichOneof("kind") == "promotion":
            publisher.promotion(CAMERA, taken.promotion)
    ledger.close()
    rows = index.promotions(CAMERA)
    index.close()
    return rows


def test_a_recalled_layer_leaves_a_row_with_its_number(heard: Heard, tmp_path: Path) -> None:
    rows = rows_of(heard, tmp_path)
    signed = [row for row in rows if row.commissioned_by == pipe_pb2.COMMISSIONING_SIGNATURE]
    back = [row for row in rows if row.commissioned_by == pipe_pb2.COMMISSIONING_LAYER]
    assert {row.layer for row in signed} == {0}
    assert back, "the car is gone: the place is what it was"
    assert {row.layer for row in back} == {1}
    shape = PLACE[0].shape[0] // 8, PLACE[0].shape[1] // 8
    parked = np.logical_or.reduce([unpack_bits(row.promoted, *shape) for row in back])
    assert parked[BOX[1] // 8 : BOX[3] // 8, BOX[0] // 8 : BOX[2] // 8].all()
    assert min(row.wall_ns for row in back) > max(row.wall_ns for row in signed)


def test_every_block_of_a_patch_has_its_row(heard: Heard, tmp_path: Path) -> None:
    grid = next(each.background.grid for each in heard.scenes("background"))
    shape = -(-grid.height_px // grid.block_px), -(-grid.width_px // grid.block_px)
    told: dict[int, np.ndarray] = {}
    for row in rows_of(heard, tmp_path):
        told[row.wall_ns] = told.get(row.wall_ns, np.zeros(shape, np.bool_)) | unpack_bits(row.promoted, *shape)
    patches = [each.patch for each in heard.scenes("patch")]
    assert len(patches) >= 2
    for patch in patches:
        painted = np.zeros(shape, np.bool_)
        rectangle = slice(patch.row, patch.row + patch.rows), slice(patch.column, patch.column + patch.columns)
        painted[rectangle] = unpack_bits(patch.promoted, patch.rows, patch.columns)
        assert np.array_equal(painted, told[patch.head.wall_ns])
