from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from tests.render.places import T0, S, background, block, cover, light, nothing, state, texture

from privet.core.errors import NotFoundError, StoreError
from privet.core.grid import Grid
from privet.core.scene import Scene
from privet.render.movie import MovieSettings, export_mp4
from privet.render.paint import Picture
from privet.render.painter import Painter, Span

GRID = Grid(321, 241)


def scenes() -> list[Scene]:
    """Four seconds: somebody walks through, the light changes, then nobody speaks."""
    said: list[Scene] = [background(1, GRID, texture(321, 241)), state(2, GRID), light(3, GRID, [[128, 120]], [[128, 132]])]
    for step in range(10):
        where = [(4 + step, row) for row in range(5, 12)] + [(5 + step, row) for row in range(4, 12)]
        said.append(cover(10 + step, GRID, block(GRID, *where), T0 + step * S // 5))
    said.append(state(30, GRID, T0 + S))
    return said


def decoded(path: Path) -> Iterator[Picture]:
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.reformat(format="rgb24", src_colorspace="ITU709", src_color_range="MPEG").to_ndarray().astype(np.uint8)


def test_the_film_shows_what_is_painted(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    calls: list[tuple[int, int]] = []
    settings = MovieSettings(fps=Fraction(5), camera="gate")
    movie = export_mp4(scenes(), T0, T0 + 4 * S, path, settings, lambda done, total: calls.append((done, total)))
    expected = [picture.copy() for picture in Painter(scenes(), Span(T0, T0 + 4 * S, S // 5), camera="gate")]
    assert (movie.frames, movie.width_px, movie.height_px) == (20, expected[0].shape[1], expected[0].shape[0])
    assert movie.size_bytes == path.stat().st_size
    assert calls == [(number, 20) for number in range(1, 21)]
    shown = list(decoded(path))
    assert len(shown) == 20
    for one, other in zip(shown, expected, strict=True):
        error = np.abs(one.astype(float) - other)
        assert error.mean() < 3
        # Colour is kept, not only on average: BT.601 taken for BT.709 would shift it by some ten levels.
        assert np.abs((one.astype(float) - other)[20:200, 20:300].mean(axis=(0, 1))).max() < 2.5


def test_the_film_is_sound(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    export_mp4(scenes(), T0, T0 + 4 * S, path, MovieSettings(fps=Fraction(5), camera="gate"))
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.mp4"]
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        codec = stream.codec_context
        assert (codec.name, codec.pix_fmt) == ("h264", "yuv420p")
        assert (codec.color_range, codec.colorspace, codec.color_primaries, codec.color_trc) == (1, 1, 1, 1)
        assert stream.average_rate == 5
        assert stream.frames == 20
        assert container.duration == 4_000_000
        times = [packet.pts for packet in container.demux(stream) if packet.pts is not None]
        assert len({later - earlier for earlier, later in zip(sorted(times), sorted(times)[1:], strict=False)}) == 1
        assert container.metadata["title"].startswith("gate, 2023-11-14 22:13:20 +00:00 to ")
        assert container.metadata["title"].endswith("reconstruction, not video")
        assert container.metadata["comment"].startswith("reconstruction, not video")
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")  # it can be played while it is loaded


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe is not installed")
def test_ffprobe_finds_nothing_wrong(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    export_mp4(scenes(), T0, T0 + 4 * S, path, MovieSettings())
    command = ["ffprobe", "-v", "error", "-show_entries", "packet=pts,dts,flags:frame=pts", "-of", "csv", str(path)]
    found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert found.stderr == ""
    assert found.stdout.count("frame,") == 20
    decode = subprocess.run(["ffmpeg", "-v", "error", "-i", str(path), "-f", "null", "-"], capture_output=True, text=True, timeout=60,
                            check=True)
    assert decode.stderr == ""


def test_a_faster_film_is_shorter(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    movie = export_mp4(scenes(), T0, T0 + 4 * S, path, MovieSettings(fps=Fraction(10), speed=Fraction(4)))
    assert movie.frames == 10
    assert movie.duration_s == 1


@pytest.mark.parametrize("size", [(1, 1), (17, 9), (64, 2)])
def test_the_smallest_pictures(tmp_path: Path, size: tuple[int, int]) -> None:
    grid = Grid(*size)
    said: list[Scene] = [background(1, grid, texture(*size)), cover(2, grid, nothing(grid)), state(3, grid)]
    movie = export_mp4(said, T0, T0 + S, tmp_path / "out.mp4", MovieSettings())
    assert len(list(decoded(tmp_path / "out.mp4"))) == movie.frames == 5


def test_what_goes_wrong_leaves_nothing_behind(tmp_path: Path) -> None:
    def failing() -> Iterator[Scene]:
        yield from scenes()[:5]
        raise StoreError("the disk is gone")

    (tmp_path / "out.mp4").write_text("before")
    with pytest.raises(StoreError, match="the disk is gone"):
        export_mp4(failing(), T0, T0 + 4 * S, tmp_path / "out.mp4", MovieSettings())
    with pytest.raises(NotFoundError):
        export_mp4([], T0, T0 + 4 * S, tmp_path / "out.mp4", MovieSettings())
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.mp4"]
    assert (tmp_path / "out.mp4").read_text() == "before"
    with pytest.raises(StoreError, match="cannot be written"):
        export_mp4(scenes(), T0, T0 + 4 * S, tmp_path / "no" / "out.mp4", MovieSettings())


@pytest.mark.parametrize("settings", [{"fps": Fraction(0)}, {"fps": Fraction(61)}, {"speed": Fraction(0)}])
def test_settings_that_make_no_film(settings: dict[str, Fraction]) -> None:
    with pytest.raises(ValueError, match="frames/s"):
        MovieSettings(**settings)  # type: ignore[arg-type]  # one value type for several fields
