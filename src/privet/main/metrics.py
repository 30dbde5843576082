"""The figures of the whole house, for the API and for Prometheus.

Belongs here: counters that outlive a worker, and the names they have in `/metrics`; a camera's are declared in pipe.proto. Does not belong
here: counting inside a room; each room has its own `statistics()`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from google.protobuf.message import Message
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from privet import __version__
from privet.core.declared import COUNTER, GAUGE, Figure, figures
from privet.core.decoding import Decoding
from privet.core.grid import Grid
from privet.core.ids import CameraId
from privet.core.pb import pipe_pb2
from privet.core.scene import Condition
from privet.live.hub import Hub
from privet.live.latency import BOUNDS_MS
from privet.main.supervisor import WorkerStatistics
from privet.pipe.bound import capacity
from privet.pipe.latency import LATENCY_BOUNDS_US
from privet.record.recorder import RecorderStatistics

COUNTERS = tuple(figure for figure in figures() if figure.kind == COUNTER)
GAUGES = tuple(figure for figure in figures() if figure.kind == GAUGE)


def added(before: pipe_pb2.Health, now: pipe_pb2.Health) -> pipe_pb2.Health:
    """Return `now` with the counters of an ended life added. Pure; gauges are those of `now`."""
    total = pipe_pb2.Health()
    total.CopyFrom(now)
    for name in (*(counter.name for counter in COUNTERS), "latency_sum_us"):
        setattr(total, name, getattr(before, name) + getattr(now, name))
    if len(before.latency_bucket_counts) == len(now.latency_bucket_counts):
        for index, count in enumerate(before.latency_bucket_counts):
            total.latency_bucket_counts[index] += count
    elif not now.latency_bucket_counts:
        total.latency_bucket_counts.extend(before.latency_bucket_counts)
    return total


def began_anew(last: pipe_pb2.Health, now: pipe_pb2.Health) -> bool:
    """Whether a pipeline's counters started again between two reports: one of them went back."""
    return any(getattr(now, counter.name) < getattr(last, counter.name) for counter in COUNTERS)


class HealthBook:
    """Each camera's health since the main process started, over all lives of its worker. Implements the API's `Counters`."""

    def __init__(self) -> None:
        self._ended: dict[CameraId, pipe_pb2.Health] = {}
        self._last: dict[CameraId, pipe_pb2.Health] = {}

    def note(self, camera: CameraId, health: pipe_pb2.Health) -> None:
        """Take a report."""
        last = self._last.get(camera)
        if last is not None and began_anew(last, health):
            self.end(camera)
        self._last[camera] = health

    def end(self, camera: CameraId) -> None:
        """The camera's worker is gone: what it counted is kept."""
        last = self._last.pop(camera, None)
        if last is not None:
            self._ended[camera] = added(self._ended.get(camera, pipe_pb2.Health()), last)

    def forget(self, camera: CameraId) -> None:
        """The camera is gone: if it comes again, it is counted from zero."""
        self._ended.pop(camera, None)
        self._last.pop(camera, None)

    def health(self, camera: CameraId) -> pipe_pb2.Health | None:
        """Everything counted of a camera; None before the first report."""
        ended, last = self._ended.get(camera), self._last.get(camera)
        if last is None:
            return ended
        return last if ended is None else added(ended, last)


class LedgerFigures(Protocol):
    """What is asked of the ledger (publisher)."""

    @property
    def dropped(self) -> int: ...

    @property
    def waiting(self) -> int: ...

    @property
    def error(self) -> str: ...


@dataclass(frozen=True)
class Sources:
    """Where the figures come from."""

    cameras: Callable[[], Sequence[CameraId]]
    covers_per_second: Callable[[], float]
    book: HealthBook
    hub: Hub
    recorder: Callable[[], RecorderStatistics]
    workers: Callable[[], tuple[WorkerStatistics, ...]]
    ledger: LedgerFigures


class Metrics:
    """Prometheus' text. Implements the API's `Metrics`."""

    def __init__(self, sources: Sources) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Figures(sources))

    def exposition(self) -> bytes:
        """Return the figures of now, text format 0.0.4."""
        return generate_latest(self._registry)


class _Figures(Collector):
    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def collect(self) -> Iterable[Metric]:
        yield _version()
        yield from self._of_cameras()
        yield from self._of_capacity()
        yield from self._of_workers()
        yield from self._of_hub()
        yield from self._of_recorder()

    def _of_cameras(self) -> Iterable[Metric]:
        known = [(camera, health) for camera in self._sources.cameras() if (health := self._sources.book.health(camera)) is not None]
        yield from of_figures((*COUNTERS, *GAUGES), known)
        decoding = GaugeMetricFamily("privet_camera_decoding", "1 for the way a camera is decoded now.", labels=["camera", "decoding"])
        for camera, health in known:
            for way in Decoding:
                decoding.add_metric([camera, way.name.lower()], float(health.decoding == way))
        yield decoding
        latency = HistogramMetricFamily(
            "privet_camera_latency_seconds", "From a frame's arrival to its message leaving the worker.", labels=["camera"]
        )
        for camera, health in known:
            if health.latency_bucket_counts:
                bounds = [bound_us / 1e6 for bound_us in LATENCY_BOUNDS_US]
                latency.add_metric([camera], _buckets(bounds, health.latency_bucket_counts), health.latency_sum_us / 1e6)
        yield latency
        condition = GaugeMetricFamily("privet_camera_condition", "1 for the condition a camera is in.", labels=["camera", "condition"])
        stale = GaugeMetricFamily("privet_camera_stale", "1 while nothing was heard of a camera for two seconds.", labels=["camera"])
        sent = GaugeMetricFamily("privet_camera_sent_bits_per_second", "Scene stream over the last ten seconds.", labels=["camera"])
        for camera in self._sources.cameras():
            heard = self._sources.hub.heard(camera)
            for value in Condition:
                condition.add_metric([camera, value.name.lower()], float(heard.condition is value))
            stale.add_metric([camera], float(heard.stale))
            sent.add_metric([camera], float(heard.sent_bits_per_second))
        yield from (condition, stale, sent)

    def _of_capacity(self) -> Iterable[Metric]:
        gauge = GaugeMetricFamily(
            "privet_camera_capacity_bits_per_second",
            "What could leave at most, by message (docs/ref/what-leaves.md).",
            labels=["camera", "part"],
        )
        for camera in self._sources.cameras():
            grid: Grid | None = self._sources.hub.view(camera).grid
            if grid is not None:
                most = capacity(grid, self._sources.covers_per_second())
                for part, bits in (*most.parts.items(), ("total", most.total)):
                    gauge.add_metric([camera, part], float(bits))
        yield gauge

    def _of_workers(self) -> Iterable[Metric]:
        restarts = CounterMetricFamily("privet_worker_restarts", "How often a lost worker was started again.", labels=["worker"])
        up = GaugeMetricFamily("privet_worker_up", "1 while the worker's process runs.", labels=["worker"])
        for worker in self._sources.workers():
            restarts.add_metric([str(worker.number)], float(worker.restarts))
            up.add_metric([str(worker.number)], float(worker.pid > 0))
        yield from (restarts, up)

    def _of_hub(self) -> Iterable[Metric]:
        hub = self._sources.hub.statistics()
        yield GaugeMetricFamily("privet_live_subscribers", "Viewers.", value=float(hub.subscribers))
        deepest = max(hub.queue_depths, default=0)
        yield GaugeMetricFamily("privet_live_queue_depth", "Messages that wait for the slowest viewer.", deepest)
        yield CounterMetricFamily("privet_live_resyncs", "Viewers that fell behind and were sent everything again.", hub.resyncs)
        yield CounterMetricFamily("privet_live_covers_dropped", "Covers left out because a newer one was there.", hub.covers_dropped)
        yield CounterMetricFamily("privet_live_messages", "Scene messages published.", hub.messages_published)
        yield CounterMetricFamily("privet_live_bytes", "Bytes published, before fan-out.", hub.bytes_published)
        latency = HistogramMetricFamily("privet_live_latency_seconds", "From a frame's wall time to publishing.")
        bounds = [bound_ms / 1e3 for bound_ms in BOUNDS_MS]
        latency.add_metric([], _buckets(bounds, hub.latency.counts), hub.latency.sum_us / 1e6)
        yield latency

    def _of_recorder(self) -> Iterable[Metric]:
        recorder = self._sources.recorder()
        yield GaugeMetricFamily("privet_record_queued_messages", "Messages that wait for the disk.", recorder.queued_messages)
        yield GaugeMetricFamily("privet_record_queued_bytes", "Bytes that wait for the disk.", recorder.queued_bytes)
        yield GaugeMetricFamily("privet_record_failing_cameras", "Cameras that cannot be recorded now.", recorder.failing_cameras)
        yield GaugeMetricFamily("privet_record_open_recordings", "Recordings being written.", recorder.open_recordings)
        yield CounterMetricFamily("privet_record_covers_dropped", "Covers the disk was too slow for.", recorder.covers_dropped)
        yield CounterMetricFamily("privet_record_write_errors", "Writes that failed.", recorder.write_errors)
        ledger = self._sources.ledger
        yield CounterMetricFamily("privet_index_rows_dropped", "Rows the index was too slow for.", ledger.dropped)
        yield GaugeMetricFamily("privet_index_rows_waiting", "Rows that are not written yet.", ledger.waiting)
        yield GaugeMetricFamily("privet_index_failing", "1 while the index takes no rows.", float(bool(ledger.error)))
        written = CounterMetricFamily("privet_record_bytes", "Bytes written.", labels=["camera"])
        for camera in recorder.cameras:
            written.add_metric([camera.camera], camera.bytes_written)
        yield written


def of_figures(shown: Iterable[Figure], known: Sequence[tuple[CameraId, Message]]) -> Iterator[Metric]:
    """Return the counters and gauges among a health report's figures, one metric each. known: each camera's report."""
    for figure in shown:
        family = CounterMetricFamily if figure.kind == COUNTER else GaugeMetricFamily
        metric = family(f"privet_camera_{figure.name}", figure.help, labels=["camera"])
        for camera, health in known:
            metric.add_metric([camera], float(getattr(health, figure.name)))
        yield metric


def _buckets(bounds: Sequence[float], counts: Sequence[int]) -> list[tuple[str, float]]:
    """Return Prometheus' cumulative buckets; `counts` has one entry more than `bounds`."""
    running = 0
    found = []
    for bound, count in zip([*map(repr, bounds), "+Inf"], counts, strict=True):
        running += count
        found.append((bound, float(running)))
    return found


def _version() -> GaugeMetricFamily:
    """The program's version, as a label."""
    family = GaugeMetricFamily("privet_info", "Version of the program.", labels=["version"])
    family.add_metric([__version__], 1.0)
    return family
