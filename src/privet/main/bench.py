"""Measures what cameras cost on this machine, with the workers that would guard them: for `privet bench`.

Belongs here: starting workers, waiting, reading counters from outside. Does not belong here: what it comes to (bench_estimate), words
(cli/bench), what happens in a worker (worker.jobs.bench: nothing of a picture comes out, nothing is kept).

Each camera has a worker of its own, so that what the kernel says of a process is one camera's; what a worker holds without any is measured
by one that has none, and shared again in the sum. Two passes: one in which no proof can end, one with short proofs, so that what can settle
does. All cameras run at the same time.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from privet.config.directories import cache_directory
from privet.config.load import Loaded
from privet.core.errors import PrivetError, WireError
from privet.core.ids import CameraId
from privet.core.machine import cpu_ticks, resident_bytes
from privet.core.pb import pipe_pb2, scene_pb2
from privet.core.scene import Condition, Reason
from privet.main.bench_estimate import Cost
from privet.main.inspector import Inspector
from privet.main.launch import reduced_environment
from privet.main.worker_settings import worker_settings
from privet.pipe import framing
from privet.pipe.compiled import WARM_WITHIN_S, compiled_directory, is_warm, warm_command
from privet.pipe.directories import Directories, arguments_of
from privet.pipe.settings import WorkerSettings

FIRST_PICTURE_WITHIN_S = 30.0
STOPS_WITHIN_S = 10.0
WINDOWS = 3
Promotion = dict[str, float | str]
Say = Callable[[str], None]
QUICK_LOOKS_PER_SECOND = 6.0
"""So that a minute will do; what still takes looks when it is measured has not settled, and is not taken for settled (holds)."""
QUICK_PROOF: Promotion = {"prove_seconds": 4.0, "prove_keyframes": 2, "commissioning": "automatic"}
TICKS_PER_S = os.sysconf("SC_CLK_TCK")



@dataclass(frozen=True, slots=True)
class Measured:
    """One camera in one pass. cost: None if no picture came, and why."""

    camera: CameraId
    cost: Cost | None
    reason: Reason = Reason.NONE
    size_px: tuple[int, int] = (0, 0)
    fps: float = 0.0
    proven_share: float = 0.0
    asleep_share: float = 0.0           # of the states said in the windows
    looks_per_second: float = 0.0
    left_out_share: float = 0.0         # pictures never decoded


@dataclass(frozen=True, slots=True)
class Bench:
    """Both passes, in the cameras' order, and what a worker without cameras holds."""

    proving: tuple[Measured, ...]
    settled: tuple[Measured, ...]
    worker_bytes: int
    busy_share: float                   # of the cores, over the dearest window


def compiled(loaded: Loaded) -> Path:
    """Where kernels and models lie compiled, as `privet run` has them; compiled now if they are not.

    Raises:
        PrivetError: they cannot be compiled.
    """
    device = loaded.config.detect.device
    cache = cache_directory(loaded)
    directory = compiled_directory(cache, device)
    if not is_warm(directory):
        try:
            done = subprocess.run(
                warm_command(cache, device), env=reduced_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, timeout=WARM_WITHIN_S, check=False,
            )
        except subprocess.TimeoutExpired:
            raise PrivetError(f"the kernels were not compiled within {WARM_WITHIN_S:.0f} s: run `privet doctor`") from None
        if done.returncode:
            raise PrivetError(f"the kernels cannot be compiled into {directory}: run `privet doctor`")
    return directory


def write_sample(path: Path) -> None:
    """Have a process of its own make the sample clip.

    Raises:
        PrivetError: it cannot.
    """
    command = [sys.executable, "-P", "-m", "privet.worker.jobs.bench", "--sample", str(path)]
    done = subprocess.run(command, env=reduced_environment(), stderr=subprocess.DEVNULL, check=False)
    if done.returncode or not path.is_file():
        raise PrivetError(f"the sample clip cannot be written to {path}: make room there, or give one with --file")


def measure(loaded: Loaded, cameras: Sequence[CameraId], directory: Path, seconds: float, cores: float, say: Say) -> Bench:
    """Measure for about so many seconds. directory: empty, for this alone. say: told what is being done.

    Raises:
        PrivetError: the kernels cannot be compiled. OSError: no process can be started.
    """
    say("preparing")
    warmed = compiled(loaded)
    warm_s, measured_s = seconds * 0.05, seconds * 0.25
    # No proof ends, for want of keyframes; but all of a proof's time is measured, for what is looked at goes by how far it has come.
    no_proof: Promotion = {"prove_seconds": warm_s + measured_s, "prove_keyframes": 10_000, "commissioning": "automatic"}
    empty = _Worker(_settings(loaded, (), no_proof), Directories(directory / "empty", warmed))
    say("first pictures")
    try:
        proving, busy = _pass(loaded, cameras, directory / "proving", warmed, no_proof, warm_s, measured_s, say, "proving")
        worker_bytes = resident_bytes(empty.pid)
    finally:
        empty.stop()
    say("first pictures")
    settled, busier = _pass(loaded, cameras, directory / "settled", warmed, QUICK_PROOF, seconds * 0.35, measured_s, say, "settled")
    return Bench(proving, settled, worker_bytes, max(busy, busier) / cores)


def _settings(loaded: Loaded, cameras: Sequence[CameraId], promotion: Promotion) -> WorkerSettings:
    """As `privet run` has them, but with another proof."""
    told = worker_settings(loaded, cameras, PurePosixPath("worker"), bytes(32))
    changes: dict[str, object] = {"promotion": loaded.config.promotion.model_copy(update=promotion)}
    if promotion is QUICK_PROOF:
        looks = max(loaded.config.detect.looks_per_second, QUICK_LOOKS_PER_SECOND)
        changes["detect"] = told.detect.model_copy(update={"looks_per_second": looks})
    return told.model_copy(update={"cameras": tuple(camera.model_copy(update=changes) for camera in told.cameras)})


def _pass(
    loaded: Loaded, cameras: Sequence[CameraId], directory: Path, warmed: Path, promotion: Promotion,
    settle_s: float, measure_s: float, say: Say, name: str,
) -> tuple[tuple[Measured, ...], float]:
    """All cameras at once: wait for pictures, then for settle_s, then measure. Returns them, and the CPU seconds a second at most."""
    workers: dict[CameraId, _Worker] = {}
    try:
        for number, camera in enumerate(cameras):
            workers[camera] = _Worker(_settings(loaded, (camera,), promotion), Directories(directory / str(number), warmed))
        deadline_s = time.monotonic() + FIRST_PICTURE_WITHIN_S
        while time.monotonic() < deadline_s and not all(worker.delivers() for worker in workers.values()):
            time.sleep(0.2)
        say(name)
        time.sleep(settle_s)
        living = {camera: worker for camera, worker in workers.items() if worker.delivers()}
        marks = [{camera: worker.mark() for camera, worker in living.items()}]
        for worker in living.values():
            worker.asleep = worker.states = 0
        for _ in range(WINDOWS if living else 0):
            time.sleep(measure_s / WINDOWS)
            marks.append({camera: worker.mark() for camera, worker in living.items()})
        spans = list(pairwise(marks))
        busiest = max((sum(after[each].cpu_since(before[each]) for each in living) for before, after in spans), default=0.0)
        found = (_measured(camera, worker, [mark[camera] for mark in marks if camera in mark]) for camera, worker in workers.items())
        return tuple(found), busiest
    finally:
        for worker in workers.values():
            worker.ask_to_stop()
        for worker in workers.values():
            worker.stop()


@dataclass(frozen=True, slots=True)
class _Mark:
    """A worker's counters at one moment. health was counted up to two seconds before."""

    at_s: float
    ticks: int
    memory_bytes: int
    health: pipe_pb2.Health

    def cpu_since(self, earlier: _Mark) -> float:
        return (self.ticks - earlier.ticks) / TICKS_PER_S / (self.at_s - earlier.at_s)


def _measured(camera: CameraId, worker: _Worker, marks: Sequence[_Mark]) -> Measured:
    if len(marks) < 2 or not marks[-1].ticks:     # the process is gone
        return Measured(camera, None, worker.reason or Reason.STALLED)
    first, last = marks[0], marks[-1]
    seconds = (last.health.taken_after_ms - first.health.taken_after_ms) / 1000
    grid = worker.grid
    packets = last.health.packets - first.health.packets
    if not packets or seconds <= 0:
        return Measured(camera, None, worker.reason or Reason.STALLED)
    return Measured(
        camera,
        Cost(
            tuple(after.cpu_since(before) for before, after in pairwise(marks)),
            max(mark.memory_bytes for mark in marks),
            round((last.health.bytes_received - first.health.bytes_received) * 8 / seconds),
        ),
        size_px=(grid.width_px, grid.height_px),
        fps=packets / seconds,
        proven_share=worker.proven_share(),
        asleep_share=worker.asleep / worker.states if worker.states else 0.0,
        looks_per_second=(last.health.looks - first.health.looks) / seconds,
        left_out_share=(last.health.frames_left_out - first.health.frames_left_out) / packets,
    )


@dataclass
class _Worker:
    """A bench's worker as a process: told its settings, heard by a thread. What breaks the rules of the pipe ends it."""

    settings: WorkerSettings
    directories: Directories
    health: pipe_pb2.Health = field(default_factory=pipe_pb2.Health)
    grid: scene_pb2.Grid = field(default_factory=scene_pb2.Grid)
    reason: Reason = Reason.NONE
    proven: int = 0
    blind: int = 0
    asleep: int = 0
    states: int = 0

    def __post_init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "privet.worker.jobs.bench", *arguments_of(self.directories)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=reduced_environment(), start_new_session=True,
        )
        self._say(pipe_pb2.SupervisorMessage(start=pipe_pb2.Start(settings=self.settings.model_dump_json().encode())))
        self._thread = threading.Thread(target=self._hear, name="hear", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def delivers(self) -> bool:
        """Whether pictures are analysed."""
        return self.health.frames_analysed > 0 and self._process.poll() is None

    def proven_share(self) -> float:
        """Of the blocks that are not blind."""
        if not self.grid.block_px:
            return 0.0
        blocks = -(-self.grid.width_px // self.grid.block_px) * -(-self.grid.height_px // self.grid.block_px) - self.blind
        return self.proven / max(blocks, 1)

    def mark(self) -> _Mark:
        return _Mark(time.monotonic(), cpu_ticks(self.pid), resident_bytes(self.pid), self.health)

    def ask_to_stop(self) -> None:
        self._say(pipe_pb2.SupervisorMessage(stop=pipe_pb2.Stop()))

    def stop(self) -> None:
        """Ask, wait, and kill if need be."""
        self.ask_to_stop()
        try:
            self._process.wait(STOPS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._thread.join(STOPS_WITHIN_S)
        with contextlib.suppress(OSError):      # what could not be said to one that is gone
            cast(BinaryIO, self._process.stdin).close()

    def _say(self, message: pipe_pb2.SupervisorMessage) -> None:
        try:
            framing.write_all(cast(BinaryIO, self._process.stdin).fileno(), framing.framed(message))
        except (OSError, ValueError):
            pass                                # it is gone, or was let go: that no pictures came says so

    def _hear(self) -> None:
        inspector = Inspector(self.settings.camera_ids(), covers_per_second=self.settings.covers_per_second)
        with cast(BinaryIO, self._process.stdout) as stream:
            try:
                for body in framing.read_bodies(stream):
                    self._take(inspector.inspect(body))
            except (WireError, ValueError):
                self._process.kill()

    def _take(self, message: pipe_pb2.WorkerMessage) -> None:
        kind = message.WhichOneof("kind")
        if kind == "health":
            self.health = message.health
        elif kind == "scene" and message.scene.WhichOneof("kind") == "state":
            state = message.scene.state
            self.reason = Reason(state.reason)
            self.states += 1
            self.asleep += Condition(state.condition) is Condition.ASLEEP
            if state.HasField("grid"):
                self.grid, self.proven, self.blind = state.grid, state.proven_blocks, state.blind_blocks
