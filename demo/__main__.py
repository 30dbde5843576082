"""Privet at work on this machine: three cameras that are none, and everything else for real.

    python -m demo                      until Ctrl-C
    python -m demo --seconds 60         stops by itself and prints what it came to

Encodes the footage if it is not yet, starts the RTSP server, writes a configuration below demo/state, runs Privet on it, and says where
to look. Exit codes: 0 stopped as asked, 1 something failed or a camera recorded nothing, 2 something is missing.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets as randomness
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

from demo import place
from demo.encode import FootageMissingError, cached_clip, find_footage
from demo.process import Api, CameraJson, DemoError, Privet, free_port, private
from demo.server import SYSTEM_PYTHON, RtspServer
from demo.summary import CameraFigures, failures, table
from privet.core.clock import NS_PER_MS
from privet.core.ids import CameraId
from privet.index.index import Index, index_url
from privet.record.archive import Archive, recording_files
from privet.record.store import DirectoryStore

STATE = Path(__file__).resolve().parent / "state"
PORT = 8420
MOST_COVERS = 1000


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
    port = free_port(port)
    password = f"hedge & gate: 9% {randomness.token_urlsafe(8)}"
    server = RtspServer(place.streams(files, password), STATE)
    with contextlib.ExitStack() as stack:
        try:
            server.start()
        except RuntimeError as error:
            raise DemoError(f"{error}: run scripts/debian-packages, which installs GStreamer") from error
        stack.callback(server.stop)
        (STATE / "privet.toml").write_text(place.configuration(server.url, port))
        private(STATE / "secrets.toml").write_text(place.secrets(password))
        print(f"three cameras stream at rtsp://127.0.0.1:{server.port}/ and, with a password, :{server.guarded_port}/", flush=True)
        before = {camera.id: _recorded_bytes(camera.id) for camera in place.CAMERAS}
        started_ns = time.time_ns()
        privet = Privet.start(STATE)
        stack.callback(privet.stop)
        token = privet.token(stop)
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


def _watch(privet: Privet, api: Api, seconds: float | None, stop: threading.Event) -> list[CameraJson]:
    """Say how it goes until it is time; returns the last that was heard of each camera.

    The time begins when Privet answers: what it compiles at its first start does not count.
    """
    last: list[CameraJson] = []
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


def _progress(camera: CameraJson) -> str:
    reason = "" if camera["reason"] == "none" else f" ({camera['reason']})"
    return f"{camera['id']}: {camera['condition']}{reason}, {100 * camera['proven_share']:.0f} % proven"


def _figures(last: list[CameraJson], before: dict[str, int], started_ns: int) -> list[CameraFigures]:
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
    index, archive = Index.open(index_url(STATE / "data")), Archive(DirectoryStore(STATE / "data"))
    try:
        for camera in place.CAMERAS:
            rows = index.recordings(CameraId(camera.id), from_wall_ns)
            counts[camera.id] = 0
            for message in archive.scenes(recording_files(rows), from_wall_ns, time.time_ns(), 100 * NS_PER_MS):
                counts[camera.id] += message.WhichOneof("kind") == "cover"
                if counts[camera.id] >= MOST_COVERS:
                    break
    finally:
        index.close()
    return counts


if __name__ == "__main__":
    sys.exit(main())
