"""Every reason a camera can fail for, provoked; each is one sentence, and none takes long or repeats a secret."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest
from tests.cameras import Camera, CameraSite, Conversation, rtsp_server_missing, serve_cameras, serve_raw, small_clip
from tests.rtsp.script import access_units, interleaved, read_request, reply, rtp_packets, scripted, sdp_of

from privet.core.clock import NS_PER_MS, NS_PER_S, SystemClock
from privet.core.errors import SourceError
from privet.core.scene import Reason
from privet.ingest.open import open_source
from privet.ingest.source import SourceSettings, SourceStatistics, Transport


@pytest.fixture(scope="module")
def site() -> Iterator[CameraSite]:
    clip = small_clip()
    cameras = [
        Camera("/locked", clip, username="operator", password="hunter2"),
        Camera("/sound", codec="audio"),
        Camera("/jpeg", codec="mjpeg"),
        Camera("/hung", clip, stall_after_seconds=1.2),
        Camera("/hung-udp", clip, stall_after_seconds=1.2),
        Camera("/over", clip, end_after_seconds=1.2),
        Camera("/noise", clip, garbage_after_seconds=1.0),
        Camera("/udp", clip, transports=("udp",)),
        Camera("/tcp", clip, transports=("tcp",)),
    ]
    with serve_cameras(cameras) as running:
        yield running


def fail(
    url: str,
    transport: Transport = "tcp",
    username: str | None = None,
    password: str | None = None,
    stall_ms: int = 1500,
    connect_ms: int = 2000,
    within_s: float = 8.0,
) -> tuple[SourceError, SourceStatistics]:
    """Read until it fails, and what had been read by then."""
    settings = SourceSettings(
        url,
        transport=transport,
        username=username,
        password=password,
        stall_ns=stall_ms * NS_PER_MS,
        connect_ns=connect_ms * NS_PER_MS,
        damaged_ns=2 * NS_PER_S,
    )
    began_ns = time.monotonic_ns()
    with open_source(settings, SystemClock()) as source:
        frames = source.frames()
        while True:
            try:
                next(frames)
            except SourceError as error:
                failure = error
                break
            assert time.monotonic_ns() - began_ns < within_s * NS_PER_S, "it goes on and on"
    assert time.monotonic_ns() - began_ns < within_s * NS_PER_S
    assert failure.__cause__ is None
    assert failure.__context__ is None
    message = str(failure)
    assert message.startswith("the c")
    assert "127.0.0.1" in message or "no-such-host" in message
    assert message.count("\n") == 0
    assert ":" in message.split("127.0.0.1", 1)[-1]         # what to do, after a colon
    return failure, source.statistics()


REAL = [
    ("/nope", {}, Reason.NOT_FOUND, "knows no such stream"),
    ("/locked", {}, Reason.REFUSED, "none is configured"),
    ("/locked", {"username": "operator", "password": "wrong"}, Reason.REFUSED, "refuses the user name or the password"),
    ("/sound", {}, Reason.NO_VIDEO, "no video"),
    ("/jpeg", {}, Reason.CODEC, "sends mjpeg"),
    ("/hung", {}, Reason.STALLED, "nothing for 1.5 s"),
    ("/hung-udp", {"transport": "udp"}, Reason.STALLED, ""),
    ("/over", {}, Reason.ENDED, "ended"),
    ("/noise", {}, Reason.DAMAGED, "nothing that can be decoded"),
    ("/udp", {}, Reason.PROTOCOL, 'transport = "udp"'),
    ("/tcp", {"transport": "udp"}, Reason.PROTOCOL, 'transport = "tcp"'),
]


@pytest.mark.parametrize(("path", "how", "reason", "words"), REAL, ids=[f"{path}-{reason.name}" for path, _, reason, _ in REAL])
@pytest.mark.rtsp
@pytest.mark.skipif(bool(rtsp_server_missing()), reason=rtsp_server_missing() or "-")
def test_reasons_of_a_real_server(site: CameraSite, path: str, how: dict[str, str], reason: Reason, words: str) -> None:
    transport: Transport = "udp" if how.get("transport") == "udp" else "tcp"
    failure, statistics = fail(site.url(path), transport, how.get("username"), how.get("password"))
    assert failure.reason is reason
    assert words in str(failure)
    if reason in (Reason.ENDED, Reason.DAMAGED) or "for 1.5" in words:
        assert statistics.frames_decoded > 0


def test_refused_connection_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    failure, _ = fail(f"rtsp://127.0.0.1:{port}/a", within_s=2)
    assert failure.reason is Reason.UNREACHABLE
    assert "refuses the connection" in str(failure)


def test_unknown_host_is_unreachable() -> None:
    failure, _ = fail("rtsp://no-such-host.invalid/a")
    assert failure.reason is Reason.UNREACHABLE
    assert "no such host name" in str(failure)


def test_a_full_backlog_is_unreachable() -> None:
    """Nobody accepts, and the backlog is full: the connection is never made."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
            waiting.append(filler)
        try:
            failure, _ = fail(f"rtsp://127.0.0.1:{listener.getsockname()[1]}/a")
        finally:
            for filler in waiting:
                filler.close()
    assert failure.reason in (Reason.UNREACHABLE, Reason.STALLED)


# ---- cameras that misbehave


def trickle(connection: socket.socket, data: bytes, pause_s: float, limit_s: float = 20) -> None:
    """Send byte by byte; the socket's error ends it."""
    until_s = time.monotonic() + limit_s
    position = 0
    while time.monotonic() < until_s:
        connection.sendall(data[position % len(data) : position % len(data) + 1])
        position += 1
        time.sleep(pause_s)


def silent(connection: socket.socket) -> None:
    read_request(connection)
    until_s = time.monotonic() + 20
    while time.monotonic() < until_s:
        try:
            if not connection.recv(100):
                return
        except TimeoutError:
            continue


def garbage(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"\x16\x03\x01\x02\x00" * 2000)


def a_web_server(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def hangs_up(connection: socket.socket) -> None:
    read_request(connection)


def garbage_after_describe(connection: socket.socket) -> None:
    while True:
        method, sequence = read_request(connection)
        if method == "OPTIONS":
            reply(connection, sequence)
            continue
        reply(connection, sequence, "Content-Type: application/sdp\r\n", "\x00\xff{}<sdp/>\r\n" * 50)


def slow_loris(connection: socket.socket) -> None:
    read_request(connection)
    trickle(connection, b"RTSP/1.0 200 OK\r\nX-Slow: " + b"a" * 500, 0.05)


def endless_headers(connection: socket.socket) -> None:
    _, sequence = read_request(connection)
    connection.sendall(f"RTSP/1.0 200 OK\r\nCSeq: {sequence}\r\n".encode())
    until_s = time.monotonic() + 20
    while time.monotonic() < until_s:
        connection.sendall(b"X-More: " + b"a" * 500 + b"\r\n")
        time.sleep(0.002)


def giant_sdp(connection: socket.socket) -> None:
    while True:
        method, sequence = read_request(connection)
        if method == "OPTIONS":
            reply(connection, sequence)
            continue
        connection.sendall(
            f"RTSP/1.0 200 OK\r\nCSeq: {sequence}\r\nContent-Type: application/sdp\r\nContent-Length: 2000000000\r\n\r\nv=0\r\n".encode()
        )
        until_s = time.monotonic() + 20
        while time.monotonic() < until_s:
            connection.sendall(b"a=x:" + b"y" * 4000 + b"\r\n")
            time.sleep(0.005)


def endless_redirects(connection: socket.socket) -> None:
    host, port = connection.getsockname()
    while True:
        _, sequence = read_request(connection)
        reply(connection, sequence, f"Location: rtsp://{host}:{port}/again\r\n", status="302 Found")


def too_many_viewers(connection: socket.socket) -> None:
    while True:
        method, sequence = read_request(connection)
        if method == "OPTIONS":
            reply(connection, sequence)
        else:
            reply(connection, sequence, status="453 Not Enough Bandwidth")


def many_tracks(connection: socket.socket) -> None:
    while True:
        method, sequence = read_request(connection)
        if method == "OPTIONS":
            reply(connection, sequence)
        elif method == "DESCRIBE":
            body = "v=0\r\ns=x\r\n" + "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n" * 3000
            reply(connection, sequence, "Content-Type: application/sdp\r\n", body)
        else:
            reply(connection, sequence, status="400 Bad Request")


def rtp_noise(connection: socket.socket) -> None:
    """Plays, and sends RTP packets of the right kind with nonsense in them."""
    until_s = time.monotonic() + 20
    number = 0
    while time.monotonic() < until_s:
        connection.sendall(interleaved(bytes([0x80, 96]) + number.to_bytes(2, "big") + bytes(8) + bytes([0x7C, 0x85]) + b"\xff" * 60))
        number = (number + 1) % 65536
        time.sleep(0.01)


def huge_frames_without_end(connection: socket.socket) -> None:
    """Keepalives only: bytes flow, no packet ever comes."""
    until_s = time.monotonic() + 20
    while time.monotonic() < until_s:
        connection.sendall(interleaved(b"\x80\xc9\x00\x01\x00\x00\x00\x07", channel=1))
        time.sleep(0.02)


HOSTILE: list[tuple[Conversation, Reason | None]] = [
    (silent, Reason.STALLED),
    (garbage, Reason.PROTOCOL),
    (a_web_server, Reason.PROTOCOL),
    (hangs_up, Reason.PROTOCOL),
    (garbage_after_describe, None),
    (slow_loris, Reason.PROTOCOL),
    (endless_headers, Reason.PROTOCOL),
    (giant_sdp, None),
    (endless_redirects, Reason.PROTOCOL),
    (too_many_viewers, Reason.UNREACHABLE),
    (many_tracks, Reason.PROTOCOL),
    (scripted(sdp_of(small_clip()), rtp_noise), None),
    (scripted(sdp_of(small_clip()), huge_frames_without_end), Reason.STALLED),
]


@pytest.mark.parametrize(
    ("conversation", "reason"), HOSTILE, ids=[getattr(c, "__name__", "?") if i < 11 else f"rtp{i}" for i, (c, _) in enumerate(HOSTILE)]
)
def test_a_hostile_camera_is_a_sentence_in_bounded_time(conversation: Conversation, reason: Reason | None) -> None:
    with serve_raw(conversation) as port:
        failure, _ = fail(f"rtsp://127.0.0.1:{port}/a", username="operator", password="hunter2", within_s=10)
    assert failure.reason in ({reason} if reason else {Reason.PROTOCOL, Reason.NO_VIDEO, Reason.STALLED, Reason.DAMAGED})
    assert "hunter2" not in str(failure)


def test_a_lost_rtp_packet_taints_the_picture_up_to_the_next_keyframe() -> None:
    """Over TCP nothing is lost on the way, but a camera whose buffers are full leaves packets out; their numbers tell."""
    clip = small_clip(count=30)
    units = access_units(clip)
    whole = rtp_packets(units, 10)
    lost = len(rtp_packets(units[:13], 10))             # the first packet of picture 13

    def send(connection: socket.socket) -> None:
        for index, packet in enumerate(whole):
            if index != lost:
                connection.sendall(interleaved(packet))

    seen: list[bool] = []
    with serve_raw(scripted(sdp_of(clip), send)) as port:
        source = open_source(SourceSettings(f"rtsp://127.0.0.1:{port}/a", stall_ns=2 * NS_PER_S), SystemClock())
        try:
            seen.extend(frame.intact for frame in source.frames())
        except SourceError as error:
            ended = error.reason
    assert ended in (Reason.ENDED, Reason.UNREACHABLE)
    # Whether or not picture 13 itself comes out: none of its GOP after it is intact, all of the others are, but for the very last,
    # which comes with the complaint about the connection's end.
    assert seen[:12] == [True] * 12
    assert not any(seen[13:18])
    assert seen[-9:-1] == [True] * 8
    assert 28 <= len(seen) <= 30
