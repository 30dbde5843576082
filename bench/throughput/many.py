"""Sixty cameras at once on this machine: does it keep up? `python -m bench.throughput.many --help`.

Belongs here: running so many, asking the API meanwhile, and what came of it. Does not belong here: what is missing in the recordings
(gaps), what one camera costs (site).

Nothing is pinned: `privet run` with its defaults (but the bench's proof time, its place known) shares all cores with the cameras, which are
two processes of demo/rtsp_server.py, one for each clip. What the cameras take is measured and left out of what Privet could have had.
"""

from __future__ import annotations

import argparse
import http.client
import os
import re
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from demo.encode import FootageMissingError
from demo.process import Api, DemoError, Privet
from demo.server import RtspServer

from bench.privacy.tables import Json
from bench.throughput.clips import FPS, SUB_HEIGHT_PX, Kind, clip
from bench.throughput.core import TICKS_PER_SECOND, cpu_s, family, memory_mb
from bench.throughput.gaps import Gaps, gaps_of, recorded
from bench.throughput.latency import buckets, quantiles
from bench.throughput.place import known_place
from bench.throughput.process import say_figures
from bench.throughput.site import SETTLES_WITHIN_S, await_settled, configuration_of, running, streams_apart
from privet.core.errors import WireError
from privet.core.ids import CameraId
from privet.index.index import Index, index_url

HEIGHT_PX = 1080
SAMPLE_EVERY_S = 10.0
ASK_EVERY_S = 0.5
DAY_MS = 86_400_000
MEMORY_FROM_S = 120.0           # or half of the time, where there is less
MOST_GROWN = 0.01               # of the memory at minute 2, by the fitted line, at the end: more is growth
API_WITHIN_MS = 100.0
HELD_PACKETS = 100              # a camera's packets that may be on their way, or put off while it sleeps
COUNTED = (
    "packets", "frames_decoded", "frames_left_out", "frames_damaged", "frames_analysed", "connects", "covers_dropped", "looks",
    "looks_starved",
)
LOST = ("worker_restarts", "record_covers_dropped", "record_write_errors", "index_rows_dropped")     # of /metrics


def main() -> int:
    """Measure; exit status 0, or 2 if it could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.throughput.many", description=(__doc__ or "").partition("?")[0] + "?")
    parser.add_argument("--quiet", type=int, default=45, metavar="N", help="cameras with nobody in view")
    parser.add_argument("--busy", type=int, default=15, metavar="N", help="cameras with people in every frame")
    parser.add_argument("--sub", action="store_true", help="every camera has a sub-stream, which Privet watches")
    parser.add_argument("--minutes", type=float, default=10.0, help="that are measured, once the cameras have settled")
    parser.add_argument("--json", action="store_true", help="for machines, on standard output")
    options = parser.parse_args()
    cannot = (FootageMissingError, DemoError, RuntimeError, ValueError)
    return say_figures(
        "bench.throughput.many", lambda: many_figures(options.quiet, options.busy, options.minutes, sub=options.sub),
        as_json=options.json, cannot=cannot,
    )


def many_figures(quiet: int, busy: int, minutes: float, *, sub: bool = False) -> Json:
    """Under the names of docs/ref/throughput-bench.md. sub: every camera has a sub-stream.

    Raises:
        DemoError: Privet does not start.
        ValueError: no cameras, or no time.
    """
    if quiet < 0 or busy < 0 or quiet + busy < 1 or minutes <= 0:
        raise ValueError("take one camera at least, and some time")
    _say("one camera proves the place, if none has before")
    known = known_place(HEIGHT_PX)
    with cameras_of({"quiet": quiet, "busy": busy}, sub=sub) as cameras:
        urls = [pair for each in cameras for pair in each.urls]
        with running(configuration_of(urls, "settled"), len(urls), None, known) as (privet, api, directory):
            _say(f"{len(urls)} cameras: settling")
            began_s = time.monotonic()
            settled = await_settled(api, len(urls), SETTLES_WITHIN_S, sub=sub)
            after_s = time.monotonic() - began_s
            _say(f"{'settled' if settled else 'not settled'} after {after_s:.0f} s; measuring {minutes:g} minutes")
            watched = _watch(privet, api, cameras, minutes * 60, streams=2 if sub else 1)
            privet.stop()                       # then every recording is closed
            gaps = _recorded_gaps(directory / "data", len(urls), watched)
    return {
        "cameras": {"quiet": quiet, "busy": busy},
        "sub_streams": sub,
        "minutes": minutes,
        "settled": settled,
        "settled_after_s": round(after_s),
        **_figures(watched, gaps, quiet, busy),
    }


# ---- the cameras


@dataclass(frozen=True, slots=True)
class Cameras:
    """One process that plays the cameras of one kind."""

    kind: Kind
    urls: tuple[tuple[str, str | None], ...]    # of main and sub-stream
    port: int
    pid: int


@contextmanager
def cameras_of(counts: Mapping[Kind, int], *, sub: bool = False) -> Iterator[list[Cameras]]:
    """So many cameras of each kind, each by itself as `streams_apart` says. sub: with a sub-stream each."""
    started: list[RtspServer] = []
    with tempfile.TemporaryDirectory() as directory:
        try:
            found = []
            for kind, count in counts.items():
                if count:
                    (Path(directory) / kind).mkdir()
                    small = clip(kind, SUB_HEIGHT_PX) if sub else None
                    server = RtspServer(streams_apart(clip(kind, HEIGHT_PX), count, small), Path(directory) / kind)
                    started.append(server)
                    server.start()
                    assert server.process is not None
                    urls = tuple((server.url(f"/{each}"), server.url(f"/{each}/sub") if sub else None) for each in range(count))
                    found.append(Cameras(kind, urls, server.port, server.process.pid))
            yield found
        finally:
            for server in started:
                server.stop()


# ---- what is watched


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU seconds so far, on one machine. workers: by process, of those that have cameras. machine: everything that ran."""

    at_s: float
    cameras: float
    privet: float
    main: float
    bench: float
    machine: float
    workers: Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Watched:
    """What was seen while it ran. memory: (seconds, megabytes). cameras_of_worker: by process, how many of each kind."""

    from_ns: int
    to_ns: int
    before: Spent
    after: Spent
    memory: Sequence[tuple[float, float]]
    counted: Sequence[tuple[Kind, Mapping[str, int]]]
    lost: Mapping[str, int]
    streams: int                # of a camera
    cameras_of_worker: Mapping[int, Mapping[Kind, int]]
    proven_share: float
    asked: Asked
    latency: Mapping[float, float]


def _watch(privet: Privet, api: Api, cameras: Sequence[Cameras], for_s: float, streams: int) -> Watched:
    pid, kinds = privet.process.pid, [each.kind for each in cameras for _ in each.urls]
    asked = Asked(api, len(kinds))
    counted, metrics, from_ns = _counters(api), api.metrics(), time.time_ns()
    before, began_s = _spent(pid, cameras), time.monotonic()
    memory: list[tuple[float, float]] = []
    with asked.asking():
        while (at_s := time.monotonic() - began_s) < for_s:
            memory.append((at_s, memory_mb(family(pid))))
            time.sleep(min(SAMPLE_EVERY_S, max(for_s - at_s, 0.0)))
    after, to_ns = _spent(pid, cameras), time.time_ns()
    memory.append((time.monotonic() - began_s, memory_mb(family(pid))))
    later, metrics_later = _counters(api), api.metrics()
    proven = min(camera["proven_share"] for camera in api.cameras())
    ports = {each.port: each.kind for each in cameras}
    latency, latency_before = buckets(metrics_later), buckets(metrics)
    return Watched(
        from_ns, to_ns, before, after, memory,
        [
            (kind, {name: late[name] - early.get(name, 0) for name in late})
            for kind, early, late in zip(kinds, counted, later, strict=True)
        ],
        {name: total(metrics_later, f"privet_{name}_total") - total(metrics, f"privet_{name}_total") for name in LOST},
        streams,
        {worker: _cameras_of(worker, ports, streams) for worker in after.workers},
        proven, asked,
        {bound: count - latency_before.get(bound, 0.0) for bound, count in latency.items()},
    )


def _spent(pid: int, cameras: Sequence[Cameras]) -> Spent:
    pids = family(pid)
    workers = {each: cpu_s(frozenset({each})) for each in pids - {pid}}
    main = cpu_s(frozenset({pid}))
    served = cpu_s(frozenset(each.pid for each in cameras))
    return Spent(time.monotonic(), served, main + sum(workers.values()), main, time.process_time(), _machine_s(), workers)


def _machine_s() -> float:
    """CPU seconds since the machine started in which it was not idle."""
    user, nice, system, _, _, *others = (int(ticks) for ticks in Path("/proc/stat").read_text().split("\n")[0].split()[1:8])
    return (user + nice + system + sum(others)) / TICKS_PER_SECOND


def _counters(api: Api) -> list[dict[str, int]]:
    """Of each camera, in the configuration's order; `packets_dropped` where this version counts them."""
    found = []
    for camera in api.cameras():
        counters: Mapping[str, object] = dict(camera["counters"])
        found.append({name: value for name in (*COUNTED, "packets_dropped") if isinstance(value := counters.get(name), int)})
    return found


def total(metrics: str, name: str) -> int:
    """The sum of a metric over all its labels, out of Prometheus' text."""
    values = re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", metrics, re.MULTILINE)
    return round(sum(float(value) for value in values))


def _cameras_of(pid: int, ports: Mapping[int, Kind], streams: int) -> dict[Kind, int]:
    """To how many cameras of each kind a process is connected, once for each stream; nothing where the kernel does not say."""
    found: dict[Kind, int] = {}
    try:
        held = {str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir()}
        lines = Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
    except OSError:
        return found
    for fields in (line.split() for line in lines):
        kind = ports.get(int(fields[2].rpartition(":")[2], 16))
        if kind is not None and f"socket:[{fields[9]}]" in held:
            found[kind] = found.get(kind, 0) + 1
    return {kind: connections // streams for kind, connections in found.items()}


# ---- the API, asked meanwhile


@dataclass
class Asked:
    """A client that asks three questions twice a second, over one connection, as a page does. latencies: milliseconds, by question."""

    api: Api
    cameras: int
    latencies: dict[str, list[float]] = field(default_factory=dict)
    failed: int = 0

    @contextmanager
    def asking(self) -> Iterator[None]:
        """For as long as the block takes."""
        stop = threading.Event()
        thread = threading.Thread(target=self._ask, args=(stop,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(2 * ASK_EVERY_S + 10)

    def _ask(self, stop: threading.Event) -> None:
        base, token = self.api.login
        connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=10)
        due_s, number = time.monotonic(), 0
        while not stop.wait(max(due_s - time.monotonic(), 0.0)):
            due_s, number = max(due_s + ASK_EVERY_S, time.monotonic()), number + 1
            camera, now_ms = f"/api/cameras/c{number % self.cameras}", time.time_ns() // 1_000_000
            questions = {
                "cameras": "/api/cameras",
                "camera": camera,
                "timeline": f"{camera}/timeline?from_ms={now_ms - DAY_MS}&to_ms={now_ms}",
            }
            for name, path in questions.items():
                began_s = time.perf_counter()
                try:
                    connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
                    answer = connection.getresponse()
                    answer.read()
                    self.failed += answer.status != http.client.OK
                except (OSError, http.client.HTTPException):
                    self.failed += 1
                    connection.close()
                self.latencies.setdefault(name, []).append(1000 * (time.perf_counter() - began_s))
        connection.close()


# ---- what came of it


def _recorded_gaps(data: Path, cameras: int, watched: Watched) -> Gaps:
    index = Index.open(index_url(data))
    try:
        gaps = Gaps()
        for number in range(cameras):
            paths = [data / row.path for row in index.recordings(CameraId(f"c{number}"))]
            try:
                gaps += gaps_of(recorded([path for path in paths if path.exists()]), watched.from_ns, watched.to_ns)
            except (OSError, WireError):
                gaps += Gaps(unrecorded=1)
        return gaps
    finally:
        index.close()


def _figures(watched: Watched, gaps: Gaps, quiet: int, busy: int) -> Json:
    before, after, cores = watched.before, watched.after, len(os.sched_getaffinity(0))
    seconds = after.at_s - before.at_s

    def used(of: Callable[[Spent], float]) -> float:
        return (of(after) - of(before)) / seconds

    cameras, privet, bench = used(lambda spent: spent.cameras), used(lambda spent: spent.privet), used(lambda spent: spent.bench)
    workers = [
        ((spent - before.workers[pid]) / seconds, of.get("quiet", 0), of.get("busy", 0))
        for pid, spent in after.workers.items() if pid in before.workers and (of := watched.cameras_of_worker[pid])
    ]
    counted = {name: sum(each.get(name, 0) for _, each in watched.counted) for name in COUNTED}
    lost = {
        **gaps.counts(),
        "frames_damaged": counted["frames_damaged"],
        "packets_dropped": sum(dropped(each) for _, each in watched.counted),
        "reconnects": counted["connects"],
        **watched.lost,
    }
    memory = grown(watched.memory, min(MEMORY_FROM_S, seconds / 2))
    api = {name: spread(values) for name, values in watched.asked.latencies.items() if len(values) > 1}
    slowest = max((each["p95"] for each in api.values()), default=float("inf"))
    return {
        "proven_share": round(watched.proven_share, 4),
        "cpu": {
            "cores": cores,
            "cameras": round(cameras, 3),
            "cameras_share": round(cameras / cores, 4),
            "privet": round(privet, 3),
            "privet_main": round(used(lambda spent: spent.main), 3),
            "bench": round(bench, 3),
            "elsewhere": round(used(lambda spent: spent.machine) - cameras - privet - bench, 3),
        },
        "privet_a_camera": {
            "all": round(privet / (quiet + busy), 4),
            **{f"{kind}_in_worker": round(each, 4) for kind, each in by_kind(workers).items()},
        },
        "share_of_machine": round(privet / cores, 4),
        "share_of_what_is_left": round(privet / (cores - cameras), 4) if cameras < cores else None,
        "analysed_a_second": {
            kind: round(statistics.mean(each["frames_analysed"] for of, each in watched.counted if of == kind) / seconds, 2)
            for kind in ("quiet", "busy") if any(of == kind for of, _ in watched.counted)
        },
        "keyframes_only_share": round(gaps.sparse / gaps.heartbeats, 4) if gaps.heartbeats else None,
        "least_packets_share": round(min(each["packets"] for _, each in watched.counted) / seconds / watched.streams / float(FPS), 4),
        "to_message_ms": quantiles(watched.latency) if max(watched.latency.values(), default=0.0) > 0 else None,
        "gaps": lost,
        "longest_silence_s": gaps.longest_silence_s,
        "covers_dropped": counted["covers_dropped"],
        "looks": counted["looks"],
        "looks_starved": counted["looks_starved"],
        "memory_mb": memory,
        "api_ms": {**api, "asked": sum(len(values) for values in watched.asked.latencies.values()), "failed": watched.asked.failed},
        "held": {
            "no_gap": not any(lost.values()),
            "no_growth_of_memory": memory["grown_share"] <= MOST_GROWN,
            "api_in_time": slowest < API_WITHIN_MS and not watched.asked.failed,
        },
    }


def dropped(counted: Mapping[str, int]) -> int:
    """Packets of a camera that were received and thrown away undecoded: as counted, or what is neither decoded nor left out."""
    if "packets_dropped" in counted:
        return counted["packets_dropped"]
    undecoded = counted["packets"] - counted["frames_decoded"] - counted["frames_left_out"]
    return undecoded if undecoded > HELD_PACKETS else 0


def by_kind(workers: Sequence[tuple[float, int, int]]) -> dict[Kind, float]:
    """CPU of a worker's camera by kind; nothing where it cannot be told apart. workers: (CPU, quiet cameras, busy cameras) each.

    A kind that has a worker to itself is known; then what the mixed ones used beyond it is the other's.
    """
    found: dict[Kind, float] = {}
    for kind, own, other in (("quiet", 1, 2), ("busy", 2, 1)):
        alone = [each for each in workers if each[own] and not each[other]]
        if alone:
            found["quiet" if kind == "quiet" else "busy"] = sum(each[0] for each in alone) / sum(each[own] for each in alone)
    mixed = [each for each in workers if each[1] and each[2]]
    if mixed and len(found) == 1:
        (known, cost), = found.items()
        own, other = (1, 2) if known == "quiet" else (2, 1)
        left = sum(each[0] - each[own] * cost for each in mixed) / sum(each[other] for each in mixed)
        found["busy" if known == "quiet" else "quiet"] = left
    return found


def grown(samples: Sequence[tuple[float, float]], from_s: float) -> dict[str, float]:
    """samples: (seconds, megabytes). Memory at `from_s` and at the end, and the least-squares line through what lies between."""
    later = [each for each in samples if each[0] >= from_s] or list(samples[-1:])
    times, values = [each[0] for each in later], [each[1] for each in later]
    slope = statistics.linear_regression(times, values).slope if len(set(times)) > 1 else 0.0
    return {
        "at_minute": round(times[0] / 60, 2),
        "then": round(values[0], 1),
        "end": round(values[-1], 1),
        "slope_a_minute": round(60 * slope, 3),
        "grown_share": round(slope * (times[-1] - times[0]) / values[0], 5) if values[0] else 0.0,
    }


def spread(values: Sequence[float]) -> dict[str, float]:
    """p50, p95 and p99 of at least two values."""
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return {"p50": round(cuts[49], 1), "p95": round(cuts[94], 1), "p99": round(cuts[98], 1)}


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
