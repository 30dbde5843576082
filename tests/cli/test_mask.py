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
from tests.films import FIXED, ON_ITS_SIDE, UNIT_W, write_film

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


def test_a_film_on_its_side_in_wide_pixels_comes_out_upright_square_and_untagged(tmp_path: Path) -> None:
    seen = np.random.default_rng(1).integers(60, 180, (96, 64, 3), np.uint8)
    film = write_film(tmp_path / "phone.mp4", [ON_ITS_SIDE.stored(seen)] * 30, ON_ITS_SIDE.matrix, Fraction(2))
    done = privet("mask", str(film), str(tmp_path / "out.mp4"), "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    with av.open(str(tmp_path / "out.mp4")) as container:
        stream = container.streams.video[0]
        picture = next(container.decode(stream))
        assert (picture.width, picture.height) == (report["width_px"], report["height_px"])
        assert stream.sample_aspect_ratio in (None, 1)
        assert picture.side_data.get("DISPLAYMATRIX") is None
    assert report["width_px"] == 64
    assert report["height_px"] > 2 * 96         # and the caption


@pytest.mark.parametrize(
    ("matrix", "aspect", "said"),
    [
        ([46341, 46341, 0, -46341, 46341, 0, 0, 0, UNIT_W], None, "has a rotation tag of 45 degrees"),
        ([FIXED, 0, 0, FIXED, FIXED, 0, 0, 0, UNIT_W], None, "has a rotation tag that is no rotation"),
        (None, Fraction(1, 9), "says that its pixels are 0.1111 times as wide"),
    ],
    ids=["tilted", "sheared", "thin"],
)
def test_a_film_that_cannot_be_set_upright_is_refused_in_one_sentence(
    tmp_path: Path, matrix: list[int] | None, aspect: Fraction | None, said: str
) -> None:
    film = write_film(tmp_path / "odd.mp4", [np.full((96, 128, 3), 90, np.uint8)] * 20, matrix, aspect)
    done = privet("mask", str(film), str(tmp_path / "out.mp4"))
    assert done.returncode == 2
    assert f"odd.mp4 {said}" in done.stderr
    assert "convert it to" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out.mp4").exists()
