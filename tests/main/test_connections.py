"""The port from outside: real sockets on the loopback against the real server, with both readers of HTTP."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import resource
import select
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest
from anyio.from_thread import start_blocking_portal
from tests.api.world import World, make_world
from websockets.sync.client import connect

from privet.api.guard.listen import ListenSettings, make_certificate
from privet.core.clock import SystemClock
from privet.main.request_limits import HEAD_BYTES, HEAD_LINES, PIPELINED, TIMES, Bounds, Times
from privet.main.web_server import HttpReader, WebServer, listening_socket, server_settings

READERS = [
    "h11",
    pytest.param("httptools", marks=pytest.mark.skipif(importlib.util.find_spec("httptools") is None, reason="an extra")),
]
ROOMY = Bounds(64, 32)
QUICK = Times(handshake_s=0.4, head_s=0.4, body_s=0.4, leave_s=0.4)
PATIENT_S = 15.0
REQUEST = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(params=READERS)
def http(request: pytest.FixtureRequest) -> HttpReader:
    return cast(HttpReader, request.param)


@contextmanager
def limited(directory: Path) -> Iterator[tuple[int, Callable[[Bounds], None]]]:
    """As `served`; yields its port, and how its bounds are changed."""
    listen = ListenSettings("127.0.0.1", 0)
    server = WebServer(server_settings(make_world(directory, listen=listen).app, listen), ROOMY, SystemClock(), TIMES)
    with listening_socket(listen) as listening, start_blocking_portal() as portal:
        serving = portal.start_task_soon(server.serve, [listening])
        try:
            yield int(listening.getsockname()[1]), lambda bounds: portal.call(server.limit, bounds)
        finally:
            portal.call(server.leave)
            serving.result(PATIENT_S)


@contextmanager
def served(
    directory: Path, http: HttpReader = "auto", bounds: Bounds = ROOMY, times: Times = TIMES, tls: tuple[Path, Path] | None = None
) -> Iterator[tuple[int, World]]:
    """The application behind the real server, in a thread of its own. Yields its port."""
    certificate, key = tls if tls is not None else (None, None)
    listen = ListenSettings("127.0.0.1", 0, frozenset(), certificate, key)
    world = make_world(directory, listen=listen)
    server = WebServer(server_settings(world.app, listen, http), bounds, SystemClock(), times)
    with listening_socket(listen) as listening, start_blocking_portal() as portal:
        serving = portal.start_task_soon(server.serve, [listening])
        try:
            yield int(listening.getsockname()[1]), world
        finally:
            portal.call(server.leave)
            serving.result(PATIENT_S)


def dial(port: int, sent: bytes = b"", source: str = "127.0.0.1") -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), PATIENT_S, (source, 0))
    connection.sendall(sent)
    return connection


def read_all(connection: socket.socket) -> bytes:
    """What comes until the other side closes; a reset is an end, too."""
    found = b""
    with contextlib.suppress(ConnectionResetError, BrokenPipeError):
        while part := connection.recv(65536):
            found += part
    return found


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def read_health(connection: socket.socket) -> int:
    """The status of an answer of /health, which is read to its end."""
    found = b""
    while b'{"status":"ok"}' not in found and (part := connection.recv(65536)):
        found += part
    return status(found)


def healthy(port: int, source: str = "127.0.0.1") -> bool:
    with dial(port, REQUEST, source) as connection:
        return read_health(connection) == 200


def push(connection: socket.socket, data: bytes, most_bytes: int) -> int:
    """Send `data` again and again until the other side has had enough. Returns how much went."""
    sent = 0
    with contextlib.suppress(OSError):
        while sent < most_bytes:
            connection.sendall(data)
            sent += len(data)
    return sent


@pytest.mark.parametrize("filling", [b"X-a: " + b"A" * 60_000 + b"\r\n", b"A" * 60_000, b"a: b\r\n" * 100], ids=["headers", "one", "lines"])
def test_a_head_without_end_is_cut_off(tmp_path: Path, http: HttpReader, filling: bytes) -> None:
    with served(tmp_path, http) as (port, _), dial(port, b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-b: ") as connection:
        before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        # Beyond the bound it is closed; what went lies in the two sockets.
        assert push(connection, filling, 64 << 20) < 32 << 20
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 8 << 10
        assert healthy(port)


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"a: b\r\n" * (HEAD_LINES - 1), 200),
        (b"a: b\r\n" * HEAD_LINES, 431),
        (b"a: " + b"b" * (HEAD_BYTES - 100) + b"\r\n", 200),
        (b"a: " + b"b" * HEAD_BYTES + b"\r\n", 431),
    ],
    ids=["lines", "a line more", "bytes", "bytes more"],
)
def test_a_head_has_a_bound_and_it_is_said(tmp_path: Path, http: HttpReader, head: bytes, expected: int) -> None:
    with served(tmp_path, http) as (port, _):
        with dial(port, b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + head + b"\r\n") as connection:
            answer = connection.recv(65536)
        assert status(answer) == expected
        if expected == 431:
            fields, _, body = answer.partition(b"\r\n\r\n")
            assert b"content-type: application/problem+json" in fields
            assert b"x-content-type-options: nosniff" in fields.lower()
            assert json.loads(body)["status"] == 431


def test_a_slow_head_and_one_that_never_comes_are_cut_off(tmp_path: Path, http: HttpReader) -> None:
    with served(tmp_path, http, times=QUICK) as (port, _):
        silent, trickling = dial(port), dial(port, b"GET / HTTP/1.1\r\n")
        with silent, trickling:
            begun = time.monotonic()
            trickling.settimeout(0.05)
            answer = b""
            while not answer and time.monotonic() - begun < PATIENT_S:
                with contextlib.suppress(TimeoutError, ConnectionResetError, BrokenPipeError):
                    trickling.sendall(b"X")
                    answer = trickling.recv(65536)
            assert status(answer) == 408
            assert status(read_all(silent)) == 408
            assert time.monotonic() - begun < 5


def test_the_next_head_on_a_kept_connection_has_the_same_time(tmp_path: Path, http: HttpReader) -> None:
    with served(tmp_path, http, times=QUICK) as (port, _), dial(port, REQUEST) as connection:
        assert read_health(connection) == 200
        connection.sendall(REQUEST)
        assert read_health(connection) == 200
        connection.sendall(REQUEST[:-2])
        assert status(read_all(connection)) == 408


def test_a_slow_body_and_a_large_one_are_cut_off(tmp_path: Path, http: HttpReader, caplog: pytest.LogCaptureFixture) -> None:
    head = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4000\r\n\r\n"
    with served(tmp_path, http, times=QUICK) as (port, _):
        with dial(port, head + b"token=") as slow:
            assert status(read_all(slow)) == 408
        # A body that nobody reads is bounded as well, whatever was answered meanwhile.
        with dial(port, head.replace(b"4000", b"400000000")) as large:
            assert push(large, b"x" * 10_000, 64 << 20) < 32 << 20
        with dial(port, head.replace(b"Content-Length: 4000", b"Transfer-Encoding: chunked")) as chunked:
            assert push(chunked, b"2710\r\n" + b"x" * 10_000 + b"\r\n", 64 << 20) < 32 << 20
        assert healthy(port)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]  # somebody went away: nothing of ours failed


def test_a_body_of_many_lines_is_no_head(tmp_path: Path, http: HttpReader) -> None:
    body = b"\n" * 2000
    with served(tmp_path, http) as (port, _):
        request = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000\r\n\r\n" + body
        with dial(port, request + REQUEST) as connection:
            assert status(connection.recv(65536)) == 401


def test_requests_that_pile_up_unanswered_are_cut_off(tmp_path: Path, http: HttpReader) -> None:
    with served(tmp_path, http) as (port, _):
        with dial(port, REQUEST * (PIPELINED // 2) + REQUEST.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")) as few:
            assert read_all(few).count(b"HTTP/1.1 200") == PIPELINED // 2 + 1
        with dial(port, REQUEST * 5000) as many:
            assert read_all(many).count(b"HTTP/1.1 200") < 5000
        assert healthy(port)


def test_one_address_leaves_room_for_others_and_for_itself(tmp_path: Path, http: HttpReader) -> None:
    with served(tmp_path, http, Bounds(16, 8)) as (port, _), contextlib.ExitStack() as stack:
        slow = [stack.enter_context(dial(port, b"GET / HTTP/1.1\r\n")) for _ in range(40)]
        assert healthy(port, "127.0.0.2")
        assert healthy(port)
        # The longest waiting were closed for the later ones, and no more than it took.
        open_still = 0
        for connection in slow:
            connection.settimeout(0.02)
            with contextlib.suppress(ConnectionResetError):
                try:
                    connection.recv(1)
                except TimeoutError:
                    open_still += 1
        assert 6 <= open_still <= 8


def test_idle_connections_are_closed_first_and_busy_ones_never(tmp_path: Path, http: HttpReader) -> None:
    with served(tmp_path, http, Bounds(4, 4)) as (port, world), contextlib.ExitStack() as stack:
        token = {"Authorization": f"Bearer {world.administrator}"}
        url = f"ws://localhost:{port}/api/live?cameras=gate"
        stack.enter_context(dial(port))
        idle = stack.enter_context(dial(port, REQUEST))
        assert read_health(idle) == 200
        viewers = [stack.enter_context(connect(url, additional_headers=token, proxy=None)) for _ in range(2)]
        viewers.append(stack.enter_context(connect(url, additional_headers=token, proxy=None)))
        assert idle.recv(1) == b""  # closed, and the one that waits is not
        viewers.append(stack.enter_context(connect(url, additional_headers=token, proxy=None)))
        with dial(port) as refused:
            answer = read_all(refused)
        assert status(answer) == 503
        for viewer in viewers:
            viewer.ping().wait(PATIENT_S)
        viewers[0].close()
        assert healthy(port)


def test_a_viewer_that_talks_without_end_is_cut_off(tmp_path: Path, http: HttpReader) -> None:
    with served(tmp_path, http) as (port, world), contextlib.ExitStack() as stack:
        token = {"Authorization": f"Bearer {world.administrator}"}
        viewer = stack.enter_context(connect(f"ws://localhost:{port}/api/live?cameras=gate", additional_headers=token, proxy=None))
        assert push(viewer.socket, b"\x80\x80\x00\x00\x00\x00" * 1000, 64 << 20) < 32 << 20
        assert healthy(port)


def test_tls_that_never_gets_done_holds_nothing_up(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path, ["localhost"])
    context = ssl.create_default_context(cafile=str(certificate))
    with served(tmp_path, bounds=Bounds(16, 8), tls=(certificate, key), times=QUICK) as (port, _), contextlib.ExitStack() as stack:
        silent = [stack.enter_context(dial(port)) for _ in range(30)]
        plain = stack.enter_context(dial(port, REQUEST))
        with context.wrap_socket(dial(port), server_hostname="localhost") as connection:
            connection.sendall(REQUEST)
            assert read_health(connection) == 200
        begun = time.monotonic()
        for one in (*silent, plain):
            assert not read_all(one).startswith(b"HTTP")
        assert time.monotonic() - begun < 5


def test_the_right_token_gets_in_at_once_amid_wrong_ones(tmp_path: Path, http: HttpReader) -> None:
    def login(source: str, token: str) -> int:
        form = f"token={token}".encode()
        head = f"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(form)}\r\n\r\n"
        with dial(port, head.encode() + form, source) as connection:
            return status(connection.recv(65536))

    with served(tmp_path, http) as (port, world):
        wrong = [login(f"127.0.3.{number % 20 + 1}", "x") for number in range(200)]
        assert set(wrong) == {401, 429}
        begun = time.monotonic()
        assert login("127.0.3.1", world.viewer) == 303
        assert login("127.0.5.1", world.viewer) == 303
        assert time.monotonic() - begun < 1


def test_bounds_may_become_narrower_while_it_serves(tmp_path: Path) -> None:
    with limited(tmp_path) as (port, limit), contextlib.ExitStack() as stack:
        idle = [stack.enter_context(dial(port, REQUEST)) for _ in range(20)]
        assert all(read_health(connection) == 200 for connection in idle)
        limit(Bounds(8, 8))
        closed = [connection for connection in idle if select.select([connection], [], [], 0.5)[0] and not read_all(connection)]
        assert len(closed) == 12
        assert healthy(port)
