"""Real streams from GStreamer's RTSP server, over TCP and UDP."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import islice, pairwise

import pytest
from demo.server import Authentication
from tests.cameras import Camera, CameraSite, picture_number, rtsp_server_missing, serve_cameras, small_clip

from privet.core.clock import NS_PER_MS, NS_PER_S, SystemClock
from privet.core.errors import SourceError
from privet.core.frame import Frame
from privet.core.scene import Reason
from privet.ingest.open import open_source
from privet.ingest.reconnect import Link, LinkState, Reconnector
from privet.ingest.source import Source, SourceSettings, Transport

pytestmark = [pytest.mark.rtsp, pytest.mark.skipif(bool(rtsp_server_missing()), reason=rtsp_server_missing() or "-")]

NASTY = "p@ss:w/rd%20 ?#é\"'$&+;"


@pytest.fixture(scope="module")
def site() -> Iterator[CameraSite]:
    """A stream for each test: GStreamer answers 503 to whoever comes while the last viewer's pipeline is being taken down."""
    clip, hevc = small_clip(), small_clip("h265", count=30)
    cameras = [
        Camera("/tcp", clip),
        Camera("/udp", clip, transports=("udp",)),
        Camera("/clock", clip),
        Camera("/once", clip),
        Camera("/hevc", hevc),
        Camera("/hevc-udp", hevc),
        Camera("/sound", clip, audio=True),
        Camera("/locked", clip, username="operator", password=NASTY),
        Camera("/hung", clip, stall_after_seconds=1.5),
        Camera("/free", clip, free_running=True, start_seconds=0.3),
    ]
    with serve_cameras(cameras) as running:
        yield running


def first_frames(source: Source, count: int) -> list[tuple[int, int, int, bool, bool]]:
    """(picture's number, wall, monotonic, keyframe, intact) of so many frames."""
    with source:
        return [
            (picture_number(frame.y), frame.wall_ns, frame.monotonic_ns, frame.keyframe, frame.intact)
            for frame in islice(source.frames(), count)
        ]


@pytest.mark.parametrize(
    ("path", "transport"), [("/tcp", "tcp"), ("/udp", "udp"), ("/hevc", "tcp"), ("/hevc-udp", "udp"), ("/sound", "tcp")]
)
def test_a_stream_is_received_whole_and_in_order(site: CameraSite, path: str, transport: Transport) -> None:
    source = open_source(SourceSettings(site.url(path), transport=transport), SystemClock())
    frames = first_frames(source, 25)
    numbers = [number for number, *_ in frames]
    length = 30 if path.startswith("/hevc") else 60
    for before, after in pairwise(numbers):
        assert abs((after - before - 1 + length // 2) % length - length // 2) <= 2
    assert all(intact for *_, intact in frames)
    assert frames[0][3]
    assert [keyframe for *_, keyframe, _ in frames] == [index % 10 == 0 for index in range(25)]
    monotonic = [at_ns for _, _, at_ns, _, _ in frames]
    assert monotonic == sorted(monotonic)
    statistics = source.statistics()
    assert statistics.frames_decoded >= 25
    assert statistics.frames_damaged == statistics.packets_dropped == 0
    assert statistics.bytes_received > 25 * 300


def test_a_free_running_camera_does_not_ask_when_its_viewer_came(site: CameraSite) -> None:
    began_s = []
    for wait_s in (0.0, 0.35):
        time.sleep(wait_s)
        frames = first_frames(open_source(SourceSettings(site.url("/free")), SystemClock()), 25)
        assert all(intact for *_, intact in frames)
        number, _, at_ns, *_ = [frame for frame in frames if frame[3]][1]
        began_s.append(at_ns / NS_PER_S - number / 10)
    apart_s = (began_s[1] - began_s[0] + 3) % 6 - 3         # the clip is six seconds long
    assert abs(apart_s) < 0.25


def test_wall_time_comes_from_the_cameras_sender_reports(site: CameraSite) -> None:
    """The server shares our clock: pictures are stamped when they were pushed, a frame before FFmpeg can know that one is whole."""
    with open_source(SourceSettings(site.url("/clock")), SystemClock()) as source:
        ages, gaps, last_ns = [], [], 0
        for frame in islice(source.frames(), 65):       # the first report comes within five seconds or so
            ages.append(time.time_ns() - frame.wall_ns)
            gaps.append(frame.wall_ns - last_ns)
            last_ns = frame.wall_ns
    assert all(gap_ns >= 0 for gap_ns in gaps)
    late = ages[-5:]
    assert all(90 * NS_PER_MS <= age_ns <= 400 * NS_PER_MS for age_ns in late), late
    assert all(abs(gap_ns - 100 * NS_PER_MS) < 10 * NS_PER_MS for gap_ns in gaps[-5:]), gaps[-5:]


@pytest.mark.parametrize("authentication", ["digest", "basic"])
def test_a_nasty_password_opens(authentication: Authentication) -> None:
    with serve_cameras([Camera("/locked", small_clip(), username="operator", password=NASTY)], authentication) as locked:
        settings = SourceSettings(locked.url("/locked"), username="operator", password=NASTY)
        assert len(first_frames(open_source(settings, SystemClock()), 2)) == 2


def test_close_from_another_thread_ends_within_a_second_even_while_nothing_comes(site: CameraSite) -> None:
    source = open_source(SourceSettings(site.url("/hung"), stall_ns=4 * NS_PER_S), SystemClock())
    frames: list[Frame] = []
    ended_ns = 0

    def read() -> None:
        nonlocal ended_ns
        frames.extend(source.frames())
        ended_ns = time.monotonic_ns()

    reader = threading.Thread(target=read)
    reader.start()
    until_ns = time.monotonic_ns() + 10 * NS_PER_S
    last, last_ns = -1, time.monotonic_ns()
    while time.monotonic_ns() < until_ns:               # until nothing has come for half a second
        packets = source.statistics().packets
        if packets != last:
            last, last_ns = packets, time.monotonic_ns()
        elif packets and time.monotonic_ns() - last_ns > NS_PER_S // 2:
            break
        time.sleep(0.05)
    closed_ns = time.monotonic_ns()
    source.close()
    reader.join(5)
    assert not reader.is_alive()
    assert frames
    assert ended_ns - closed_ns < NS_PER_S


def test_a_killed_camera_is_back_by_itself() -> None:
    with serve_cameras([Camera("/a", small_clip())]) as site:
        links: list[Link] = []
        settings = SourceSettings(site.url("/a"), stall_ns=2 * NS_PER_S, connect_ns=3 * NS_PER_S)
        reconnector = Reconnector(lambda: open_source(settings, SystemClock()), SystemClock(), lambda: 0.0, links.append)
        killed = False
        restarted_ns = 0
        for frame in reconnector.frames():
            if reconnector.connects == 1 and not killed:
                site.kill()
                killed = True
                site.start()
                restarted_ns = time.monotonic_ns()
            if reconnector.connects == 2 and frame.intact:
                reconnector.close()
        assert time.monotonic_ns() - restarted_ns < 10 * NS_PER_S
        assert [link.state for link in links][:3] == [LinkState.CONNECTING, LinkState.CONNECTED, LinkState.WAITING]
        assert links[2].reason in (Reason.ENDED, Reason.UNREACHABLE, Reason.STALLED)
        assert links[-1].state is LinkState.CLOSED
        assert reconnector.statistics().frames_decoded >= 2


def test_a_source_has_one_life(site: CameraSite) -> None:
    source = open_source(SourceSettings(site.url("/once")), SystemClock())
    assert len(first_frames(source, 1)) == 1
    with pytest.raises(RuntimeError, match="one life"):
        next(source.frames())


def test_the_server_stops_at_once() -> None:
    with serve_cameras([Camera("/a", small_clip())]) as site:
        began_ns = time.monotonic_ns()
        assert site.stop() == 0
        assert time.monotonic_ns() - began_ns < 2 * NS_PER_S


def test_url_without_server_is_unreachable() -> None:
    source = open_source(SourceSettings("rtsp://127.0.0.1:9/none"), SystemClock())
    with pytest.raises(SourceError) as failure:
        next(source.frames())
    assert failure.value.reason is Reason.UNREACHABLE
