"""`privet export` on recordings that the recorder wrote, through the command line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from click.testing import CliRunner, Result
from tests.render.places import T0, S, background, block, cover, state, texture

from privet.cli.export import EXIT_NOTHING_RECORDED, Wanted, film_fps, nearest
from privet.cli.main import privet
from privet.core.clock import FakeClock
from privet.core.grid import Grid
from privet.core.ids import CameraId
from privet.core.pb import scene_pb2 as pb
from privet.core.scene import Scene
from privet.core.wire import to_message
from privet.index.index import Index, index_url
from privet.index.rows import RecordingRow
from privet.record.recorder import Recorder
from privet.record.recording import RecordingInfo

GRID = Grid(160, 96)
GATE = CameraId("gate")
CONFIG = """
[site]
timezone = "Europe/Berlin"
controller = "Facilities"
[cameras.gate]
place = "north"
purpose = "goods"
url = "rtsp://camera.example/1"
[cameras.loading-bay]
place = "south"
purpose = "goods"
url = "rtsp://camera.example/2"
"""


class IntoIndex:
    """The recorder's port onto the index, as main has it."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def opened(self, recording: RecordingInfo) -> None:
        self._index.recording_opened(recording)

    def summarised(self, camera: CameraId, summary: pb.Summary) -> None:
        self._index.add_summary(camera, summary)

    def closed(self, recording: RecordingInfo) -> None:
        self._index.recording_closed(recording)


def said() -> Iterator[Scene]:
    """Twenty seconds from T0 on (2023-11-14 23:13:20 in Berlin), five covers a second."""
    yield background(1, GRID, texture(160, 96))
    sequence = 2
    for step in range(100):
        wall_ns = T0 + step * S // 5
        if step % 5 == 0:
            yield state(sequence, GRID, wall_ns)
            sequence += 1
        yield cover(sequence, GRID, block(GRID, (step % 20, 5)), wall_ns)
        sequence += 1


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("site")
    (directory / "privet.toml").write_text(CONFIG)
    data = directory / "data"
    data.mkdir()
    index = Index.open(index_url(data))
    recorder = Recorder(data, IntoIndex(index), FakeClock(wall=T0))
    for scene in said():
        recorder.put(GATE, to_message(scene))
    recorder.close()
    index.close()
    return directory


def run(site: Path, *arguments: str) -> Result:
    return CliRunner().invoke(privet, ["export", *arguments, "--config", str(site / "privet.toml")])


def test_a_span(site: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    done = run(site, "gate", "2023-11-14T23:13:25", "+10s", str(out))
    assert done.exit_code == 0, done.output
    assert "50 frames" in done.output
    assert "not video" in done.output
    with av.open(str(out)) as container:
        assert container.metadata["title"].startswith("gate, 2023-11-14 23:13:25 +01:00 to 2023-11-14 23:13:35 +01:00")
        frames = [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in container.decode(video=0)]
    assert len(frames) == 50
    # Somebody was at block (step % 20, 5), and nobody elsewhere.
    for number, frame in enumerate(frames):
        column = (25 + number) % 20
        expected = texture(160, 96).astype(int)
        expected[40:48, column * 8 : column * 8 + 8] = (122, 139, 158)
        assert np.abs(frame[40:48, :160] - expected[40:48]).mean() < 8, number


def test_what_the_api_asks_for(site: Path, tmp_path: Path) -> None:
    """As api.export writes it, in a process of its own, which reads no privet.toml."""
    out = tmp_path / "out.mp4"
    command = [sys.executable, "-P", "-m", "privet.cli.main", "export", "gate", "2023-11-14T22:13:25.500000Z",
               "2023-11-14T22:13:27.500000Z", str(out), "--data-directory", str(site / "data"), "--timezone", "Asia/Tokyo",
               "--covers-per-second", "5.0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    with av.open(str(out)) as container:
        assert container.metadata["title"].startswith("gate, 2023-11-15 07:13:25 +09:00")
        assert sum(1 for _ in container.decode(video=0)) == 10


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--data-directory", "."), "are given together or not at all"),
        (("--timezone", "Europe/Berlin", "--covers-per-second", "5"), "are given together or not at all"),
        (("--data-directory", ".", "--timezone", "Berlin-Mitte", "--covers-per-second", "5"), "'Berlin-Mitte' is no time zone"),
        (("--data-directory", ".", "--timezone", "../etc", "--covers-per-second", "5"), "'../etc' is no time zone"),
        (("--data-directory", ".", "--timezone", "UTC", "--covers-per-second", "0"), "not in the range"),
    ],
)
def test_what_is_in_force_is_told_whole(site: Path, tmp_path: Path, options: tuple[str, ...], complaint: str) -> None:
    done = run(site, "gate", "-5m", "now", str(tmp_path / "out.mp4"), *options)
    assert done.exit_code == 2
    assert complaint in " ".join(done.output.split())


def test_faster(site: Path, tmp_path: Path) -> None:
    done = run(site, "gate", "2023-11-14T23:13:20", "+20s", str(tmp_path / "out.mp4"), "--speed", "4")
    assert done.exit_code == 0, done.output
    assert "100 frames" in done.output
    assert "5.0 s" in done.output


def test_an_unknown_camera(site: Path, tmp_path: Path) -> None:
    done = run(site, "gatte", "-10m", "now", str(tmp_path / "out.mp4"))
    assert done.exit_code == 2
    assert "no camera 'gatte': did you mean 'gate'?" in done.output
    done = run(site, "zzz", "-10m", "now", str(tmp_path / "out.mp4"))
    assert "known: gate, loading-bay" in done.output


def test_nothing_is_recorded_then(site: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    done = run(site, "gate", "-10m", "now", str(out))
    assert done.exit_code == EXIT_NOTHING_RECORDED == 4
    assert "the nearest recording goes from 2023-11-14 23:13:20 +01:00 to 2023-11-14 23:13:" in done.output
    done = run(site, "loading-bay", "-10m", "now", str(out))
    assert done.exit_code == EXIT_NOTHING_RECORDED
    assert "nor at any other time" in done.output
    assert not out.exists()


def test_what_is_there_is_not_replaced_unasked(site: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    out.write_text("mine")
    span = ("gate", "2023-11-14T23:13:25", "+1s", str(out))
    done = run(site, *span)
    assert done.exit_code == 2
    assert "--force" in done.output
    assert out.read_text() == "mine"
    assert run(site, *span, "--force").exit_code == 0
    assert out.stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("gate", "soon", "now"), "is no moment"),
        (("gate", "now", "now"), "lies ahead"),
        (("gate", "-5m", "-10m"), "is not after"),
        (("gate", "-5m", "later"), "is no moment"),
    ],
)
def test_times_that_enclose_nothing(site: Path, tmp_path: Path, arguments: tuple[str, ...], complaint: str) -> None:
    done = run(site, *arguments, str(tmp_path / "out.mp4"))
    assert done.exit_code == 2
    assert complaint in " ".join(done.output.split())


def test_where_it_cannot_be_written(site: Path, tmp_path: Path) -> None:
    done = run(site, "gate", "-5m", "now", str(tmp_path / "no" / "out.mp4"))
    assert done.exit_code == 2
    assert "is not a directory" in done.output


def test_no_configuration_and_no_data(tmp_path: Path) -> None:
    done = run(tmp_path, "gate", "-5m", "now", str(tmp_path / "out.mp4"))
    assert (done.exit_code, "privet init" in done.output) == (2, True)
    (tmp_path / "privet.toml").write_text(CONFIG)
    done = run(tmp_path, "gate", "-5m", "now", str(tmp_path / "out.mp4"))
    assert (done.exit_code, "nothing was ever recorded" in done.output) == (1, True)
    assert not (tmp_path / "data").exists()


def test_the_help_says_how_times_are_written() -> None:
    shown = CliRunner().invoke(privet, ["export", "--help"]).output
    for word in ("-10m", "14:30", "--speed", "Exit codes", "reconstruction, not video"):
        assert word in " ".join(shown.split())


def row(number: int, from_s: int, to_s: int | None) -> RecordingRow:
    return RecordingRow(number, GATE, f"{number}.mcap", from_s * S, None if to_s is None else to_s * S, 1, 1, 1)


def test_the_nearest_recording() -> None:
    rows = [row(1, 0, 10), row(2, 20, 30), row(3, 100, None)]
    assert nearest(Wanted(12 * S, 13 * S), rows) == rows[0]
    assert nearest(Wanted(17 * S, 18 * S), rows) == rows[1]
    assert nearest(Wanted(80 * S, 90 * S), rows) == rows[2]
    assert nearest(Wanted(5 * S, 25 * S), rows) == rows[1]
    assert nearest(Wanted(0, 1), []) is None


def test_frames_are_as_many_as_covers_within_bounds() -> None:
    assert film_fps(Fraction(5), Fraction(1)) == 5
    assert film_fps(Fraction(5), Fraction(4)) == 20
    assert film_fps(Fraction(5), Fraction(100)) == 25
    assert film_fps(Fraction(1, 5), Fraction(1)) == 2
    assert film_fps(Fraction(10), Fraction(1, 10)) == 10


