"""`privet run` as a process on the loopback, for the demo and for benches: started, asked through its API, stopped.

Belongs here: one process's life, and the few questions asked of it. Does not belong here: which cameras there are, what comes of it.
"""

from __future__ import annotations

import json
import queue
import re
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

STARTS_WITHIN_S = 180
STOPS_WITHIN_S = 60
TOKEN = re.compile(r"\bprivet_[\w-]{20,}")


class DemoError(Exception):
    """The demo cannot go on; the message is for whoever started it."""


class Counters(TypedDict):
    """What of a camera's counters is read here."""

    frames_decoded: int
    bytes_received: int
    connects: int
    covers_dropped: int
    packets: int
    looks: int
    frames_left_out: int
    sub_stream: str


class CameraJson(TypedDict):
    """What of a camera is read here."""

    id: str
    condition: str
    reason: str
    proven_share: float
    capacity_bits_per_second: int
    sent_bits_per_second: int
    counters: Counters


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
        with private(self.directory / "privet.log").open("w") as log:
            for line in self.process.stdout:
                log.write(TOKEN.sub("privet_...", line))
                log.flush()
                self.last = [*self.last[-19:], line.rstrip()]
                self.said.put(line)
        self.said.put(None)

    def token(self, stop: threading.Event) -> str | None:
        """The token: shown by the first start of a state, kept beside it for the next. None if asked to stop meanwhile.

        Raises:
            DemoError: Privet ended, or did not show it.
        """
        kept = self.directory / "token"
        deadline_s = time.monotonic() + STARTS_WITHIN_S
        guards = False
        while time.monotonic() < deadline_s:
            if stop.is_set():
                return None
            if guards and kept.exists():
                return kept.read_text().strip()
            try:
                line = self.said.get(timeout=0.2)
            except queue.Empty:
                continue
            if line is None:
                raise DemoError(self.ended())
            if found := TOKEN.search(line):
                private(kept).write_text(found[0])
            guards = guards or " guards " in line
        if guards:
            raise DemoError("Privet did not show its token: forget its state (--fresh)")
        raise DemoError(f"Privet said nothing for {STARTS_WITHIN_S} s")

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

    @property
    def login(self) -> tuple[str, str]:
        """Address and token, for a browser."""
        return self._base, self._token

    def metrics(self) -> str:
        """`GET /metrics`; OSError while nobody answers."""
        request = urllib.request.Request(f"{self._base}/metrics", headers={"Authorization": f"Bearer {self._token}"})
        with self._opener.open(request, timeout=5) as answer:
            text: bytes = answer.read()
        return text.decode()

    def cameras(self) -> list[CameraJson]:
        """`GET /api/cameras`; OSError while nobody answers.

        Raises:
            DemoError: the token is not taken.
        """
        request = urllib.request.Request(f"{self._base}/api/cameras", headers={"Authorization": f"Bearer {self._token}"})
        try:
            with self._opener.open(request, timeout=5) as answer:
                cameras: list[CameraJson] = json.load(answer)
                return cameras
        except urllib.error.HTTPError as error:
            if error.code in (401, 403):
                raise DemoError("the demo's token is not taken any more: start with --fresh") from None
            raise


def free_port(port: int) -> int:
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


def private(path: Path) -> Path:
    """`path`, made so that nobody else may read it."""
    path.touch(0o600)
    path.chmod(0o600)
    return path
