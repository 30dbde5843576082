"""privet doctor: the words for what a probe measured, and a real run against a file."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from privet.cli.doctor import clock_state, doctor
from privet.cli.findings import Finding, Level, judge_camera, judge_sub
from privet.core.clock import NS_PER_S
from privet.core.scene import Reason
from privet.pipe.jobs import Measured
from privet.worker.jobs.probe import focus, frame_rate_milli, keyframe_interval_ns
from privet.worker.jobs.rehearsal import encode_film

GOOD = Measured(
    reason=int(Reason.NONE), width_px=1920, height_px=1080, frames=150, fps_milli=25_000, keyframe_interval_ms=2000,
    focus_milli=250_000, brightness=120,
)


def levels(found: Measured) -> list[Level]:
    return [finding.level for finding in judge_camera("gate", found)]


def changed(**values: int) -> Measured:
    return Measured(**{name: getattr(GOOD, name) for name in GOOD.__slots__} | values)


def test_a_good_camera_is_one_line_with_its_numbers() -> None:
    (finding,) = judge_camera("gate", GOOD)
    assert finding.level is Level.OK
    assert finding.what.startswith("1920x1080, 25.0 frames/s, a keyframe every 2.0 s, focus 250")


@pytest.mark.parametrize(
    ("found", "level", "words"),
    [
        (changed(height_px=240), Level.WRONG, "only 240 px"),
        (changed(keyframe_interval_ms=20_000), Level.WRONG, "every 20.0 s"),
        (changed(keyframe_interval_ms=0), Level.WRONG, "one keyframe"),
        (changed(damaged=50), Level.WRONG, "50 of 150"),
        (changed(brightness=5, focus_milli=0), Level.NOTE, "black"),
        (changed(focus_milli=3_000), Level.NOTE, "out of focus"),
    ],
)
def test_what_is_wrong_is_named_with_what_to_do(found: Measured, level: Level, words: str) -> None:
    problems = [finding for finding in judge_camera("gate", found) if finding.level is not Level.OK]
    assert [finding.level for finding in problems] == [level]
    assert words in problems[0].what
    assert problems[0].advice


SMALL = changed(width_px=640, height_px=360, fps_milli=5_000)


def test_a_good_sub_stream_is_one_line() -> None:
    assert list(judge_sub("gate", GOOD, SMALL, 5.0)) == [
        Finding(Level.OK, "camera gate, sub-stream", "640x360, 5.0 frames/s, a keyframe every 2.0 s")
    ]


@pytest.mark.parametrize(
    ("values", "level", "words", "advice"),
    [
        ({"fps_milli": 25_000}, Level.NOTE, "all its 25 pictures a second are decoded, and 5 are looked at", "5 a second"),
        ({"width_px": 1280, "height_px": 720}, Level.NOTE, "larger than need be", "640x360"),
        ({"width_px": 1920, "height_px": 1080}, Level.WRONG, "not smaller than the main stream's", "exchange"),
        ({"keyframe_interval_ms": 20_000}, Level.WRONG, "every 20.0 s", "2 s"),
        ({"damaged": 50}, Level.WRONG, "50 of 150", "network"),
    ],
)
def test_what_a_sub_stream_costs_in_vain_is_said(values: dict[str, int], level: Level, words: str, advice: str) -> None:
    _, problem = judge_sub("gate", GOOD, dataclasses.replace(SMALL, **values), 5.0)
    assert problem.level is level
    assert words in problem.what
    assert advice in problem.advice


def test_a_sub_stream_that_is_not_there_is_named_by_its_setting() -> None:
    (finding,) = judge_sub("gate", GOOD, Measured(reason=int(Reason.NOT_FOUND)), 5.0)
    assert (finding.level, finding.about) == (Level.WRONG, "camera gate, sub-stream")
    assert "`sub_url`" in finding.advice


@given(st.integers(0, 30))
def test_every_reason_has_words_and_advice(reason: int) -> None:
    if reason == Reason.NONE:
        return
    (finding,) = judge_camera("gate", Measured(reason=reason))
    assert finding == Finding(Level.WRONG, "camera gate", finding.what, finding.advice)
    assert finding.what
    assert finding.advice


def test_blur_lowers_the_focus_number_and_flatness_has_none() -> None:
    sharp = np.random.default_rng(3).integers(0, 256, (64, 64), np.uint8)
    blurred = (sharp[:-1, :-1].astype(int) + sharp[1:, 1:] + sharp[:-1, 1:] + sharp[1:, :-1]) // 4
    assert focus(sharp) > 2 * focus(blurred.astype(np.uint8)) > 0
    assert focus(np.full((9, 9), 77, np.uint8)) == 0.0
    assert focus(np.zeros((0, 0), np.uint8)) == focus(np.zeros((2, 9), np.uint8)) == 0.0


@given(st.integers(2, 1000), st.integers(1, 240))
def test_frame_rate_and_interval_come_back(frames: int, fps: int) -> None:
    times_ns = [number * NS_PER_S // fps for number in range(frames)]
    assert abs(frame_rate_milli(frames, times_ns[0], times_ns[-1]) - fps * 1000) <= 1 + fps * fps * 1000 // NS_PER_S
    assert abs(keyframe_interval_ns(times_ns) - NS_PER_S // fps) <= 1
    assert frame_rate_milli(1, 0, 0) == keyframe_interval_ns([5]) == keyframe_interval_ns([]) == 0


def test_the_clock_is_asked_and_not_changed() -> None:
    assert -1 <= clock_state() <= 5


@pytest.mark.parametrize(
    ("classes", "says"),
    [
        ('"person"', r"^wrong detectors: .*people\.onnx is not there.*nothing can be proven"),
        ('"face_id", "person"', r"^wrong detectors: .*'face_id' tells people apart"),
    ],
)
def test_a_model_of_the_site_s_own_is_tried(tmp_path: Path, classes: str, says: str) -> None:
    config = tmp_path / "privet.toml"
    config.write_text(f'[detect]\nown_model = "people.onnx"\nown_model_classes = [{classes}]\n')
    result = CliRunner().invoke(doctor, ["--config", str(config), "--no-cameras"], standalone_mode=False)
    assert result.return_value == 1
    assert re.search(says, result.output, re.MULTILINE), result.output


def test_a_file_is_looked_at_by_a_process_of_its_own(tmp_path: Path) -> None:
    encode_film(tmp_path / "a.mp4", 640, 480)
    encode_film(tmp_path / "small.mp4", 320, 240)
    config = tmp_path / "privet.toml"
    config.write_text(
        '[cameras.gate]\nplace = "a"\npurpose = "b"\ncontroller = "c"\nurl = "file:a.mp4"\nsub_url = "file:small.mp4"\n'
        '[cameras.yard]\nplace = "a"\npurpose = "b"\ncontroller = "c"\nurl = "file:missing.mp4"\n'
    )
    result = CliRunner().invoke(doctor, ["--config", str(config)], standalone_mode=False)
    assert result.return_value == 1
    said = result.output
    assert re.search(r"^ok    camera gate: 640x480, 5\.0 frames/s, a keyframe every 1\.0 s, focus \d+", said, re.MULTILINE)
    assert re.search(r"^ok    camera gate, sub-stream: 320x240, 5\.0 frames/s, a keyframe every 1\.0 s$", said, re.MULTILINE)
    assert re.search(r"^wrong camera yard: ", said, re.MULTILINE)
    assert re.search(r"^ok    detectors: 3 load on CPU", said, re.MULTILINE)
    assert re.search(r"^\w+ +sandbox: ", said, re.MULTILINE)
    assert not (tmp_path / "data").exists()
