"""A whole house to be shot at: `privet run` as a process, its workers, and a witness who writes down what viewers were sent.

Belongs here: starting, killing, listening, reading back. Does not belong here: assertions.
"""

from __future__ import annotations

import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from demo.encode import CACHE
from google.protobuf.message import DecodeError
from tests.cameras import CameraSite
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from privet.core.clock import NS_PER_S
from privet.core.pb import scene_pb2
from privet.index.index import Index, index_url
from privet.record.archive import Archive, recording_files
from privet.record.store import DirectoryStore

STARTS_WITHIN_S = 180.0
STOPS_WITHIN_S = 40.0
PICTURES = ("background", "patch", "cover", "light")
FOREVER_NS = 2**62


@dataclass(frozen=True, slots=True)
class Heard:
    """One scene message, by name. wall_ns: its frame's; at_ns: when the witness heard it (0: read back from a recording)."""

    camera: str
    kind: str
    session: int
    sequence: int
    wall_ns: int
    at_ns: int = 0

    @property
    def name(self) -> tuple[str, str, int, int]:
        return (self.camera, self.kind, self.session, self.sequence)


def heard(camera: str, message: scene_pb2.SceneMessage, at_ns: int = 0) -> Heard:
    kind = message.WhichOneof("kind")
    assert kind is not None
    head: scene_pb2.Head = getattr(message, kind).head
    return Heard(camera, kind, head.session, head.sequence, head.wall_ns, at_ns)


class Witness:
    """Watches all cameras over the WebSocket, from thread, coming back whenever the house does."""

    def __init__(self, port: int, token: str) -> None:
        self._url = f"ws://127.0.0.1:{port}/api/live"
        self._token = token
        self._over = threading.Event()
        self._changed = threading.Condition()
        self._heard: list[Heard] = []
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def all(self) -> list[Heard]:
        with self._changed:
            return list(self._heard)

    def wait_for_pictures(self, camera: str, taken_after_ns: int, within_s: float) -> float:
        """Wait for something of a frame taken after a wall time; returns how long it took to come, from that time on, in s."""

        def found() -> Heard | None:
            for message in reversed(self._heard):
                if message.camera == camera and message.kind in PICTURES and message.wall_ns > taken_after_ns:
                    return message
            return None

        with self._changed:
            came = self._changed.wait_for(lambda: found() is not None, timeout=within_s)
            message = found()
        assert came, f"nothing of {camera} within {within_s} s"
        assert message is not None
        return (message.at_ns - taken_after_ns) / NS_PER_S

    def close(self) -> None:
        self._over.set()
        self._thread.join(20)

    def _watch(self) -> None:
        while not self._over.is_set():
            try:
                with connect(self._url, additional_headers={"Authorization": f"Bearer {self._token}"}, max_size=None) as socket_:
                    while not self._over.is_set():
                        try:
                            self._take(socket_.recv(timeout=0.5))
                        except TimeoutError:
                            continue
            except (OSError, WebSocketException):
                self._over.wait(0.2)

    def _take(self, data: bytes | str) -> None:
        assert isinstance(data, bytes)
        try:
            message = scene_pb2.CameraMessage.FromString(data)
        except DecodeError as error:
            raise AssertionError("the API sent no CameraMessage") from error
        with self._changed:
            self._heard.append(heard(message.camera, message.scene, time.time_ns()))
            self._changed.notify_all()


@dataclass
class House:
    """`privet run`. `kill` and `start` may be called again and again."""

    directory: Path
    port: int
    token: str = ""
    process: subprocess.Popen[str] | None = None
    lines: list[str] = field(default_factory=list)
    _readers: list[threading.Thread] = field(default_factory=list)

    @property
    def config(self) -> Path:
        return self.directory / "privet.toml"

    @property
    def data(self) -> Path:
        return self.directory / "data"

    def start(self) -> None:
        """Start it and wait for the line with its address."""
        said: queue.Queue[str] = queue.Queue()
        process = subprocess.Popen(
            [sys.executable, "-m", "privet", "run", "--config", str(self.config)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )
        self.process = process
        self._readers.append(threading.Thread(target=self._read, args=(process, said), daemon=True))
        self._readers[-1].start()
        deadline = time.monotonic() + STARTS_WITHIN_S
        while time.monotonic() < deadline:
            line = said.get(timeout=STARTS_WITHIN_S)
            if line == "":
                raise AssertionError("privet run ended: " + "".join(self.lines[-20:]))
            if found := re.search(r"\bprivet_[\w-]{20,}", line):
                self.token = found[0]
            if "guards" in line and self.token:
                return
            if self.token:
                return
        raise AssertionError("privet run said nothing of its address")

    def _read(self, process: subprocess.Popen[str], said: queue.Queue[str]) -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                self.lines.append(line)
                said.put(line)
        said.put("")

    def join(self) -> None:
        """Read to the end what it printed."""
        for reader in self._readers:
            reader.join(20)

    def kill(self) -> None:
        """SIGKILL to the main process."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(20)

    def workers(self) -> list[int]:
        """Process ids of the workers, by number."""
        assert self.process is not None
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    parent = (entry / "stat").read_text().rsplit(")", 1)[1].split()[1]
                    command = (entry / "cmdline").read_bytes()
                except OSError:
                    continue
                if parent == str(self.process.pid) and b"privet.worker.process" in command:
                    found.append(int(entry.name))
        return sorted(found)

    def stop(self) -> int:
        """SIGINT; returns the exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(STOPS_WITHIN_S)

    def check(self) -> tuple[int, str]:
        """`privet check`: exit status and output."""
        done = subprocess.run(
            [sys.executable, "-m", "privet", "check", "--config", str(self.config)], capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout + done.stderr

    def recorded(self, cameras: list[str]) -> list[Heard]:
        """Every scene message that is kept, read back from the files."""
        index = Index.open(index_url(self.data))
        try:
            found = []
            archive = Archive(DirectoryStore(self.data))
            for row in index.recordings():
                if row.camera in cameras:
                    files = recording_files([row], ())
                    found += [heard(row.camera, message) for message in archive.scenes(files, 0, FOREVER_NS)]
            return found
        finally:
            index.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def configuration(site: CameraSite, paths: tuple[str, ...], port: int) -> str:
    """Quick to prove, one camera a worker."""
    head = f"""\
[server]
port = {port}
[promotion]
commissioning = "automatic"
prove_seconds = 3
prove_keyframes = 3
[worker]
cameras_per_worker = 1
[storage]
cache_directory = "{CACHE.parent / "compiled"}"
"""
    cameras = "".join(
        f'[cameras.{path.strip("/")}]\nplace = "Test"\ncontroller = "Test"\npurpose = "Test"\nurl = "{site.url(path)}"\n' for path in paths
    )
    return head + cameras


@contextmanager
def running_house(directory: Path, site: CameraSite, paths: tuple[str, ...]) -> Iterator[House]:
    """A house that is started, and surely ended."""
    house = House(directory, free_port())
    house.config.write_text(configuration(site, paths, house.port))
    house.start()
    try:
        yield house
    finally:
        if house.process is not None and house.process.poll() is None:
            os.killpg(house.process.pid, signal.SIGKILL)
            house.process.wait(20)
        house.join()
