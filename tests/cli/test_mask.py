"""`privet mask` as a user calls it: the result, the report, and what is said of files that cannot be masked."""

from __future__ import annotations

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from demo.encode import FootageMissingError, View, find_footage, look

from privet.render.paint import COVER, COVER_UNPROVEN, UNPROVEN

FPS = 10
FRAMES = 260


def privet(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "privet", *arguments], capture_output=True, text=True, check=False, timeout=240
    )


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first 26 s of the footage as an MP4 with a keyframe every two seconds."""
    try:
        footage = find_footage()
    except FootageMissingError as error:
        pytest.skip(str(error))
    path = tmp_path_factory.mktemp("film") / "street.mp4"
    with av.open(str(footage)) as source, av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=FPS, options={"preset": "ultrafast", "g": "20", "bf": "0", "crf": "22"})
        stream.width, stream.height, stream.pix_fmt = 768, 576, "yuv420p"
        for number, picture in enumerate(source.decode(video=0)):
            if number == FRAMES:
                break
            shown = look(picture, View())
            shown.pts, shown.time_base = number, Fraction(1, FPS)
            out.mux(stream.encode(shown))
        out.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def masked(film: Path) -> tuple[Path, dict[str, object]]:
    result = film.with_name("masked.mp4")
    done = privet("mask", str(film), str(result), "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert isinstance(report, dict)
    return result, report


def test_the_report_tells_what_was_done(masked: tuple[Path, dict[str, object]]) -> None:
    path, report = masked
    assert report["frames_damaged"] == 0
    assert float(str(report["seconds"])) == pytest.approx(FRAMES / FPS, abs=0.5)
    assert 0.2 < float(str(report["proven_share"])) < 1
    assert 0 < float(str(report["covered_share"])) < 0.5
    assert int(str(report["looks"])) > 50
    assert report["output_bytes"] == path.stat().st_size


def test_the_result_plays_and_shows_place_silhouettes_and_unproven(masked: tuple[Path, dict[str, object]]) -> None:
    path, _ = masked
    probed = subprocess.run(["ffprobe", "-v", "error", str(path)], capture_output=True, text=True, check=False)
    assert (probed.returncode, probed.stderr) == (0, "")
    with av.open(str(path)) as container:
        assert [stream.type for stream in container.streams] == ["video"]
        pictures = [picture.to_ndarray(format="rgb24") for picture in container.decode(video=0)]
    assert len(pictures) == pytest.approx(FRAMES / 2, abs=3)
    place = pictures[len(pictures) // 2][:576].astype(int)

    def share(colour: tuple[int, int, int]) -> float:
        return float((np.abs(place - np.array(colour)).max(axis=2) <= 10).mean())

    assert share(COVER) + share(COVER_UNPROVEN) > 0.005
    assert share(UNPROVEN) > 0.05
    assert share(COVER) + share(COVER_UNPROVEN) + share(UNPROVEN) < 0.9


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("missing.mp4", "out.mp4"), "does not exist"),
        (("text.mp4", "out.mp4"), "no video that can be decoded"),
        (("text.mp4", "out.avi"), "ends in .mp4"),
        (("text.mp4", "there.mp4"), "--force"),
        (("there.mp4", "there.mp4"), "is the film itself"),
    ],
)
def test_a_mistake_is_answered_with_one_sentence(tmp_path: Path, arguments: tuple[str, str], said: str) -> None:
    (tmp_path / "text.mp4").write_text("this is no film")
    (tmp_path / "there.mp4").write_text("this is no film, either")
    done = privet("mask", str(tmp_path / arguments[0]), str(tmp_path / arguments[1]))
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out.mp4").exists()
