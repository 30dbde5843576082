"""A real worker process whose cameras are made up: run as `python -P -m tests.main.fake_worker DATA`.

What a camera does is written in its URL: rtsp://127.0.0.1/<word>.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from tests.pipe.messages import background, cover, state

from privet.core.clock import Clock
from privet.core.machine import own_memory_bytes
from privet.core.pb import pipe_pb2
from privet.pipe.directories import Directories
from privet.pipe.settings import CameraSettings, WorkerSettings
from privet.pipe.signing import CommissionRequest, no_picture
from privet.worker.host import MakePipeline
from privet.worker.process import main
from privet.worker.send_queue import Emit

OUT_OF_ORDER = threading.Event()


def memory_bytes() -> int:
    if OUT_OF_ORDER.is_set():
        raise MemoryError("a person at the gate")
    return own_memory_bytes()


class MadeUp:
    def __init__(self, settings: CameraSettings, worker: WorkerSettings, directories: Directories, emit: Emit) -> None:
        self._word = urlsplit(settings.url).path.strip("/")
        self._own = directories.of(worker.directory)
        self._state = directories.of(settings.state_directory)
        self._emit = emit
        self._stop = threading.Event()

    def run(self) -> None:
        session = int.from_bytes(os.urandom(7), "big") + 1
        self._emit(state(1, session))
        self._emit(background(2, session))
        getattr(self, f"_{self._word}")(session)

    @property
    def saving(self) -> Callable[[], bool]:
        return lambda: False

    def stop(self) -> None:
        self._stop.set()

    def resend(self) -> None:
        self._emit(pipe_pb2.Log(level=20, code=pipe_pb2.LOG_CODE_EPOCH, number=77))

    def heartbeat(self, wait_s: float) -> bool:
        return True

    def commission(self, request: CommissionRequest) -> None:
        self._emit(no_picture(request))

    def _covers(self, session: int) -> None:
        sequence = 3
        while not self._stop.wait(0.05):
            self._emit(cover(sequence, session), time.monotonic_ns())
            sequence += 1

    def _crash(self, session: int) -> None:
        raise ZeroDivisionError("a person at the gate")

    def _beatless(self, session: int) -> None:
        """What speaks for all cameras crashes in what is no camera's."""
        OUT_OF_ORDER.set()
        self._covers(session)

    def _hang(self, session: int) -> None:
        while True:  # does not listen to stop()
            time.sleep(60)

    def _print(self, session: int) -> None:
        # What a library might do: write to the standard streams, by descriptor and by name.
        os.write(1, b"pixels" * 100)
        os.write(2, b"pixels" * 100)
        print("pixels", flush=True)
        self._covers(session)

    def _write(self, session: int) -> None:
        """Say, as log numbers, how writing inside and outside went."""
        outside = self._own.parent / "outside"
        for place in (self._own, self._state, outside, Path("/dev/shm")):
            try:
                (place / "probe").write_text("x")
                number = 0
            except OSError as error:
                number = error.errno or -1
            self._emit(pipe_pb2.Log(level=20, code=pipe_pb2.LOG_CODE_CONNECTED, number=number))
        self._covers(session)


def furnish(settings: WorkerSettings, directories: Directories, _clock: Clock) -> MakePipeline:
    def make(camera: CameraSettings, emit: Emit) -> MadeUp:
        return MadeUp(camera, settings, directories, emit)

    return make


if __name__ == "__main__":
    main(furnish, memory_bytes)
