"""The demo's footage, its configuration and its summary. That it runs is shown by running it (tests/e2e, `make demo`)."""

from __future__ import annotations

import gzip
import stat
import subprocess
import sys
from functools import partial
from pathlib import Path

import av
import numpy as np
import pytest
from demo import encode, place
from demo.clip import index_path, read_clip
from demo.encode import BITS_PER_SECOND, VIEWS, FootageMissingError, clip_frames, encode_clip, look
from demo.server import RtspServer
from demo.summary import CameraFigures, failures, table
from tests.cameras import moving_picture, picture_number, rtsp_server_missing, small_clip

from privet.config.load import load


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of 45 `moving_picture`s of 320 x 240 at 10 a second."""
    path = tmp_path_factory.mktemp("video") / "clip.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        stream.codec_context.bit_rate = 3_000_000
        for number in range(45):
            container.mux(stream.encode(moving_picture(number)))
        container.mux(stream.encode(None))
    return path


def test_a_clip_is_what_a_camera_would_send(video: Path, tmp_path: Path) -> None:
    clip = encode_clip(video, tmp_path / "gate.annexb")
    assert [unit.keyframe for unit in clip.units] == [number % 20 == 0 for number in range(45)]
    assert [unit.pts for unit in clip.units] == list(range(45))
    data = clip.path.read_bytes()
    assert sum(unit.size_bytes for unit in clip.units) == len(data)
    for unit in clip.units:
        kinds = [nal[0] & 0x1F for nal in data[unit.offset_bytes : unit.offset_bytes + unit.size_bytes].split(b"\x00\x00\x01")[1:]]
        assert kinds[-1] == (5 if unit.keyframe else 1)
        assert ({7, 8} <= set(kinds)) == unit.keyframe            # parameter sets before every keyframe, nowhere else
    assert read_clip(clip.path) == clip
    shown = [picture_number(frame.y) for frame in clip_frames(clip)]
    assert len(shown) == 45
    assert all(abs(seen - number) <= 4 for number, seen in enumerate(shown))


def test_two_processes_may_make_the_same_clip_at_once(video: Path, tmp_path: Path) -> None:
    program = "import sys; from pathlib import Path; from demo.encode import encode_clip; encode_clip(Path(sys.argv[1]), Path(sys.argv[2]))"
    made = tmp_path / "clip.annexb"
    both = [subprocess.Popen([sys.executable, "-c", program, str(video), str(made)]) for _ in range(2)]
    assert [each.wait(60) for each in both] == [0, 0]
    assert len(list(clip_frames(read_clip(made)))) == len(read_clip(made).units)
    assert not list(tmp_path.glob("*.partial*"))


def test_an_index_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.annexb"
    text = index_path(small_clip(count=10).path).read_text()
    index_path(path).write_text(text.replace('"version":1', '"version":0'))
    with pytest.raises(ValueError, match="encode again"):
        read_clip(path)


def test_views() -> None:
    picture = moving_picture(3)
    whole = picture.to_ndarray()[:240]
    mirrored = look(picture, VIEWS["dock"])
    assert np.array_equal(mirrored.to_ndarray()[:240], whole[:, ::-1])
    yard = look(picture, VIEWS["yard"])
    assert (yard.width, yard.height) == (768, 576)
    cut = yard.to_ndarray()[:576].astype(float)
    expected = whole[80:, :212].astype(float)                    # the lower two thirds of the left two thirds
    assert abs(cut.mean() - expected.mean()) < 2
    sub = look(picture, VIEWS["dock-sub"])
    assert (sub.width, sub.height) == (480, 360)
    assert set(VIEWS) == set(BITS_PER_SECOND) == set(place.views())


def test_clips_are_cached_by_what_they_are_made_from(video: Path, tmp_path: Path) -> None:
    cached_clip = partial(encode.cached_clip, cache=tmp_path / "cache")
    first = cached_clip(video, "gate", count=5)
    assert first.path.parent == tmp_path / "cache"
    made_ns = first.path.stat().st_mtime_ns
    assert cached_clip(video, "gate", count=5) == first
    assert first.path.stat().st_mtime_ns == made_ns
    assert cached_clip(video, "gate", count=6).path != first.path
    assert cached_clip(video, "dock", count=5).path != first.path


def test_footage_is_found_packed_or_not_or_its_package_is_named(tmp_path: Path) -> None:
    find_footage = partial(encode.find_footage, directories=(tmp_path / "none", tmp_path), cache=tmp_path / "cache")
    with pytest.raises(FootageMissingError, match="opencv-doc"):
        find_footage("x.avi")
    (tmp_path / "x.avi.gz").write_bytes(gzip.compress(b"film"))
    assert find_footage("x.avi").read_bytes() == b"film"
    assert find_footage("x.avi").parent == tmp_path / "cache"
    (tmp_path / "x.avi").write_bytes(b"plain")
    assert find_footage("x.avi") == tmp_path / "x.avi"


@pytest.mark.parametrize("password", ["simple", 'p"a\\s#s=é 9%'])
def test_privet_takes_the_demos_configuration(tmp_path: Path, password: str) -> None:
    server = RtspServer(place.streams(dict.fromkeys(place.views(), "x"), password), tmp_path, port=1000, guarded_port=2000)
    (tmp_path / "privet.toml").write_text(place.configuration(server.url, 8421))
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(place.secrets(password))
    secrets.chmod(0o600)
    loaded = load(tmp_path / "privet.toml")
    assert loaded.config.promotion.commissioning == "automatic"
    assert loaded.config.server.port == 8421
    cameras = loaded.config.cameras
    assert list(cameras) == ["gate", "yard", "dock"]
    assert cameras["gate"].url == "rtsp://127.0.0.1:1000/gate"
    assert cameras["yard"].url == "rtsp://127.0.0.1:2000/yard"
    assert cameras["dock"].sub_url == "rtsp://127.0.0.1:1000/dock-sub"
    assert loaded.secrets[cameras["yard"].credentials or ""].password == password
    assert cameras["gate"].credentials is None


def figures(name: str, recorded_bytes: int, covers: int) -> CameraFigures:
    return CameraFigures(name, "awake", 600, 1, 0.935, 12_000_000, recorded_bytes, covers, 54_400, 15_230)


def test_summary() -> None:
    lines = table([figures("gate", 120_000, 300), figures("a-longer-name", 0, 0)]).splitlines()
    assert len(lines) == 3
    assert " ".join(lines[1].split()) == "gate awake 600 1 93.5 % 12.0 MB 120.0 kB 1/100 54.4 kbit/s 15.2 kbit/s"
    assert lines[2].split()[8:11] == ["0.0", "kB", "-"]


def test_a_camera_that_recorded_nothing_is_a_failure() -> None:
    good, header_only, shrunk = figures("gate", 5000, 10), figures("yard", 900, 0), figures("dock", -5, 10)
    assert failures([good], ["gate"]) == ()
    assert len(failures([good, header_only, shrunk], ["gate", "yard", "dock", "roof"])) == 3
    assert "never heard of" in failures([], ["gate"])[0]


@pytest.mark.rtsp
@pytest.mark.skipif(bool(rtsp_server_missing()), reason=rtsp_server_missing() or "-")
def test_the_servers_settings_are_private_and_its_failure_is_said(tmp_path: Path) -> None:
    server = RtspServer([{"path": "/a", "codec": "h264", "file": str(tmp_path / "missing.annexb")}], tmp_path)
    with pytest.raises(RuntimeError, match="before it listened"):
        server.start()
    assert stat.S_IMODE((tmp_path / "streams.json").stat().st_mode) == 0o600
    assert server.process is None
