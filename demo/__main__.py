"""Privet at work on this machine: three cameras that are none, and everything else for real.

    python -m demo                      until Ctrl-C
    python -m demo --seconds 60         stops by itself and prints what it came to

Encodes the footage if it is not yet, starts the RTSP server, writes a configuration below demo/state, runs Privet on it, and says where
to look. Exit codes: 0 stopped as asked, 1 something failed or a camera recorded nothing, 2 something is missing.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import queue
import re
import secrets as randomness
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

from demo import place
from demo.encode import FootageMissingError, cached_clip, find_footage
from demo.server import SYSTEM_PYTHON, RtspServer
from demo.summary import CameraFigures, failures, table
from privet.core.clock import NS_PER_MS
from privet.core.ids import CameraId
from privet.index.index import Index, index_url
from privet.record.archive import Archive, recording_files

STATE = Path(__file__).resolve().parent / "state"
PORT = 8420
STARTS_WITHIN_S = 180
STOPS_WITHIN_S = 60
MOST_COVERS = 1000
TOKEN = re.compile(r"\bprivet_[\w-]{20,}")


class DemoError(Exception):
    """The demo cannot go on; the message is for whoever started it."""


class _Counters(TypedDict):
    frames_decoded: int
    bytes_received: int
    connects: int


class _Camera(TypedDict):
    id: str
    condition: str
    reason: str
    proven_share: float
    capacity_bits_per_second: int
    sent_bits_per_second: int
    counters: _Counters


@dataclass
class Privet:
    """`privet run` as a process: its lines go to a log file, its token and its end are waited for."""

    directory: Path
    process: subprocess.Popen[str]
    said: queue.Queue[str | None] = field(default_factory=queue.Queue)
    last: list[str] = field(default_factory=list)

    @classmethod
    def start(cls, directory: Path) -> Privet:
        process = subprocess.Popen(
            [sys.executable, "-m", "privet", "run", "--config", str(directory / "privet.toml")],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        privet = cls(directory, process)
        threading.Thread(target=privet._read, daemon=True).start()
        return privet

    def _read(self) -> None:
        assert self.process.stdout is not None
        with _private(self.directory / "privet.log").open("w") as log:
            for line in self.process.stdout:
                log.write(TOKEN.sub("privet_...", line))
                log.flush()
                self.last = [*self.last[-19:], line.rstrip()]
                self.said.put(line)
        self.said.put(None)

    def ended(self) -> str:
        """What it said last, for a message."""
        tail = "\n    ".join(TOKEN.sub("privet_...", line) for line in self.last)
        return f"Privet ended with status {self.process.poll()}. It said:\n    {tail}"

    def stop(self) -> int:
        """SIGINT, and wait for all to be closed in order."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(STOPS_WITHIN_S)
        except subprocess.TimeoutExpired:
            print("Privet does not stop: killing it", file=sys.stderr)
            self.process.kill()
            return self.process.wait()


class Api:
    """The few questions the demo asks of Privet's API, on the loopback and past any proxy."""

    def __init__(self, port: int, token: str) -> None:
        self._base = f"http://127.0.0.1:{port}"
        self._token = token
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def cameras(self) -> list[_Camera]:
        """`GET /api/cameras`; OSError while nobody answers.

        Raises:
            DemoError: the token is not taken.
        """
        request = urllib.request.Request(f"{self._base}/api/cameras", headers={"Authorization": f"Bearer {self._token}"})
        try:
            with self._opener.open(request, timeout=5) as answer:
                cameras: list[_Camera] = json.load(answer)
                return cameras
        except urllib.error.HTTPError as error:
            if error.code in (401, 403):
                raise DemoError("the demo's token is not taken any more: start with --fresh") from None
            raise


def main() -> int:
    """Run the demo; returns the exit status."""
    arguments = _arguments()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        return run(arguments.seconds, arguments.port, arguments.fresh, stop)
    except (DemoError, FootageMissingError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demo", description="Three RTSP cameras with real footage, and Privet at work on them.")
    seconds = os.environ.get("SECONDS")
    parser.add_argument("--seconds", type=float, default=float(seconds) if seconds else None, help="stop by itself after so long")
    parser.add_argument("--port", type=int, default=PORT, help="where the page is served (default %(default)s; another if it is taken)")
    parser.add_argument("--fresh", action="store_true", help="forget what earlier runs recorded and proved")
    return parser.parse_args()


def run(seconds: float | None, port: int, fresh: bool, stop: threading.Event) -> int:
    """The whole demo, in order; whatever was started is stopped again."""
    if shutil.which(SYSTEM_PYTHON) is None:
        raise DemoError(f"{SYSTEM_PYTHON} is missing: the RTSP server runs on Debian's own Python")
    files = _encode(stop)
    if stop.is_set():
        return 0
    if fresh and STATE.exists():
        shutil.rmtree(STATE)
    STATE.mkdir(parents=True, exist_ok=True)
    port = _free_port(port)
    password = f"hedge & gate: 9% {randomness.token_urlsafe(8)}"
    server = RtspServer(place.streams(files, password), STATE)
    with contextlib.ExitStack() as stack:
        try:
            server.start()
        except RuntimeError as error:
            raise DemoError(f"{error}: run scripts/debian-packages, which installs GStreamer") from error
        stack.callback(server.stop)
        (STATE / "privet.toml").write_text(place.configuration(server.url, port))
        _private(STATE / "secrets.toml").write_text(place.secrets(password))
        print(f"three cameras stream at rtsp://127.0.0.1:{server.port}/ and, with a password, :{server.guarded_port}/", flush=True)
        before = {camera.id: _recorded_bytes(camera.id) for camera in place.CAMERAS}
        started_ns = time.time_ns()
        privet = Privet.start(STATE)
        stack.callback(privet.stop)
        token = _await_token(privet, stop)
        if token is None:
            return 0
        print(f"\n    open   http://127.0.0.1:{port}/\n    token  {token}\n", flush=True)
        last = _watch(privet, Api(port, token), seconds, stop)
        alive = privet.process.poll() is None
        if not alive:
            print(privet.ended(), file=sys.stderr)
        print("stopping", flush=True)
        status = privet.stop()
    figures = _figures(last, before, started_ns)
    print(f"\n{table(figures)}\n", flush=True)
    sentences = failures(figures, [camera.id for camera in place.CAMERAS]) if seconds is not None else ()
    if status != 0:
        sentences += (f"Privet stopped with status {status}: see {STATE.name}/privet.log",)
    for sentence in sentences:
        print(f"demo: {sentence}", file=sys.stderr)
    return 1 if sentences or not alive else 0


def _encode(stop: threading.Event) -> dict[str, str]:
    footage = find_footage()
    files = {}
    for view in place.views():
        began_s = time.monotonic()
        clip = cached_clip(footage, view)
        if time.monotonic() - began_s > 1:
            print(f"encoded {view}: {len(clip.units)} frames, {clip.bits_per_second / 1e6:.2f} Mbit/s", flush=True)
        files[view] = str(clip.path)
        if stop.is_set():
            break
    return files


def _await_token(privet: Privet, stop: threading.Event) -> str | None:
    """The token: shown by the first start of a state, kept beside it for the next. None if asked to stop meanwhile."""
    kept = STATE / "token"
    deadline_s = time.monotonic() + STARTS_WITHIN_S
    guards = False
    while time.monotonic() < deadline_s:
        if stop.is_set():
            return None
        if guards and kept.exists():
            return kept.read_text().strip()
        try:
            line = privet.said.get(timeout=0.2)
        except queue.Empty:
            continue
        if line is None:
            raise DemoError(privet.ended())
        if found := TOKEN.search(line):
            _private(kept).write_text(found[0])
        guards = guards or " guards " in line
    raise DemoError("Privet did not show its token: start with --fresh" if guards else f"Privet said nothing for {STARTS_WITHIN_S} s")


def _watch(privet: Privet, api: Api, seconds: float | None, stop: threading.Event) -> list[_Camera]:
    """Say how it goes until it is time; returns the last that was heard of each camera.

    The time begins when Privet answers: what it compiles at its first start does not count.
    """
    last: list[_Camera] = []
    ends_s: float | None = None
    told = ""
    while privet.process.poll() is None and not stop.wait(1.0):
        while not privet.said.empty():
            privet.said.get()
        try:
            last = api.cameras()
        except OSError:
            continue
        if ends_s is None and any(camera["counters"]["frames_decoded"] for camera in last):
            ends_s = float("inf") if seconds is None else time.monotonic() + seconds
        words = "   ".join(_progress(camera) for camera in last)
        if words != told:
            told = words
            print(f"\r\x1b[K{words}" if sys.stdout.isatty() else words, end="" if sys.stdout.isatty() else "\n", flush=True)
        if ends_s is not None and time.monotonic() >= ends_s:
            break
    if sys.stdout.isatty():
        print()
    return last


def _progress(camera: _Camera) -> str:
    reason = "" if camera["reason"] == "none" else f" ({camera['reason']})"
    return f"{camera['id']}: {camera['condition']}{reason}, {100 * camera['proven_share']:.0f} % proven"


def _figures(last: list[_Camera], before: dict[str, int], started_ns: int) -> list[CameraFigures]:
    covers = _recorded_covers(started_ns)
    return [
        CameraFigures(
            id=camera["id"],
            condition=camera["condition"],
            frames=camera["counters"]["frames_decoded"],
            reconnects=max(0, camera["counters"]["connects"] - 1),
            proven_share=camera["proven_share"],
            received_bytes=camera["counters"]["bytes_received"],
            recorded_bytes=_recorded_bytes(camera["id"]) - before.get(camera["id"], 0),
            recorded_covers=covers.get(camera["id"], 0),
            capacity_bits_per_second=camera["capacity_bits_per_second"],
            sent_bits_per_second=camera["sent_bits_per_second"],
        )
        for camera in last
    ]


def _recorded_bytes(camera: str) -> int:
    """Bytes of a camera's recordings and their summaries on disk."""
    directory = STATE / "data" / "recordings" / camera
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def _recorded_covers(from_wall_ns: int) -> dict[str, int]:
    """How many covers of this run can be read back, by camera; counting stops at MOST_COVERS."""
    counts: dict[str, int] = {}
    index = Index.open(index_url(STATE / "data"))
    try:
        for camera in place.CAMERAS:
            rows = index.recordings(CameraId(camera.id), from_wall_ns)
            counts[camera.id] = 0
            for message in Archive().scenes(recording_files(STATE / "data", rows), from_wall_ns, time.time_ns(), 100 * NS_PER_MS):
                counts[camera.id] += message.WhichOneof("kind") == "cover"
                if counts[camera.id] >= MOST_COVERS:
                    break
    finally:
        index.close()
    return counts


def _free_port(port: int) -> int:
    """`port` if nobody listens there, else another; the operating system chooses it."""
    for wanted in (port, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", wanted))
            except OSError:
                print(f"port {wanted} is taken, taking another", flush=True)
                continue
            return int(probe.getsockname()[1])
    raise DemoError("no port is free on the loopback")


def _private(path: Path) -> Path:
    """`path`, made so that nobody else may read it."""
    path.touch(0o600)
    path.chmod(0o600)
    return path


if __name__ == "__main__":
    sys.exit(main())
