"""The page of measured privacy: written from the committed figures alone, and nothing of it edited by hand."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from bench.privacy.page import FIGURES, PAGE, main, merge, page
from bench.privacy.scenarios.cases import SCENARIOS


def test_the_page_is_what_the_figures_say() -> None:
    assert PAGE.read_text() == page(json.loads(FIGURES.read_text()))


def test_every_picture_is_there() -> None:
    linked = re.findall(r"\]\((\S*pictures/\S+)\)", PAGE.read_text())
    assert linked
    assert [each for each in linked if not (PAGE.parent / each).is_file()] == []


def test_every_scenario_is_measured_and_none_leaks() -> None:
    measured = json.loads(FIGURES.read_text())["scenarios"]
    assert set(measured) == set(SCENARIOS)
    assert [name for name, each in measured.items() if each["leaked_person_frames"] or each["leaked_person_frames_image"]] == []


def test_what_is_measured_anew_replaces_what_was_there() -> None:
    before = {"scenarios": {"rain": 1, "shake": 2}, "sequence": {"covered_50": 0.5, "attack": {}}}
    after = merge(merge(before, {"scenarios": {"rain": 3}}), {"covered_50": 1.0})
    assert after == {"scenarios": {"rain": 3, "shake": 2}, "sequence": {"covered_50": 1.0, "attack": {}}}


def test_a_file_that_is_no_result_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.json").write_text("{")
    monkeypatch.setattr("sys.argv", ["page", str(tmp_path / "a.json")])
    assert main() == 2
    assert "a.json" in capsys.readouterr().err
