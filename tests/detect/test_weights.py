"""Weight files: the right one is found, another is refused with a sentence that says what to do."""

from __future__ import annotations

import hashlib
import sysconfig
from dataclasses import replace
from pathlib import Path

import pytest

from privet.core.errors import DetectorError
from privet.detect.openvino import FaceDetector, load_detectors
from privet.detect.weights import ALL_WEIGHTS, CENTERFACE, NANODET, Weights, locate, weights_directory


@pytest.mark.parametrize("weights", ALL_WEIGHTS, ids=lambda weights: weights.name)
def test_the_right_file_is_found(weights: Weights) -> None:
    path = locate(weights)
    assert path.name == weights.file
    assert hashlib.sha256(path.read_bytes()).hexdigest() == weights.sha256


def package_with(directory: Path, content: bytes, monkeypatch: pytest.MonkeyPatch, name: str) -> Weights:
    """A package on the path that holds `content` as its weights."""
    package = directory / name
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('it must not be imported')\n", encoding="utf-8")
    (package / "weights.onnx").write_bytes(content)
    monkeypatch.syspath_prepend(str(directory))
    return replace(CENTERFACE, name="made-up", package=name, version="1.2", file="weights.onnx")


def test_another_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made_up = package_with(tmp_path, b"something else", monkeypatch, "privet_test_other_weights")
    found = hashlib.sha256(b"something else").hexdigest()
    with pytest.raises(DetectorError) as caught:
        locate(made_up)
    assert str(caught.value) == (
        f"made-up: {tmp_path / made_up.package / 'weights.onnx'} has SHA-256 {found}, expected {made_up.sha256}: "
        "install privet_test_other_weights 1.2 again"
    )


def test_one_changed_byte_is_another_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = bytearray(locate(CENTERFACE).read_bytes())
    made_up = package_with(tmp_path, bytes(content), monkeypatch, "privet_test_same_weights")
    assert locate(made_up).is_file()
    content[len(content) // 2] ^= 1
    (tmp_path / made_up.package / made_up.file).write_bytes(bytes(content))
    with pytest.raises(DetectorError, match="has SHA-256"):
        locate(made_up)


def test_a_missing_package_says_what_to_do() -> None:
    absent = replace(CENTERFACE, package="privet_test_no_such_package")
    with pytest.raises(DetectorError, match=r"privet_test_no_such_package 1\.5\.0 is not installed: run `make setup`"):
        locate(absent)


def test_a_package_without_the_file_counts_as_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made_up = package_with(tmp_path, b"", monkeypatch, "privet_test_empty_package")
    with pytest.raises(DetectorError, match="is not installed"):
        locate(replace(made_up, file="other.onnx"))


def test_weights_of_no_python_package_say_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They lie in the environment's data directory; missing and changed ones are told apart."""
    right = locate(NANODET)
    assert right.parent == weights_directory()
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path / name))
    with pytest.raises(DetectorError, match=r"nanodet: .*nanodet\.pb is not there: run `make setup`, or `python scripts/fetch_models\.py`"):
        locate(NANODET)
    weights_directory().mkdir(parents=True)
    (weights_directory() / NANODET.file).write_bytes(right.read_bytes()[:-1])
    with pytest.raises(DetectorError, match=r"has SHA-256 .* remove it and run `make setup`"):
        locate(NANODET)


@pytest.mark.parametrize("device", ["NO_SUCH_DEVICE"])
def test_a_device_that_is_not_there_is_an_error_of_ours(device: str) -> None:
    with pytest.raises(DetectorError, match=f"does not load on {device}"):
        load_detectors(device, 0.15)
    with pytest.raises(DetectorError, match="centerface does not load"):
        FaceDetector(device, 0.3)
