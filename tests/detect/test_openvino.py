"""The detectors themselves, on real footage and on maps made by hand."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from privet.core.errors import DetectorError
from privet.core.frame import Frame, Matrix
from privet.core.grid import Grid
from privet.detect.openvino import (
    BGR_DEVIATION,
    BGR_MEAN,
    INPUTS_PX,
    Boxes,
    Detector,
    FaceDetector,
    NanoDetector,
    PedestrianDetector,
    bodies_of_faces,
    decode_distances,
    decode_faces,
    load_detectors,
    normalised_bgr,
    without_nested,
)
from privet.ingest.decode import planes
from privet.scene.proof.looks import TRANSFORMS, blocks_hit, tiles
from privet.scene.proof.views import Tile, Transform, input_to_picture, sample

DOCS = Path("/usr/share/doc/opencv-doc/examples/data")
FOOTAGE = DOCS / "vtest.avi"
NUMBER = 100
PEOPLE_PX = ((380, 178, 409, 256), (495, 149, 518, 219), (520, 149, 543, 219), (593, 154, 617, 235), (418, 178, 444, 261))
"""Where people are in that frame: left, top, right, bottom."""


@pytest.fixture(scope="module")
def detectors() -> tuple[Detector, ...]:
    return load_detectors("CPU", 0.15)


@pytest.fixture(scope="module")
def frame() -> Iterator[Frame]:
    if not FOOTAGE.is_file():
        pytest.skip("vtest.avi of Debian's opencv-doc is not installed: `make setup` does it")
    with av.open(str(FOOTAGE)) as container:
        for number, picture in enumerate(container.decode(video=0)):
            if number == NUMBER:
                y, u, v = planes(picture)
                yield Frame(y, u, v, 0, 0, True, True, Matrix.BT601)
                return


def test_two_detectors_of_people_and_one_of_faces(detectors: tuple[Detector, ...]) -> None:
    assert [type(detector) for detector in detectors] == [PedestrianDetector, NanoDetector, FaceDetector]
    assert tuple(detector.input_px for detector in detectors) == INPUTS_PX
    assert len({type(detector) for detector in detectors}) == len(detectors)
    assert len({detector.name for detector in detectors}) == len(detectors)
    for detector in detectors:
        height, width = detector.input_px
        found = detector.find(np.zeros((0, height, width, 3), np.uint8))
        assert found == []


@pytest.mark.parametrize(("which", "most"), [(0, 0.15), (1, 0.25)], ids=["pedestrian-ssdlite", "nanodet"])
@pytest.mark.parametrize("across", [1, 2])
@pytest.mark.parametrize("transform", TRANSFORMS, ids=str)
def test_people_are_found_in_every_view(
    detectors: tuple[Detector, ...], frame: Frame, transform: Transform, across: int, which: int, most: float
) -> None:
    """In the whole picture and in tiles, however it is turned, mirrored and shifted, and where they stand."""
    detector = detectors[which]
    grid = Grid(frame.width_px, frame.height_px)
    hit = np.zeros(grid.shape, np.bool_)
    for tile in tiles(grid.width_px, grid.height_px, across, 72, grid.block_px):
        affine = input_to_picture(tile, transform, *detector.input_px)
        boxes = detector.find(sample(frame, affine, *detector.input_px)[None])[0]
        assert boxes.dtype == np.float32
        hit |= blocks_hit(grid, affine, boxes, detector.input_px)
    for left, top, right, bottom in PEOPLE_PX:
        assert hit[top // 8 : bottom // 8, left // 8 : right // 8].mean() > 0.8
    assert hit.mean() < most, "and not everywhere"


@pytest.mark.parametrize("level", [56, 128, 200, 255])
def test_a_flat_picture_holds_nobody(detectors: tuple[Detector, ...], level: int) -> None:
    for detector in detectors:
        assert [len(found) for found in detector.find(np.full((2, *detector.input_px, 3), level, np.uint8))] == [0, 0]


def test_a_face_is_found_and_its_body_is_below_it(detectors: tuple[Detector, ...]) -> None:
    portrait = DOCS / "messi5.jpg"
    if not portrait.is_file():
        pytest.skip("messi5.jpg of Debian's opencv-doc is not installed: `make setup` does it")
    with av.open(str(portrait)) as container:
        y, u, v = planes(next(container.decode(video=0)))
    detector = detectors[-1]
    assert isinstance(detector, FaceDetector)
    view = sample(
        Frame(y, u, v, 0, 0, True, True, Matrix.BT601),
        input_to_picture(Tile(0, 0, y.shape[1], y.shape[0]), Transform(), *detector.input_px), *detector.input_px,
    )
    boxes = detector.find(view[None])[0]
    assert len(boxes)
    below = boxes[:, 3] - boxes[:, 1]
    assert (below > boxes[:, 2] - boxes[:, 0]).all(), "taller than wide, as far as it may reach"
    assert boxes[:, 1].min() < 0.5


def test_threads_take_turns(detectors: tuple[Detector, ...], frame: Frame) -> None:
    detector = detectors[1]
    affine = input_to_picture(Tile(0, 0, frame.width_px, frame.height_px), Transform(), *detector.input_px)
    crowd = sample(frame, affine, *detector.input_px)
    nobody = np.full_like(crowd, 128)
    alone = [len(detector.find(picture[None])[0]) for picture in (crowd, nobody)]
    assert alone[0] > 0
    with ThreadPoolExecutor(2) as threads:
        together = list(threads.map(lambda picture: len(detector.find(picture[None])[0]), [crowd, nobody] * 8))
    assert together == alone * 8


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="on one core there is nowhere else to be")
def test_looks_go_to_whichever_core_is_idle(detectors: tuple[Detector, ...]) -> None:
    allowed, looking, seen = os.sched_getaffinity(0), threading.get_native_id(), set()
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            seen.add(frozenset(os.sched_getaffinity(looking)))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for detector in detectors:
            for _ in range(5):
                detector.find(np.full((1, *detector.input_px, 3), 128, np.uint8))
    finally:
        over.set()
        watcher.join()
    assert seen == {frozenset(allowed)}


def test_what_the_runtime_refuses_is_an_error_of_ours(detectors: tuple[Detector, ...]) -> None:
    for detector in detectors:
        height, width = detector.input_px
        with pytest.raises(DetectorError, match=f"{detector.name} fails"):
            detector.find(np.zeros((1, height - 1, width, 3), np.uint8))


def one_cell(cells: int, cell: int, bins: tuple[int, int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """NanoDet's maps where one cell is sure of a person and of the four distances, out of eleven each."""
    scores, sides = np.zeros(cells, np.float32), np.zeros((cells, 44), np.float32)
    scores[cell] = 0.9
    for side, distance in enumerate(bins):
        sides[cell, side * 11 + distance] = 50.0
    return scores, sides


def test_decoding_of_one_person() -> None:
    scores, sides = one_cell(8 * 10, 3 * 10 + 5, (1, 2, 3, 4))
    found = decode_distances(scores, sides, 8, 0.5, (64, 80))
    x, y = (5 + 0.5) * 8, (3 + 0.5) * 8
    assert np.allclose(found, [[(x - 8) / 80, (y - 16) / 64, (x + 24) / 80, (y + 32) / 64]], atol=1e-5)
    assert found.dtype == np.float32
    assert decode_distances(scores, sides, 8, 0.91, (64, 80)).shape == (0, 4)


@given(st.integers(0, 15), st.lists(st.floats(-30, 30, width=32), min_size=44, max_size=44))
def test_distances_are_means_of_their_distributions(cell: int, logits: list[float]) -> None:
    scores, sides = np.zeros(16, np.float32), np.zeros((16, 44), np.float32)
    scores[cell], sides[cell] = 1.0, logits
    found = decode_distances(scores, sides, 32, 0.5, (128, 128))[0] * 128
    weight = np.exp(np.array(logits, np.float64).reshape(4, 11))
    left, top, right, bottom = (weight / weight.sum(axis=1, keepdims=True) * np.arange(11)).sum(axis=1) * 32
    x, y = (cell % 4 + 0.5) * 32, (cell // 4 + 0.5) * 32
    assert np.allclose(found, np.clip([x - left, y - top, x + right, y + bottom], 0, 128), atol=0.05)


@given(arrays(np.uint8, (4, 6, 3)))
def test_normalising_turns_the_colours_round(picture: np.ndarray) -> None:
    plain = (picture[..., ::-1].astype(np.float64) - BGR_MEAN) / BGR_DEVIATION
    assert np.allclose(normalised_bgr(picture), plain.transpose(2, 0, 1)[None], atol=1e-5)


@given(arrays(np.float32, st.tuples(st.integers(0, 12), st.just(4)), elements=st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])))
def test_boxes_in_others_go_and_no_area_is_lost(corners: np.ndarray) -> None:
    boxes = np.concatenate([np.minimum(corners[:, :2], corners[:, 2:]), np.maximum(corners[:, :2], corners[:, 2:])], axis=1)
    kept = without_nested(boxes)
    def within(inner: np.ndarray, outer: np.ndarray) -> bool:
        return bool((inner[:2] >= outer[:2]).all() and (inner[2:] <= outer[2:]).all())

    assert all(any(within(box, other) for other in kept) for box in boxes)
    assert not any(within(a, b) for i, a in enumerate(kept) for j, b in enumerate(kept) if i != j)
    assert {tuple(box) for box in kept} <= {tuple(box) for box in boxes}


def maps(height: int = 8, width: int = 10) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.zeros((height, width), np.float32), np.zeros((2, height, width), np.float32), np.zeros((2, height, width), np.float32)


def test_decoding_of_one_face() -> None:
    heat, size, offset = maps()
    heat[3, 5] = 0.6
    size[:, 3, 5] = np.log([4.0, 2.0])      # 16 px high, 8 px wide
    offset[:, 3, 5] = [0.25, -0.5]          # down, across
    found = decode_faces(heat, size, offset, 0.5, (32, 40))
    centre_y, centre_x = (3 + 0.25 + 0.5) * 4, (5 - 0.5 + 0.5) * 4
    expected = [(centre_x - 4) / 40, (centre_y - 8) / 32, (centre_x + 4) / 40, (centre_y + 8) / 32]
    assert found.shape == (1, 4)
    assert np.allclose(found[0], expected, atol=1e-6)
    assert not len(decode_faces(heat, size, offset, 0.61, (32, 40)))


@given(arrays(np.float32, (8, 10), elements=st.floats(0, 1, width=32)), st.floats(0.05, 1), st.integers(0, 99))
def test_decoding_finds_what_is_warm_enough(heat: np.ndarray, threshold: float, seed: int) -> None:
    draw = np.random.default_rng(seed)
    size, offset = draw.normal(0, 1, (2, 8, 10)).astype(np.float32), draw.normal(0, 1, (2, 8, 10)).astype(np.float32)
    found = decode_faces(heat, size, offset, threshold, (32, 40))
    assert found.shape == (int((heat >= np.float32(threshold)).sum()), 4)
    assert found.dtype == np.float32
    assert (found >= 0).all()
    assert (found <= 1).all()
    assert (found[:, 2] >= found[:, 0]).all()
    assert (found[:, 3] >= found[:, 1]).all()


def test_no_face_no_body() -> None:
    assert bodies_of_faces(np.zeros((0, 4), np.float32)).shape == (0, 4)


@st.composite
def faces(draw: st.DrawFn) -> Boxes:
    left, top = draw(st.floats(0, 0.9)), draw(st.floats(0, 0.9))
    width, height = draw(st.floats(0.01, 0.1)), draw(st.floats(0.01, 0.1))
    return np.array([[left, top, left + width, top + height]], np.float32)


@given(faces())
def test_bodies_hold_their_faces(face: Boxes) -> None:
    body = bodies_of_faces(face)
    assert body.shape == (1, 4)
    assert (body[0, :2] <= face[0, :2]).all()
    assert (body[0, 2:] >= face[0, 2:]).all()
    width, height = face[0, 2] - face[0, 0], face[0, 3] - face[0, 1]
    assert np.isclose((body[0, 0] + body[0, 2]) / 2, (face[0, 0] + face[0, 2]) / 2, atol=1e-5)
    assert np.isclose(body[0, 2] - body[0, 0], 3 * width, atol=1e-5)
    assert np.isclose(body[0, 3], face[0, 1] + 7.5 * height, atol=1e-5)
