from __future__ import annotations

import itertools
import threading
import time
from fractions import Fraction
from pathlib import Path

import av
import pytest
from tests.cameras import moving_picture, picture_number, small_clip

from privet.core.clock import NS_PER_MS, NS_PER_S, FakeClock, SystemClock
from privet.core.errors import SourceError
from privet.core.scene import Reason
from privet.ingest.file import path_of
from privet.ingest.open import open_file_frames, open_source
from privet.ingest.source import SourceSettings


def write_video(path: Path, codec: str = "libx264", count: int = 25, b_frames: int = 2) -> Path:
    """A video file of `moving_picture`s at 10 a second, with B-frames as files have them."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        stream.codec_context.gop_size = 10
        if codec == "libx264":
            stream.codec_context.options = {"x264-params": f"bframes={b_frames}:keyint=10:crf=18"}
        else:
            stream.codec_context.bit_rate = 2_000_000
        for number in range(count):
            picture = moving_picture(number)
            picture.pts, picture.time_base = number, Fraction(1, 10)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("video") / "a clip.mp4")


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "libx264"), ("a.mkv", "libx264"), ("a.avi", "mpeg4"), ("a.ts", "libx264")])
def test_every_picture_once_in_order_with_its_time(tmp_path: Path, name: str, codec: str) -> None:
    clock = FakeClock(wall=0, monotonic=9)
    frames = list(open_file_frames(write_video(tmp_path / name, codec), clock, start_wall_ns=1000))
    assert len(frames) == 25
    for number, frame in enumerate(frames):
        assert abs(picture_number(frame.y) - number) <= 3
        assert abs(frame.wall_ns - 1000 - number * 100 * NS_PER_MS) <= NS_PER_MS
        assert abs(frame.monotonic_ns - 9 - number * 100 * NS_PER_MS) <= NS_PER_MS
        assert frame.intact
    assert frames[0].keyframe
    assert clock.monotonic == 9


def test_paced_waits_and_the_end_is_said(video: Path) -> None:
    clock = FakeClock(monotonic=0)
    source = open_source(SourceSettings(f"file:{video}".replace(" ", "%20")), clock)
    frames = source.frames()
    for _ in range(25):
        assert next(frames).monotonic_ns == clock.monotonic_ns()
    with pytest.raises(SourceError, match="25 pictures") as failure:
        next(frames)
    assert failure.value.reason is Reason.ENDED
    assert clock.monotonic_ns() == 2400 * NS_PER_MS
    statistics = source.statistics()
    assert (statistics.packets, statistics.frames_decoded, statistics.frames_damaged) == (25, 25, 0)
    assert 5_000 < statistics.bytes_received < video.stat().st_size


def test_a_loop_goes_on_where_it_began_with_growing_times(video: Path) -> None:
    source = open_source(SourceSettings(f"file:{video}", loop=True, paced=False), FakeClock(monotonic=0))
    shown, last_ns = [], -1
    for number, frame in enumerate(source.frames()):
        assert frame.monotonic_ns > last_ns
        last_ns = frame.monotonic_ns
        shown.append(picture_number(frame.y))
        assert frame.intact
        if number == 59:
            source.close()
    assert len(shown) == 60
    assert all(abs(seen - number % 25) <= 3 for number, seen in enumerate(shown))
    assert last_ns == 5900 * NS_PER_MS


def test_what_cannot_be_wound_back_ends_as_a_file_does() -> None:
    """A bare H.264 stream; whoever loops it opens it again."""
    clip = small_clip()
    source = open_source(SourceSettings(clip.path.as_uri(), loop=True, paced=False), FakeClock(monotonic=0))
    frames = source.frames()
    count = len(list(itertools.islice(frames, len(clip.units))))
    with pytest.raises(SourceError) as caught:
        list(frames)
    assert caught.value.reason is Reason.ENDED
    assert count == len(clip.units)


def test_close_from_another_thread_ends_a_paced_file(video: Path) -> None:
    source = open_source(SourceSettings(f"file:{video}", loop=True), SystemClock())
    closer: threading.Thread | None = None
    began_ns = time.monotonic_ns()
    for _ in source.frames():
        if closer is None:
            closer = threading.Thread(target=source.close)
            closer.start()
    assert closer is not None
    closer.join()
    assert time.monotonic_ns() - began_ns < NS_PER_S


@pytest.mark.parametrize(
    ("content", "reason", "words"),
    [
        (None, Reason.NOT_FOUND, "does not exist"),
        (b"", Reason.DAMAGED, "cut off"),
        (b"\x00" * 5000, Reason.DAMAGED, "cut off"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", Reason.DAMAGED, "cut off"),
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:1/a.ts\n", Reason.DAMAGED, "cut off"),
    ],
    ids=["missing", "empty", "zeros", "concat", "playlist"],
)
def test_what_is_no_video_is_said_in_a_sentence(tmp_path: Path, content: bytes | None, reason: Reason, words: str) -> None:
    path = tmp_path / "x.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceError, match=words) as failure:
        list(open_file_frames(path, FakeClock()))
    assert failure.value.reason is reason
    assert failure.value.__context__ is None


def test_a_directory_and_a_file_without_pictures(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="directory"):
        list(open_file_frames(tmp_path, FakeClock()))
    sound = tmp_path / "sound.wav"
    with av.open(str(sound), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        assert isinstance(stream, av.AudioStream)
        frame = av.AudioFrame("s16", "mono", 80)
        frame.sample_rate = 8000
        frame.planes[0].update(bytes(frame.planes[0].buffer_size))
        container.mux(stream.encode(frame))
    with pytest.raises(SourceError) as failure:
        list(open_file_frames(sound, FakeClock()))
    assert failure.value.reason in (Reason.NO_VIDEO, Reason.DAMAGED)


def test_a_file_torn_in_the_middle_gives_what_it_has(video: Path, tmp_path: Path) -> None:
    whole = write_video(tmp_path / "whole.mkv").read_bytes()
    torn = tmp_path / "torn.mkv"
    torn.write_bytes(whole[: len(whole) * 2 // 3])
    frames = list(open_file_frames(torn, FakeClock()))
    assert 5 < len(frames) < 25


@pytest.mark.parametrize(
    ("url", "path"), [("file:///a/b%20c.mp4", "/a/b c.mp4"), ("file:clip.mp4", "clip.mp4"), ("file://localhost/x", "/x")]
)
def test_file_urls(url: str, path: str) -> None:
    assert path_of(url) == Path(path)


@pytest.mark.parametrize("url", ["file://elsewhere/x.mp4", "file:", "http://cam/x.mp4"])
def test_what_is_no_file_url(url: str) -> None:
    with pytest.raises(SourceError) as failure:
        path_of(url)
    assert failure.value.reason is Reason.NOT_FOUND
