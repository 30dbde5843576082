"""The figures of the whole house, for the API and for Prometheus.

Belongs here: counters that outlive a worker, and the names they have in `/metrics`. Does not belong here: counting inside a room;
each room has its own `statistics()`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from privet import __version__
from privet.core.decoding import Decoding
from privet.core.grid import Grid
from privet.core.ids import CameraId
from privet.core.pb import pipe_pb2
from privet.core.scene import Condition
from privet.live.hub import Hub
from privet.live.latency import BOUNDS_MS
from privet.record.recorder import RecorderStatistics
from privet.runtime.capacity import capacity
from privet.runtime.outlet import LATENCY_BOUNDS_US
from privet.runtime.supervisor import WorkerStatistics

COUNTERS = {
    "packets": "Packets received from the camera.",
    "bytes_received": "Bytes received from the camera.",
    "frames_decoded": "Pictures decoded.",
    "frames_analysed": "Pictures that the cover was taken from.",
    "frames_damaged": "Pictures that did not decode cleanly.",
    "connects": "Connections to the camera.",
    "covers_sent": "Covers that left the worker.",
    "covers_dropped": "Covers dropped because the pipe was full.",
    "bytes_sent": "Bytes that left the worker.",
    "looks": "Detector runs.",
    "looks_with_hit": "Detector runs that found somebody.",
    "looks_starved": "Detector runs that were put off because the worker's budget was spent.",
    "proofs_put_off": "Times that proofs were left be for minutes, because the machine was behind.",
    "pictures_put_off": "Times that pictures between keyframes were left undecoded for a while, because the machine was behind.",
    "packets_dropped": "Packets thrown away undecoded, because the machine was further behind than packets are kept.",
    "frames_left_out": "Pictures that were never decoded: nothing moved, a keyframe came before the next look, or the machine was behind.",
    "frames_hardware": "Pictures decoded by a GPU.",
    "promoted_blocks": "Blocks that became background.",
    "proofs_restarted": "Proofs that began anew because something moved or somebody was found.",
    "saves_failed": "Tries to save what was proven that failed: the disk was full, read-only or gone.",
}
GAUGES = {
    "memory_bytes": "Memory of the worker process that hosts the camera: proportional set size.",
    "candidate_blocks": "Blocks that wait for a signature.",
    "sharpness_milli": "Focus measure of the last keyframe, thousandths.",
    "state_unsaved_seconds": "For how long what was proven has not been on the disk; 0 while it can be saved.",
}


def added(before: pipe_pb2.Health, now: pipe_pb2.Health) -> pipe_pb2.Health:
    """Return `now` with the counters of an ended life added. Pure; gauges are those of `now`."""
    total = pipe_pb2.Health()
    total.CopyFrom(now)
    for name in (*COUNTERS, "latency_sum_us"):
        setattr(total, name, getattr(before, name) + getattr(now, name))
    if len(before.latency_bucket_counts) == len(now.latency_bucket_counts):
        for index, count in enumerate(before.latency_bucket_counts):
            total.latency_bucket_counts[index] += count
    elif not now.latency_bucket_counts:
        total.latency_bucket_counts.extend(before.latency_bucket_counts)
    return total


def began_anew(last: pipe_pb2.Health, now: pipe_pb2.Health) -> bool:
    """Whether a pipeline's counters started again between two reports: one of them went back."""
    return any(getattr(now, name) < getattr(last, name) for name in COUNTERS)


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

    cameras: Sequence[CameraId]
    covers_per_second: float
    book: HealthBook
    hub: Hub
    recorder: Callable[[], RecorderStatistics]
    workers: Callable[[], tuple[WorkerStatistics, ...]]
    ledger: LedgerFigures


class Metrics:
    """Prometheus' text. Implements the API's `Metrics`."""

    def __init__(self, sources: Sources) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_House(sources))

    def exposition(self) -> bytes:
        """Return the figures of now, text format 0.0.4."""
        return generate_latest(self._registry)


class _House(Collector):
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
        known = [(camera, health) for camera in self._sources.cameras if (health := self._sources.book.health(camera)) is not None]
        for name, help_text in COUNTERS.items():
            counter = CounterMetricFamily(f"privet_camera_{name}", help_text, labels=["camera"])
            for camera, health in known:
                counter.add_metric([camera], float(getattr(health, name)))
            yield counter
        for name, help_text in GAUGES.items():
            gauge = GaugeMetricFamily(f"privet_camera_{name}", help_text, labels=["camera"])
            for camera, health in known:
                gauge.add_metric([camera], float(getattr(health, name)))
            yield gauge
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
        for camera in self._sources.cameras:
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
        for camera in self._sources.cameras:
            grid: Grid | None = self._sources.hub.view(camera).grid
            if grid is not None:
                most = capacity(grid, self._sources.covers_per_second)
                for part in ("covers", "cover_times", "lights", "states", "promotions", "health", "logs", "total"):
                    gauge.add_metric([camera, part], float(getattr(most, part)))
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
