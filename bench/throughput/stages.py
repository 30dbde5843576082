"""Where a camera's time goes: receive, decode, scene, detect, write, in milliseconds of CPU a frame.

    python -m bench.throughput.stages STATE URL [SUB_URL]       one camera for half a minute once it has settled, and a line of JSON

STATE: a file with what `place.known_place` gave, so that a busy camera, too, is one with people in its known place.

Belongs here: a clock around the parts of the real pipeline, in one process. Does not belong here: the whole's cost (site).

*receive* is what the process used outside of the threads that look: FFmpeg's reading, and the heartbeat. *write* is not in it: that is the
main process, measured beside it (`Guarded.main_cpu`).
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from bench.throughput.settling import Settling
from bench.throughput.site import SETTLES_WITHIN_S
from privet.config.models import Promotion
from privet.core.clock import SystemClock
from privet.core.frame import Frame
from privet.core.frame_demand import SceneDemand
from privet.core.grid import Grid
from privet.core.ids import CameraId
from privet.core.pb import pipe_pb2, scene_pb2
from privet.detect.openvino import load_detectors
from privet.ingest.frame_demand import FrameConsumer
from privet.ingest.open import open_source
from privet.ingest.source import Source, SourceSettings, SourceStatistics
from privet.pipe.settings import CameraSettings
from privet.scene.analyst import Analyst, Counters, SubStream
from privet.scene.observation import Observation
from privet.scene.proof.looks import Detector
from privet.scene.proof.promote import ProvenBackground
from privet.scene.proof.step import Circumstances
from privet.scene.settings import AnalystSettings
from privet.scene.state_format import StoredScene
from privet.worker.camera.pipeline import CameraPipeline, MakeObserver, OpenSource
from privet.worker.send_queue import Outgoing

Stage = Literal["decode", "scene", "detect"]

WARM_S = 75.0
MEASURED_S = 30


class Stages:
    """CPU time by stage, over all threads. What happens within an inner stage is not the outer one's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open = threading.local()
        self.ns: dict[Stage, int] = {"decode": 0, "scene": 0, "detect": 0}

    @contextmanager
    def stage(self, name: Stage) -> Iterator[None]:
        """Time of this thread until the block's end."""
        inner: list[int] = self._open.__dict__.setdefault("inner", [])
        inner.append(0)
        began_ns = time.thread_time_ns()
        try:
            yield
        finally:
            took_ns = time.thread_time_ns() - began_ns
            within_ns = inner.pop()
            if inner:
                inner[-1] += took_ns
            with self._lock:
                self.ns[name] += took_ns - within_ns


class TimedSource:
    """See `Source`; what it takes to get at a frame is decoding."""

    def __init__(self, source: Source, stages: Stages) -> None:
        self._source = source
        self._stages = stages

    def __enter__(self) -> Self:
        self._source.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        self._source.__exit__(kind, error, traceback)

    def close(self) -> None:
        """See `Source.close`."""
        self._source.close()

    def statistics(self) -> SourceStatistics:
        """See `Source.statistics`."""
        return self._source.statistics()

    def frames(self) -> Iterator[Frame]:
        """See `Source.frames`."""
        frames = iter(self._source.frames())
        while True:
            with self._stages.stage("decode"):
                frame = next(frames, None)
            if frame is None:
                return
            yield frame


class TimedDetector:
    """A detector with a clock."""

    def __init__(self, detector: Detector, stages: Stages) -> None:
        self._detector = detector
        self._stages = stages

    @property
    def input_px(self) -> tuple[int, int]:
        return self._detector.input_px

    def find(self, pictures: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        with self._stages.stage("detect"):
            return self._detector.find(pictures)


class TimedSub:
    """The analysis of a sub-stream, with a clock."""

    def __init__(self, sub: SubStream, stages: Stages) -> None:
        self._sub = sub
        self._stages = stages
        self.lose = sub.lose

    def differs(self, frame: Frame) -> bool:
        with self._stages.stage("scene"):
            return self._sub.differs(frame)

    def observe(self, frame: Frame, how: Circumstances) -> Observation | None:
        with self._stages.stage("scene"):
            return self._sub.observe(frame, how)


class TimedAnalyst:
    """`Analyst`, with a clock around all that looks at a frame."""

    def __init__(self, analyst: Analyst, stages: Stages) -> None:
        self._analyst = analyst
        self._stages = stages
        self.signing = analyst.signing
        self.sub = TimedSub(analyst.sub, stages)
        self.snapshot = analyst.snapshot

    @property
    def demand(self) -> SceneDemand:
        return self._analyst.demand

    @property
    def background(self) -> ProvenBackground | None:
        return self._analyst.background

    @property
    def counters(self) -> Counters:
        return self._analyst.counters

    def differs(self, frame: Frame) -> bool:
        with self._stages.stage("scene"):
            return self._analyst.differs(frame)

    def observe(self, frame: Frame, how: Circumstances) -> Observation:
        with self._stages.stage("scene"):
            return self._analyst.observe(frame, how)


def timed_analyst(stages: Stages) -> MakeObserver:
    """How a `TimedAnalyst` is made."""

    def make(
        settings: AnalystSettings, detectors: Sequence[Detector], stored: StoredScene | None, *, distrust: bool,
        may_look: Callable[[], bool],
    ) -> TimedAnalyst:
        return TimedAnalyst(Analyst(settings, detectors, stored, distrust=distrust, may_look=may_look), stages)

    return make


class _Known:
    """A state store that knows the place already. Implements worker.camera.state_saving.StateStore."""

    def __init__(self, state: bytes) -> None:
        self._state = state

    def load(self) -> bytes:
        """What `place.known_place` gave."""
        return self._state

    def save(self, state: bytes) -> None:
        """It is dropped."""


class _Heard:
    """What the pipeline says, as far as it tells whether the camera has settled; the rest is for nobody here."""

    def __init__(self) -> None:
        self.proven_share = 0.0
        self.looks = 0
        self.frames = 0

    def __call__(self, message: Outgoing, arrived_monotonic_ns: int = 0) -> None:
        """Implements worker.send_queue.Emit."""
        if isinstance(message, pipe_pb2.Health):
            self.looks, self.frames = message.looks, message.frames_decoded
        elif isinstance(message, scene_pb2.SceneMessage) and message.state.HasField("grid"):
            grid = message.state.grid
            blocks = Grid(grid.width_px, grid.height_px, grid.block_px, grid.epoch).blocks - message.state.blind_blocks
            self.proven_share = message.state.proven_blocks / max(blocks, 1)


def measure(state: bytes, url: str, sub_url: str | None) -> dict[str, float]:
    """Milliseconds of CPU a frame of the main stream."""
    stages, clock, heard = Stages(), SystemClock(), _Heard()
    detectors = [TimedDetector(each, stages) for each in load_detectors("CPU", 0.15)]

    def opener(address: str) -> OpenSource:
        return lambda consumer: TimedSource(_opened(address, clock, consumer), stages)

    settings = CameraSettings(
        camera=CameraId("c0"), url=url, state_directory=PurePosixPath("state"),
        promotion=Promotion(commissioning="automatic"),
    )
    pipeline = CameraPipeline(
        settings, heard, detectors, _Known(state), clock, opener(url), timed_analyst(stages),
        open_sub=None if sub_url is None else opener(sub_url),
    )
    thread = threading.Thread(target=pipeline.run)
    thread.start()
    try:
        _await_settled(pipeline, heard)
        before, process_ns, at_ns = dict(stages.ns), time.process_time_ns(), time.monotonic_ns()
        _send_heartbeat(pipeline, MEASURED_S)
        spent: dict[str, int] = {name: after - before[name] for name, after in stages.ns.items()}
        process_ns, frames = time.process_time_ns() - process_ns, (time.monotonic_ns() - at_ns) / 1e9 * 15
    finally:
        pipeline.stop()
        thread.join()
    spent_ms = {name: ns / 1e6 / frames for name, ns in spent.items()}
    return {"receive": (process_ns - sum(spent.values())) / 1e6 / frames, **spent_ms}


def _opened(address: str, clock: SystemClock, consumer: FrameConsumer) -> Source:
    return open_source(SourceSettings(address), clock, consumer)


def _send_heartbeat(pipeline: CameraPipeline, for_s: int) -> None:
    """Once a second, as a worker does."""
    for _ in range(for_s):
        time.sleep(1.0)
        pipeline.heartbeat(1.0)


def _await_settled(pipeline: CameraPipeline, heard: _Heard) -> None:
    """As `site.await_settled`, and not before kernels and detectors are warm."""
    began_s, settling = time.monotonic(), Settling(1)
    while (for_s := time.monotonic() - began_s) < SETTLES_WITHIN_S:
        _send_heartbeat(pipeline, 1)
        settled = heard.frames > 0 and settling.settled(heard.proven_share, heard.looks, time.monotonic())
        if settled and for_s >= WARM_S:
            return
    print("the stages are of a camera that has not settled", file=sys.stderr)


def main() -> None:
    """One line of JSON."""
    known, url, *sub_urls = sys.argv[1:]
    found = measure(Path(known).read_bytes(), url, sub_urls[0] if sub_urls else None)
    print(json.dumps({name: round(value, 4) for name, value in found.items()}))


if __name__ == "__main__":
    main()
