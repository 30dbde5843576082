"""What is measured: cameras on one core's RTSP server, Privet or a bare receiver on the other core.

Belongs here: starting both where they belong, and reading what they used. Does not belong here: which cases there are (bench).
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from demo.clip import Clip
from demo.process import Api, CameraJson, DemoError, Privet, free_port
from demo.server import RtspServer

from bench.throughput.core import cpu_s, family, pinned
from bench.throughput.settling import Settling
from privet.config.models import Worker
from privet.core.ids import CameraId
from privet.main.assignment import deal
from privet.main.installation_key import installation_key
from privet.worker.state_store import StateStore

State = Literal["commissioning", "proving", "settled"]
PROMOTION: dict[State, tuple[str, ...]] = {
    "commissioning": ("prove_seconds = 10", "prove_keyframes = 5"),
    "proving": ("prove_keyframes = 1800",),     # none ends; but it takes the default's time, for looks go by how far a proof has come
    "settled": (),
}

PATH, SUB_PATH = "/camera", "/camera/sub"
WINDOWS = 5                 # that a figure is the median of, unless asked otherwise
WINDOW_S = 8.0
WARM_S = 10.0
PROVES_WITHIN_S = 1800.0    # a place of 1080p, which takes 13 minutes where nothing else runs; larger ones take as many more looks
SETTLES_WITHIN_S = 300.0    # of a known place; later it is measured as it is, and said
HELD_AFTER_S = 120.0
SUB_LEARNS_S = 120.0        # where people are everywhere, blocks of the sub-stream are learned one by one, from the main stream's keyframes


@dataclass(frozen=True, slots=True)
class Used:
    """cpu_ratio's parts: CPU seconds a second of stream, median of windows; and the least and the most of them."""

    cpu: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Guarded:
    """What `privet run` used. main_cpu: of `used`, what is not the workers'. memory: of its workers, megabytes a camera. received,
    recorded: bytes a second of stream."""

    used: Used
    main_cpu: float
    memory_mb: float
    recorded_bytes_per_second: float
    received_bytes_per_second: float
    proven_share: float
    dropped: int
    looks_per_second: float
    left_out_share: float
    on_sub: int                 # cameras whose sub-stream is watched
    settled: bool               # before it was measured; of `proving` nothing


@contextmanager
def cameras_on(core: int, clip: Clip, sub: Clip | None = None) -> Iterator[tuple[str, str | None]]:
    """Serve a clip over RTSP from one core, and a sub-stream with it; yields their URLs."""
    with tempfile.TemporaryDirectory() as directory:
        clips = {PATH: clip} if sub is None else {PATH: clip, SUB_PATH: sub}
        streams = [{"path": path, "codec": each.codec, "file": str(each.path), "start_seconds": 0.0} for path, each in clips.items()]
        server = RtspServer(streams, Path(directory))
        try:
            with pinned(core):
                server.start()
            yield server.url(PATH), None if sub is None else server.url(SUB_PATH)
        finally:
            server.stop()


def streams_apart(clip: Clip, count: int, sub: Clip | None = None) -> list[dict[str, object]]:
    """So many cameras for an `RtspServer`, at /0, /1 and so on, sub-streams at /0/sub. No two show the same moment of their clip or send
    their keyframes together: cameras do not know of each other.
    """
    gop_s = next((number for number, unit in enumerate(clip.units) if number > 0 and unit.keyframe), len(clip.units)) / float(clip.fps)
    return [
        {
            "path": f"/{number}{path}", "codec": played.codec, "file": str(played.path), "free_running": True,
            "start_seconds": number / count * (clip.duration_s + gop_s),
        }
        for number in range(count)
        for path, played in (("", clip), ("/sub", sub))
        if played is not None
    ]


@contextmanager
def cameras_apart(core: int, clip: Clip, count: int) -> Iterator[list[str]]:
    """As `cameras_on`, each by itself; yields their URLs."""
    with tempfile.TemporaryDirectory() as directory:
        server = RtspServer(streams_apart(clip, count), Path(directory))
        try:
            with pinned(core):
                server.start()
            yield [server.url(f"/{number}") for number in range(count)]
        finally:
            server.stop()


def receive(url: str, sub_url: str | None, cameras: int, core: int, windows: int = WINDOWS) -> Used:
    """Receive and decode only: the sub-stream where there is one, and then the main stream is received only.

    Raises:
        RuntimeError: it ended by itself.
    """
    with pinned(core):
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.throughput.receive", url, str(cameras), *([sub_url] if sub_url else [])],
            stdout=subprocess.PIPE, text=True,
        )
    try:
        assert process.stdout is not None
        if process.stdout.readline() != "watching\n":
            raise RuntimeError(f"receiving ended with status {process.wait()}")
        time.sleep(WARM_S)
        return _used(process.pid, cameras, windows)
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def guard(
    url: str, sub_url: str | None, cameras: int, core: int, state: State, known: bytes | None = None, windows: int = WINDOWS
) -> Guarded:
    """`privet run` with so many cameras of the same stream, on one core. proving: nothing has been still for long enough yet.

    known: what `prove` gave of this stream; every camera begins with it, as after a restart.

    Raises:
        DemoError: it does not start.
    """
    with running(configuration(url, sub_url, cameras, state), cameras, core, known) as (privet, api, directory):
        settled = _await_state(api, cameras, state, sub=sub_url is not None)
        before, at_s = _counted(api, directory), time.monotonic()
        earlier = api.cameras()
        main = frozenset({privet.process.pid})
        main_s = cpu_s(main)
        used = _used(privet.process.pid, cameras, windows)
        after, seconds = _counted(api, directory), time.monotonic() - at_s
        figures = api.cameras()
        return Guarded(
            used,
            (cpu_s(main) - main_s) / cameras / seconds,
            _workers_mb(api, cameras) / cameras,
            (after[0] - before[0]) / cameras / seconds,
            (after[1] - before[1]) / cameras / seconds,
            min(camera["proven_share"] for camera in figures),
            sum(camera["counters"]["covers_dropped"] for camera in figures),
            _grown(earlier, figures, "looks") / cameras / seconds,
            _grown(earlier, figures, "frames_left_out") / max(_grown(earlier, figures, "packets"), 1),
            sum(camera["counters"]["sub_stream"] == "watched" for camera in figures),
            settled,
        )


def prove(url: str, sub_url: str | None, core: int, within_s: float = PROVES_WITHIN_S) -> bytes:
    """Let one camera prove what it can of its place in this time at most; returns what it keeps for its next start.

    Raises:
        DemoError: it does not start, or did not settle: whoever began with that would go on proving.
    """
    with running(configuration(url, sub_url, 1, "commissioning"), 1, core) as (privet, api, directory):
        if not await_settled(api, 1, within_s, sub=False):
            raise DemoError(f"the place was not proven within {within_s:.0f} s: end what else takes the machine's time, and try again")
        proven = max((camera["proven_share"] for camera in api.cameras()), default=0.0)
        privet.stop()                       # then it keeps what it knows
        kept = _store(directory, 0).load()
    if kept is None or not proven:
        raise DemoError("nothing of the place was proven: see privet.log, or try the clip with `privet mask`")
    return kept


def held(url: str, cameras: int, core: int, known: bytes) -> float:
    """Memory of the workers, megabytes a camera: two minutes after so many were started.

    Raises:
        DemoError: it does not start.
    """
    with running(configuration(url, None, cameras, "settled"), cameras, core, known) as (_, api, __):
        time.sleep(HELD_AFTER_S)
        return _workers_mb(api, cameras) / cameras


@contextmanager
def running(
    configured: str, cameras: int, core: int | None, known: bytes | None = None
) -> Iterator[tuple[Privet, Api, Path]]:
    """`privet run` on one core (None: on all), for as long as the block takes; yields it, its API and its directory.

    Raises:
        DemoError: it does not start.
    """
    with tempfile.TemporaryDirectory() as name:
        directory, port = Path(name), free_port(0)
        (directory / "privet.toml").write_text(configured + f"[server]\nport = {port}\n")
        for number in range(cameras if known is not None else 0):
            assert known is not None
            store = _store(directory, number)
            store.save(known)
        with nullcontext() if core is None else pinned(core):
            privet = Privet.start(directory)
        try:
            token = privet.token(threading.Event())
            assert token is not None
            yield privet, Api(port, token), directory
        finally:
            privet.stop()


def _store(directory: Path, number: int) -> StateStore:
    """Where a camera of the bench keeps what it has proven."""
    data, camera = directory / "data", CameraId(f"c{number}")
    (data / "state" / camera).mkdir(mode=0o700, parents=True, exist_ok=True)
    return StateStore(data / "state" / camera, camera, installation_key(data))


def configuration(url: str, sub_url: str | None, cameras: int, state: State) -> str:
    """privet.toml of so many cameras of the same stream: see `configuration_of`."""
    return configuration_of([(url, sub_url)] * cameras, state)


def configuration_of(urls: Sequence[tuple[str, str | None]], state: State) -> str:
    """privet.toml: the defaults, but for how a place is proven. urls: of main and sub-stream."""
    lines = [
        "[site]", 'name = "Throughput"', 'controller = "Nobody"',
        "[promotion]", 'commissioning = "automatic"', *PROMOTION[state],
    ]
    for number, (url, sub_url) in enumerate(urls):
        lines += [f"[cameras.c{number}]", 'place = "bench"', 'purpose = "measuring"', f'url = "{url}"']
        lines += [f'sub_url = "{sub_url}"'] if sub_url else []
    return "\n".join(lines) + "\n"


def _await_state(api: Api, cameras: int, state: State, *, sub: bool) -> bool:
    """Until every camera sends pictures and has done so for a while, or has settled; returns whether it has."""
    if state != "proving":
        return await_settled(api, cameras, SETTLES_WITHIN_S, sub=sub)
    until_s = time.monotonic() + PROVES_WITHIN_S
    while not _all_send(api.cameras(), cameras) and time.monotonic() < until_s:
        time.sleep(1.0)
    time.sleep(WARM_S)
    return False


def await_settled(api: Api, cameras: int, within_s: float, *, sub: bool) -> bool:
    """Until no more is proven and hardly any looks are taken, as Settling says; returns whether that came in time.

    sub: and until what the sub-stream shows was learned: that is not kept from one start to the next, and costs main stream's keyframes.
    """
    settling, until_s = Settling(cameras), time.monotonic() + within_s
    while time.monotonic() < until_s:
        time.sleep(1.0)
        try:
            seen = api.cameras()
        except OSError:                     # it is measured once it has settled, and so how soon it answers then
            settling.begin_anew()
            continue
        if not _all_send(seen, cameras):
            settling.begin_anew()
            continue
        share, looks = sum(camera["proven_share"] for camera in seen), sum(camera["counters"]["looks"] for camera in seen)
        if settling.settled(share, looks, time.monotonic()):
            time.sleep(SUB_LEARNS_S if sub else 0.0)
            return True
    return False


def _all_send(seen: Sequence[CameraJson], cameras: int) -> bool:
    return len(seen) == cameras and all(camera["counters"]["frames_decoded"] > 0 for camera in seen)


def _counted(api: Api, directory: Path) -> tuple[int, int]:
    """Bytes recorded and bytes received so far."""
    recorded = sum(path.stat().st_size for path in (directory / "data" / "recordings").rglob("*") if path.is_file())
    return recorded, sum(camera["counters"]["bytes_received"] for camera in api.cameras())


def _workers_mb(api: Api, cameras: int) -> float:
    """Proportional set size of all workers, megabytes, as they say it themselves every half minute: each by its first camera."""
    said = dict(re.findall(r'^privet_camera_memory_bytes\{camera="(.+)"\} (\S+)$', api.metrics(), re.MULTILINE))
    groups = deal([CameraId(f"c{number}") for number in range(cameras)], Worker().cameras_per_worker)
    return sum(float(said[group[0]]) for group in groups) / 1e6


def _grown(before: Sequence[CameraJson], after: Sequence[CameraJson], counter: Literal["looks", "frames_left_out", "packets"]) -> int:
    """By how much a counter grew meanwhile, over all cameras."""
    return sum(camera["counters"][counter] for camera in after) - sum(camera["counters"][counter] for camera in before)


def _used(pid: int, cameras: int, windows: int) -> Used:
    shares = []
    for _ in range(windows):
        pids = family(pid)
        used_s, at_s = cpu_s(pids), time.monotonic()
        time.sleep(WINDOW_S)
        shares.append((cpu_s(pids) - used_s) / (time.monotonic() - at_s) / cameras)
    return Used(statistics.median(shares), min(shares), max(shares))
