"""The worker of `privet bench`: a worker like any other, but that nothing of a picture leaves it and nothing is kept.

    python -P -m privet.worker.jobs.bench DATA COMPILED     a worker: see privet.worker.process
    python -P -m privet.worker.jobs.bench --sample FILE     writes the sample clip, in which there is nobody

Belongs here: what is left out of what a worker says. Does not belong here: measuring (bench). A proof is shortened so that a minute will
do, and no one signs it; so not even what it would promote may come out: states, health and log lines do, and covers, lights, backgrounds
and promotions are made, for they cost, and dropped here, in the process that holds the live pixels.
"""

from __future__ import annotations

import sys
from pathlib import Path

from privet.core.clock import Clock
from privet.core.pb import pipe_pb2, scene_pb2
from privet.pipe.directories import Directories
from privet.pipe.settings import CameraSettings, WorkerSettings
from privet.worker.host import MakePipeline, Pipeline
from privet.worker.process import main
from privet.worker.send_queue import Emit, Outgoing


def may_leave(message: Outgoing) -> bool:
    """Whether a message of a bench's worker goes out: counts and states only. Pure."""
    if isinstance(message, scene_pb2.SceneMessage):
        return message.WhichOneof("kind") == "state"
    return isinstance(message, pipe_pb2.Health | pipe_pb2.Log)


class Forgets:
    """A state store without memory. Implements camera.state_saving.StateStore."""

    def load(self) -> None:
        """Nothing is there."""

    def save(self, state: bytes) -> None:
        """It is dropped."""


def furnish(settings: WorkerSettings, directories: Directories, clock: Clock) -> MakePipeline:
    """The real pipelines behind a filter."""
    from privet.worker.jobs.bench_clip import open_stream  # noqa: PLC0415 (not before the process is confined)
    from privet.worker.pipelines import pipelines  # noqa: PLC0415

    def forgets(_camera: CameraSettings) -> Forgets:
        return Forgets()

    make = pipelines(settings, directories, clock, forgets, open_stream)

    def filtered(camera: CameraSettings, emit: Emit) -> Pipeline:
        def say(message: Outgoing, arrived_monotonic_ns: int = 0) -> None:
            if may_leave(message):
                emit(message, arrived_monotonic_ns)

        return make(camera, say)

    return filtered


if __name__ == "__main__":
    if sys.argv[1:2] == ["--sample"]:
        from privet.worker.jobs.bench_clip import write_sample

        write_sample(Path(sys.argv[2]))
    else:
        main(furnish)
