"""The main process from outside: it comes up, serves, goes down in order, and refuses what cannot be."""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from demo.encode import CACHE

from privet.api.guard.listen import ListenSettings
from privet.index.index import Index, index_url
from privet.main.connections import ACCEPTED_AT_ONCE
from privet.main.request_limits import connection_bounds
from privet.main.web_server import listening_socket
from privet.worker.jobs.rehearsal import encode_film

TOKEN = re.compile(r"\bprivet_[\w-]{20,}")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def configure(directory: Path, port: int, rest: str = "") -> Path:
    config = directory / "privet.toml"
    config.write_text(f"[server]\nport = {port}\n[storage]\ncache_directory = \"{CACHE.parent / 'compiled'}\"\n{rest}")
    return config


class Running:
    """`privet run`, its output read line by line."""

    def __init__(self, config: Path, *options: str, descriptors: int | None = None) -> None:
        limit = [] if descriptors is None else ["prlimit", f"--nofile={min(descriptors, 300)}:{descriptors}"]
        self.process = subprocess.Popen(
            [*limit, sys.executable, "-m", "privet", "run", "--config", str(config), *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        self.said = ""

    def until(self, wanted: str) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line
            if found := re.search(wanted, line):
                return found[0]
        raise AssertionError(f"{wanted} was not said: {self.said}")

    def end(self, *signals: int) -> tuple[int, str]:
        for number in signals:
            self.process.send_signal(number)
        output, log = self.process.communicate(timeout=60)
        self.said += output
        return self.process.returncode, log


@contextmanager
def running(config: Path, *options: str, descriptors: int | None = None) -> Iterator[Running]:
    house = Running(config, *options, descriptors=descriptors)
    try:
        yield house
    finally:
        if house.process.poll() is None:
            house.process.kill()
            house.process.communicate(timeout=30)


def get(port: int, path: str, token: str = "") -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    for _ in range(200):
        try:
            return httpx.get(f"http://127.0.0.1:{port}{path}", headers=headers, timeout=20)
        except httpx.TransportError:
            time.sleep(0.1)  # another process' start: there is no clock to fake
    raise AssertionError("it does not answer")


def test_it_comes_up_without_cameras_shows_the_token_once_and_stops_in_order(tmp_path: Path) -> None:
    port = free_port()
    config = configure(tmp_path, port)
    with running(config) as house:
        assert "guards 0 cameras" in house.until("guards .*")
        token = house.until(TOKEN.pattern)
        assert get(port, "/health").json() == {"status": "ok"}
        assert get(port, "/api/cameras").status_code == 401
        assert get(port, "/api/cameras", token).json() == []
        assert "privet_info" in get(port, "/metrics", token).text
        status, log = house.end(signal.SIGINT)
        assert status == 0
        assert "stopped" in log.splitlines()[-1]
    assert stat.S_IMODE((tmp_path / "data" / "installation.key").stat().st_mode) == 0o600
    with running(config) as again:
        again.until("guards .*")
        assert get(port, "/api/cameras", token).status_code == 200
        assert again.end(signal.SIGTERM)[0] == 0
        assert TOKEN.search(again.said) is None


def test_a_camera_is_guarded_recorded_and_measured(tmp_path: Path) -> None:
    port = free_port()
    encode_film(tmp_path / "a.mp4", 256, 192)
    camera = '[cameras.gate]\nplace = "a"\npurpose = "b"\ncontroller = "c"\nurl = "file:a.mp4"\n[promotion]\ncommissioning = "automatic"\n'
    with running(configure(tmp_path, port, camera), "--log-format", "json") as house:
        token = house.until(TOKEN.pattern)
        deadline = time.monotonic() + 200
        while True:
            (found,) = get(port, "/api/cameras", token).json()
            if found["counters"]["covers_sent"] > 3 or time.monotonic() > deadline:
                break
            time.sleep(0.5)  # another process' work: there is no clock to fake
        assert found["condition"] == "awake"
        assert found["counters"]["frames_decoded"] > 0
        assert found["capacity_bits_per_second"] > 32 * 24 * 5
        metrics = get(port, "/metrics", token).text
        assert re.search(r'^privet_camera_latency_seconds_count\{camera="gate"\} [1-9]', metrics, re.MULTILINE)
        assert re.search(r'^privet_worker_up\{worker="0"\} 1\.0', metrics, re.MULTILINE)
        status, log = house.end(signal.SIGINT)
    assert status == 0
    assert all(line.startswith('{"time": "') for line in log.splitlines())
    index = Index.open(index_url(tmp_path / "data"))
    rows = index.recordings()
    index.close()
    assert rows
    for row in rows:  # one, or two if the hour ended meanwhile
        assert row.closed
        assert (tmp_path / "data" / row.path).stat().st_size == row.size_bytes > 0


def test_slow_connections_stop_neither_page_nor_recording_nor_fill_the_log(tmp_path: Path) -> None:
    """More of them than there are descriptors: page, API and recording go on, and the descriptors kept for them stay free."""
    port, descriptors = free_port(), 400
    encode_film(tmp_path / "a.mp4", 256, 192)
    camera = '[cameras.gate]\nplace = "a"\npurpose = "b"\ncontroller = "c"\nurl = "file:a.mp4"\n[promotion]\ncommissioning = "automatic"\n'

    def recorded_bytes() -> int:
        return sum(path.stat().st_size for path in (tmp_path / "data").glob("**/*.mcap*"))

    def await_more(than_bytes: int) -> None:
        deadline = time.monotonic() + 100
        while recorded_bytes() <= than_bytes and time.monotonic() < deadline:
            time.sleep(0.2)  # another process' work: there is no clock to fake
        assert recorded_bytes() > than_bytes

    with running(configure(tmp_path, port, camera), descriptors=descriptors) as house, contextlib.ExitStack() as stack:
        token = house.until(TOKEN.pattern)
        assert get(port, "/health").status_code == 200
        await_more(0)
        open_files = Path(f"/proc/{house.process.pid}/fd")
        at_rest, most = len(list(open_files.iterdir())), 0
        bounds = connection_bounds(descriptors, 1, 1)
        for number in range(500):
            source = ("127.0.0.1", "127.0.0.2", "127.0.0.3")[number % 3]
            slow = stack.enter_context(socket.create_connection(("127.0.0.1", port), 20, (source, 0)))
            slow.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
            most = max(most, len(list(open_files.iterdir())))
        assert bounds.connections // 2 < most - at_rest <= bounds.connections + 2 * ACCEPTED_AT_ONCE
        before_bytes = recorded_bytes()
        assert get(port, "/api/cameras", token).status_code == 200
        await_more(before_bytes)
        assert get(port, "/health").status_code == 200
        status, log = house.end(signal.SIGINT)
    assert status == 0
    assert "all connections are taken" in log
    assert "system resource" not in log
    assert len(log) < 4000


def test_a_soft_limit_of_descriptors_is_raised(tmp_path: Path) -> None:
    port = free_port()
    with running(configure(tmp_path, port), descriptors=800) as house:
        house.until("guards .*")
        limits = Path(f"/proc/{house.process.pid}/limits").read_text()
        assert re.search(r"Max open files +800 +800 ", limits)
        assert house.end(signal.SIGINT)[0] == 0


def test_too_few_descriptors_are_said_in_a_sentence(tmp_path: Path) -> None:
    with running(configure(tmp_path, free_port()), descriptors=200) as house:
        status, log = house.end()
    assert status == 2
    assert "may open 200 file descriptors" in log
    assert "LimitNOFILE=" in log
    assert "Traceback" not in log


def test_a_port_in_use_is_said_before_anything_else_happens(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with running(configure(tmp_path, port)) as house:
            status, log = house.end()
    assert status == 2
    assert f"port {port} cannot be listened on" in log
    assert "Traceback" not in log


def test_small_answers_are_not_held_back() -> None:
    """What is accepted takes it from the socket that listens; asyncio would not see to it."""
    with (
        listening_socket(ListenSettings(host="127.0.0.1", port=0)) as listening,
        socket.create_connection(listening.getsockname()),
        listening.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


def test_two_do_not_share_a_data_directory(tmp_path: Path) -> None:
    with running(configure(tmp_path, free_port())) as first:
        first.until("guards .*")
        with running(configure(tmp_path, free_port())) as second:
            status, log = second.end()
        assert status in {1, 2}
        assert "in use" in log
        assert first.end(signal.SIGINT)[0] == 0


def test_beyond_the_loopback_it_asks_for_a_certificate(tmp_path: Path) -> None:
    config = tmp_path / "privet.toml"
    config.write_text('[server]\nhost = "0.0.0.0"\n')
    with running(config) as house:
        status, log = house.end()
    assert status == 2
    assert "privet init --certificate" in log


@pytest.mark.parametrize("content", [b"short", b"x" * 33])
def test_a_damaged_key_is_named(tmp_path: Path, content: bytes) -> None:
    key = tmp_path / "data" / "installation.key"
    key.parent.mkdir()
    key.write_bytes(content)
    key.chmod(0o600)
    with running(configure(tmp_path, free_port())) as house:
        status, log = house.end()
    assert status == 1
    assert "installation.key holds" in log
    assert "Traceback" not in log
