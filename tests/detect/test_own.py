"""A site's own model: read in both forms, and refused with a sentence wherever it is not one that finds people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openvino import opset13 as ops

from privet.config.models import Detect
from privet.core.errors import DetectorError
from privet.detect.openvino import OwnDetector, inputs_px, load_detectors
from privet.detect.own import Answers, OwnModel, Port, check_classes, check_file, check_input, check_outputs, read_answers

SIZE = (32, 64)
OWN = OwnModel(Path("own.onnx"), SIZE, ("person", "car"))
PICTURE = Port("images", (1, 3, *SIZE))


def refusal(error: pytest.ExceptionInfo[DetectorError]) -> str:
    return str(error.value)


@pytest.mark.parametrize("classes", [(), ("car", "dog"), ("Person",)])
def test_a_model_that_does_not_know_people_is_refused(classes: tuple[str, ...]) -> None:
    with pytest.raises(DetectorError, match="no class is called 'person'"):
        check_classes(OwnModel(Path("x.onnx"), SIZE, classes))


@pytest.mark.parametrize(
    "name", ["female", "woman", "age", "gender", "identity", "face_id", "licence plate", "license_plate", "emotion", "reid", "Name"]
)
def test_a_class_about_who_somebody_is_is_refused(name: str) -> None:
    with pytest.raises(DetectorError, match="tells people apart"):
        check_classes(OwnModel(Path("x.onnx"), SIZE, ("person", name)))


@pytest.mark.parametrize("name", ["car", "bicycle", "traffic light", "backpack", "cage", "manhole", "garage", "train"])
def test_honest_classes_are_not(name: str) -> None:
    assert check_classes(OwnModel(Path("x.onnx"), SIZE, (name, "person"))) == 1


def test_files(tmp_path: Path) -> None:
    with pytest.raises(DetectorError, match=r"kind '\.pt'; take ONNX"):
        check_file(OwnModel(tmp_path / "x.pt", SIZE, ()))
    with pytest.raises(DetectorError, match=r"is not there: detect\.own_model names it"):
        check_file(OwnModel(tmp_path / "x.onnx", SIZE, ()))


@pytest.mark.parametrize(
    ("shape", "first"),
    [((1, 3, 32, 64), True), ((None, 3, None, None), True), ((1, 32, 64, 3), False), ((None, None, None, 3), False)],
)
def test_inputs_that_are_read(shape: tuple[int | None, ...], first: bool) -> None:
    assert check_input(OWN, [Port("images", shape)]) is first


@pytest.mark.parametrize("shape", [(), (1, 3, 64, 32), (1, 4, 32, 64), (2, 3, 32, 64), (1, 3, 32), (None, None, None, None)])
def test_inputs_that_are_not(shape: tuple[int | None, ...]) -> None:
    with pytest.raises(DetectorError, match=r"set detect\.own_model_height_px"):
        check_input(OWN, [Port("images", shape)])


def test_two_inputs_are_refused() -> None:
    with pytest.raises(DetectorError, match=r"2 inputs \(images, images\), expected one picture"):
        check_input(OWN, [PICTURE, PICTURE])


def test_outputs_that_are_read() -> None:
    assert check_outputs(OWN, [Port("output0", (1, 6, None))]) == Answers(single=0)
    named = [Port("detection_scores", (1, 10)), Port("detection_boxes", (1, 10, 4)), Port("detection_classes", (1, 10))]
    assert check_outputs(OWN, named) == Answers(boxes=1, scores=0, labels=2)
    alone = OwnModel(Path("x.onnx"), SIZE, ("person",))
    assert check_outputs(alone, [Port("boxes", (None, 4)), Port("scores", (None,))]) == Answers(boxes=0, scores=1)


@pytest.mark.parametrize(
    ("outputs", "says"),
    [
        ([Port("output0", (1, 84, 8400))], "expected 1 x 6 x n"),
        ([Port("boxes", (5, 4)), Port("scores", (5,)), Port("embeddings", (5, 128))], "tells people apart"),
        ([Port("boxes", (5, 4)), Port("scores", (5,)), Port("masks", (5, 28, 28))], "neither boxes nor scores nor labels"),
        ([Port("boxes", (5, 4)), Port("scores", (5,))], "no output with labels"),
        ([Port("scores", (5,)), Port("labels", (5,))], "no output is called boxes"),
        ([Port("boxes", (5, 5)), Port("scores", (5,)), Port("labels", (5,))], "cannot be read as boxes"),
        ([], "no output is called boxes or scores"),
    ],
)
def test_outputs_that_are_not(outputs: list[Port], says: str) -> None:
    with pytest.raises(DetectorError) as caught:
        check_outputs(OWN, outputs)
    assert says in refusal(caught)


def test_the_input_error_names_settings_that_exist() -> None:
    with pytest.raises(DetectorError) as caught:
        check_input(OWN, [Port("images", ())])
    named = [word.strip(",:.") for word in refusal(caught).split() if word.startswith("detect.")]
    assert named
    assert all(name.removeprefix("detect.") in Detect.model_fields for name in named)


@given(st.floats(0.1, 0.9), st.floats(0.1, 0.9), st.floats(0.02, 0.2), st.floats(0.02, 0.2), st.floats(0.2, 1.0))
def test_both_forms_say_the_same(x: float, y: float, width: float, height: float, score: float) -> None:
    """One person and one car, told in either form and in any unit."""
    size = np.array([SIZE[1], SIZE[0], SIZE[1], SIZE[0]])
    corners = np.array([x - width / 2, y - height / 2, x + width / 2, y + height / 2])
    expected = np.clip(corners, 0, 1)
    single = np.zeros((1, 6, 3), np.float32)
    single[0, :4, 1], single[0, 4, 1] = np.array([x, y, width, height]) * size, score
    single[0, :4, 2], single[0, 5, 2] = [1, 1, 2, 2], 1.0
    found = read_answers(OWN, Answers(single=0), [single], 0, 0.1)
    assert found.shape == (1, 4)
    assert np.allclose(found[0], expected, atol=1e-5)
    scores, labels = np.array([[score, 1.0]], np.float32), np.array([[0, 1]], np.float32)
    for corner, told in (("pixels", corners * size), ("fractions", corners), ("fractions-y-first", corners[[1, 0, 3, 2]])):
        own = OwnModel(OWN.path, SIZE, OWN.classes, corners=corner)  # type: ignore[arg-type]  # mypy does not narrow a loop's strings
        boxes = np.stack([told, [0, 0, 1, 1]])[None].astype(np.float32)
        again = read_answers(own, Answers(boxes=0, scores=1, labels=2), [boxes, scores, labels], 0, 0.1)
        assert np.allclose(again, found, atol=1e-5)
    assert not len(read_answers(OWN, Answers(single=0), [single], 0, score + 0.1))


def test_answers_of_different_lengths_are_refused() -> None:
    tensors = [np.zeros((2, 4), np.float32), np.zeros(3, np.float32)]
    with pytest.raises(DetectorError, match="2 boxes, 3 scores and 3 labels do not belong together"):
        read_answers(OWN, Answers(boxes=0, scores=1), tensors, 0, 0.1)


def bright_spot_model(directory: Path, name: str = "scores") -> Path:
    """A real model: it finds one person, the middle of the picture, as surely as the picture is bright."""
    picture = ops.parameter([1, 3, *SIZE], np.float32, name="images")
    brightness = ops.reduce_mean(picture, ops.constant(np.array([1, 2, 3])), False)
    brightness.output(0).set_names({name})
    box = ops.add(ops.constant(np.array([[16, 8, 48, 24]], np.float32)), ops.constant(np.zeros((1, 4), np.float32)))
    box.output(0).set_names({"boxes"})
    path = directory / "own.xml"
    openvino.save_model(openvino.Model([ops.result(box), ops.result(brightness)], [picture], "own"), path)
    return path


def test_a_model_that_runs(tmp_path: Path) -> None:
    own = OwnModel(bright_spot_model(tmp_path), SIZE, ("person",))
    detector = OwnDetector(own, "CPU", 0.5)
    pictures = np.stack([np.full((*SIZE, 3), level, np.uint8) for level in (20, 200)])
    dark, bright = detector.find(pictures)
    assert dark.shape == (0, 4)
    assert np.allclose(bright, [[0.25, 0.25, 0.75, 0.75]], atol=1e-3)
    with pytest.raises(DetectorError, match="own-model fails"):
        detector.find(pictures[:, :-1])


def test_it_is_one_detector_more(tmp_path: Path) -> None:
    own = OwnModel(bright_spot_model(tmp_path), SIZE, ("person",))
    detectors = load_detectors("CPU", 0.15, own=own)
    assert [each.input_px for each in detectors] == list(inputs_px(own))
    assert len(detectors) == len(inputs_px()) + 1


def test_a_model_that_identifies_does_not_load(tmp_path: Path) -> None:
    own = OwnModel(bright_spot_model(tmp_path, "face_embedding"), SIZE, ("person",))
    with pytest.raises(DetectorError, match="tells people apart"):
        OwnDetector(own, "CPU", 0.5)


def test_a_file_that_is_no_model_is_an_error_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "own.onnx"
    path.write_bytes(b"not a model")
    with pytest.raises(DetectorError, match="does not load on CPU"):
        OwnDetector(OwnModel(path, SIZE, ("person",)), "CPU", 0.5)
