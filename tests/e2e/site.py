"""A whole site, for tests: a real RTSP server with three cameras on real footage, and `privet run` as anybody would start it.

Belongs here: starting, asking and stopping. Does not belong here: assertions, and anything of the browser (browser.py).
"""

from __future__ import annotations

import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from demo.encode import cached_clip, find_footage
from pydantic import TypeAdapter
from tests.cameras import Camera, CameraSite, serve_cameras

from privet.api.cameras.routes import CameraModel

PROJECT = Path(__file__).resolve().parents[2]
STARTS_WITHIN_S = 180.0  # the first start compiles the kernels
STOPS_WITHIN_S = 30.0
CACHE = PROJECT / ".cache" / "compiled"  # of this project, so that only the first run compiles
PASSWORD = "p@ss:/wörd%41"

_CAMERAS = TypeAdapter(list[CameraModel])


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def publish() -> tuple[Camera, ...]:
    """Three views of the footage: one plain, one behind a password, one with a sub-stream."""
    footage = find_footage()
    return (
        Camera("/gate", clip=cached_clip(footage, "gate")),
        Camera("/yard", clip=cached_clip(footage, "yard"), start_seconds=20.0, username="viewer", password=PASSWORD),
        Camera("/dock", clip=cached_clip(footage, "dock"), start_seconds=40.0),
        Camera("/dock-sub", clip=cached_clip(footage, "dock-sub"), start_seconds=40.0),
    )


def configuration(cameras: CameraSite, port: int, commissioning: str) -> str:
    """A privet.toml that proves in ten seconds; with `automatic` it asks nobody to sign, as the demonstration does."""
    return f"""\
[site]
name = "Harbour yard"
timezone = "Europe/Berlin"
controller = "Facilities"

[server]
port = {port}

[storage]
cache_directory = "{CACHE}"

[promotion]
commissioning = "{commissioning}"
prove_seconds = 10
prove_keyframes = 5

[detect]
looks_per_second = 8
budget_looks_per_second = 24

[cameras.gate]
name = "Gate"
place = "North gate"
purpose = "See whether the gate was left open"
url = "{cameras.url("/gate")}"

[cameras.yard]
name = "Yard"
place = "Yard behind the hall"
purpose = "Deliveries"
url = "{cameras.url("/yard")}"
credentials = "yard"

[cameras.dock]
name = "Dock"
place = "Loading dock"
purpose = "Deliveries"
url = "{cameras.url("/dock")}"
sub_url = "{cameras.url("/dock-sub")}"
"""


@dataclass
class Site:
    """A running Privet and the cameras it looks at."""

    directory: Path
    port: int
    cameras: CameraSite
    process: subprocess.Popen[str]
    token: str = ""
    lines: list[str] = field(default_factory=list)
    status: int | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def config(self) -> Path:
        return self.directory / "privet.toml"

    def client(self) -> httpx.Client:
        """A client of the API that is logged in by the token."""
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.token}"}, timeout=60, trust_env=False)

    def states(self) -> Mapping[str, CameraModel]:
        """What the API says of every camera, by id."""
        with self.client() as client:
            return {camera.id: camera for camera in _CAMERAS.validate_json(client.get("/api/cameras").raise_for_status().content)}

    def wait_until_proven(self, share: float, within_s: float) -> None:
        """Return when every camera has that share of its place proven."""
        self._wait(lambda camera: camera.proven_share, share, within_s)

    def wait_until_awake(self, within_s: float) -> None:
        """Return when no camera sleeps: one may rest for a moment while the machine is busy with something else."""
        self._wait(lambda camera: float(camera.condition == "awake" and not camera.stale), 1.0, within_s)

    def wait_for_candidates(self, blocks: int, within_s: float) -> None:
        """Return when every camera has that many blocks that wait for a signature."""
        self._wait(lambda camera: camera.counters.candidate_blocks, blocks, within_s)

    def _wait(self, figure: Callable[[CameraModel], float], least: float, within_s: float) -> None:
        until = time.monotonic() + within_s
        figures: dict[str, float] = {}
        while time.monotonic() < until:
            figures = {name: figure(camera) for name, camera in self.states().items()}
            if figures and min(figures.values()) >= least:
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.5)
        raise TimeoutError(f"after {within_s} s: {figures}, wanted {least}\n" + "\n".join(self.lines[-40:]))

    def stop(self) -> int:
        """Stop as Ctrl-C does; return the exit status."""
        if self.status is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.status = self.process.wait(STOPS_WITHIN_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise
        return self.status


def privet(*arguments: str) -> list[str]:
    """The command line that runs `privet` with this Python."""
    return [sys.executable, "-m", "privet", *arguments]


def _listen(process: subprocess.Popen[str], lines: list[str], tokens: queue.SimpleQueue[str | None]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if found := re.fullmatch(r" {4}(\S{20,})\n", line):
            tokens.put(found[1])
    tokens.put(None)


@contextmanager
def running_site(directory: Path, commissioning: str = "automatic") -> Iterator[Site]:
    """A site below `directory`, stopped at the end. Recordings stay there."""
    with serve_cameras(publish()) as cameras:
        port = free_port()
        (directory / "privet.toml").write_text(configuration(cameras, port, commissioning), encoding="utf-8")
        secrets = directory / "secrets.toml"
        secrets.touch(mode=0o600)
        secrets.write_text(f'[yard]\nusername = "viewer"\npassword = "{PASSWORD}"\n', encoding="utf-8")
        process = subprocess.Popen(
            privet("run", "--config", str(directory / "privet.toml")),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=directory,
        )  # fmt: skip
        site = Site(directory, port, cameras, process)
        tokens: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        listener = threading.Thread(target=_listen, args=(process, site.lines, tokens), daemon=True)
        listener.start()
        try:
            token = tokens.get(timeout=STARTS_WITHIN_S)
            if token is None:
                raise RuntimeError("privet run ended before it printed a token:\n" + "\n".join(site.lines))
            site.token = token
            yield site
        finally:
            site.stop()
            listener.join(timeout=5)
            assert process.stdout is not None
            process.stdout.close()
